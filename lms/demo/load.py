"""The demo data as a whole: one transaction, one pass, memory that doesn't grow with the number of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count, islice
from random import Random

from django.db import transaction

from accounts.models import User
from lms.demo.catalog import write_catalog
from lms.demo.people import People
from lms.demo.sheets import Book
from lms.demo.stage import Prepared, Stage, all_pairs
from lms.demo.words import name_of

SEED = 20_191_021
BATCH = 500  # learners between two sends
DEFAULT_USERS = 400
Progress = Callable[[int, int], None]


class AlreadyLoaded(Exception):
    """There are accounts in the database; demo data is for an empty one."""


@transaction.atomic
def load(users: int, now: datetime, progress: Progress = lambda done, users: None) -> list[Prepared]:
    """Load about `users` accounts, as of `now`; never fewer than the staff and the pairs. Answers the pairs.

    The person with a given number is the same whatever the number of people. Raises AlreadyLoaded.
    """
    if User.objects.exists():
        raise AlreadyLoaded
    book = Book(now)
    catalog = write_catalog(book)
    people = People(book, catalog)
    stage = Stage(book, catalog, people)
    staff = people.staff()
    prepared = _prepare(stage)
    people.assign(staff["paula.power"], stage.ids.values())
    _crowd(stage, users - len(staff) - len(stage.ids), progress)
    book.finish()
    return prepared


def _prepare(stage: Stage) -> list[Prepared]:
    pairs = all_pairs()
    for _, build in pairs:
        build(stage)
    return [prepared for prepared, _ in pairs]


def _crowd(stage: Stage, users: int, progress: Progress) -> None:
    for done, number in enumerate(_free_numbers(stage, users), 1):
        chance = Random(SEED + number)  # noqa: S311 - believable, not secret
        user, place = stage.people.learner(number, chance)
        stage.careers.live(user, place, chance)
        if done % BATCH == 0 or done == users:
            stage.book.send()
            progress(done, users)


def _free_numbers(stage: Stage, users: int) -> Iterator[int]:
    """As many as there are to be people, without those whose username somebody of a pair has."""
    free = (number for number in count() if name_of(number)[2] not in stage.ids)
    return islice(free, max(users, 0))

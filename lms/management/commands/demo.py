"""`manage.py demo`: load the demo data, or say who may sign in."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from lms.demo import signins
from lms.demo.load import DEFAULT_USERS, AlreadyLoaded, load
from lms.demo.stage import Prepared


class Command(BaseCommand):
    help = "Load believable demo data into an empty database. Everybody's password is public: never in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=DEFAULT_USERS, help="about how many accounts (%(default)s)")
        parser.add_argument("--sign-ins", action="store_true", help="print the demo sign-ins and load nothing")

        parser.add_argument("--open-accounts", action="store_true", help="print whom the public password lets in")

    def handle(self, *args: Any, users: int, sign_ins: bool, open_accounts: bool, **options: Any) -> None:
        if open_accounts:
            self.stdout.write("\n".join(signins.open_accounts()))
            return
        if sign_ins:
            self.stdout.write("\n".join(signins.lines()))
            return
        started = time.monotonic()
        try:
            pairs = load(users, timezone.now().replace(microsecond=0), self._progress)
        except AlreadyLoaded as error:
            raise CommandError(
                "There are accounts in this database already, so nothing was loaded. Demo data is for an empty one: "
                "choose another DATA_DIR, or stop the portal and remove the folder."
            ) from error
        self._analyze()
        self.stdout.write(f"Loaded in {time.monotonic() - started:.1f} s.\n\n" + "\n".join(describe(pairs)))
        self.stdout.write("\n" + "\n".join(signins.lines()))

    def _progress(self, done: int, users: int) -> None:
        self.stdout.write(f"  {done:,} of {users:,} learners with their histories")

    def _analyze(self) -> None:
        """Fresh tables have no statistics, and the first pages would be slow."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def describe(pairs: list[Prepared]) -> list[str]:
    """The prepared pairs, one paragraph each."""
    lines = ["Prepared pairs: merge the first account into the second and see the rule"]
    for pair in pairs:
        lines += [f"  {pair.source} → {pair.destination}: {pair.rule}", f"      {pair.expect}"]
    return lines

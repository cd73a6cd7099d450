"""What every handler must do, whatever it handles. A new handler is tested by being registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import ForeignKey, UniqueConstraint

from linking.models import Link, LinkGroup, Membership
from linking.models import Pair as LinkPair
from merging.handlers import Case, Change, Claim, MergeHandler, Move, registered
from merging.models import JournalEntry
from merging.plan import Step, compiled, count_moves
from merging.policies import find_policy, parse_choices
from merging.sight import count_left
from tests.any_row import make
from tests.dumps import differences, dump
from tests.factories import UserFactory, at
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db
HANDLERS = {handler.key: handler for handler in registered()}
OFF = {"enrollments": {"merge": False}, "profile": {"merge": False}}
WAYS: dict[str, tuple[str, Any]] = {
    "best_record": ("best_record", None),
    "best_record, all off": ("best_record", OFF),
    "keep_primary": ("keep_primary", None),
}
every_handler = pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def fill(pair: Pair, handler: MergeHandler) -> None:
    """Rows of this kind on both accounts: things that only one has, and one that both have."""
    if handler.key in SPECIAL:
        SPECIAL[handler.key](pair)
        return
    for claim in handler.claims:
        column: Any = claim.model._meta.get_field(claim.column)
        once = column.unique
        for account, rows in ((pair.source, 2), (pair.destination, 1)):
            for _ in range(1 if once else rows):
                make(claim.model, **{claim.column: account})
        if not once:
            _fill_shared(pair, claim)


def _fill_shared(pair: Pair, claim: Claim) -> None:
    """The same thing on both, as far as a unique constraint tells what the thing is."""
    things = _things(claim)
    if things:
        first = make(claim.model, **{claim.column: pair.source})
        make(claim.model, **{claim.column: pair.destination}, **{name: getattr(first, name) for name in things})


def _things(claim: Claim) -> list[str]:
    for constraint in claim.model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and claim.column in constraint.fields:
            return [name for name in constraint.fields if name != claim.column and not _points_at_user(claim, name)]
    return []


def _points_at_user(claim: Claim, name: str) -> bool:
    field = claim.model._meta.get_field(name)
    return (
        isinstance(field, ForeignKey) and field.related_model is claim.model._meta.get_field(claim.column).related_model
    )


def _fill_links(pair: Pair) -> None:
    """The source is one person with a third account."""
    third, group = UserFactory.create(), LinkGroup.objects.create()
    for account in (pair.source, third):
        Membership.objects.create(user=account, group=group)
    link = Link.objects.create(account=pair.source, other=third)
    for one, other in ((pair.source, third), (third, pair.source)):
        LinkPair.objects.create(link=link, account=one, counterpart=other, linked_at=at(2025))


SPECIAL: dict[str, Callable[[Pair], None]] = {"links": _fill_links}


def a_case(pair: Pair, way: tuple[str, Any]) -> Case:
    policy = find_policy(way[0])
    return Case(pair.source, pair.destination, policy, parse_choices(way[1], policy))


def planned(handler: MergeHandler, case: Case) -> list[Any]:
    """The plan of one handler as plain values."""
    return [
        action if isinstance(action, Change) else [compiled(action.rows), dict(action.verdicts)]
        for action in handler.plan(case)
    ]


@every_handler
@every_way
def test_it_plans_without_writing(handler: MergeHandler, way: tuple[str, Any]) -> None:
    pair = Pair.make()
    fill(pair, handler)
    before, case = dump(but=()), a_case(pair, way)
    planned(handler, case)
    list(handler.warnings(case)), list(handler.blockers(case, pair.actor)), list(handler.check_choices(case))
    handler.choices(case)
    pair.preview(way[0], choices=way[1])
    assert differences(before, dump(but=())) == {}


@every_handler
@every_way
def test_it_plans_the_same_twice(handler: MergeHandler, way: tuple[str, Any]) -> None:
    pair = Pair.make()
    fill(pair, handler)
    case = a_case(pair, way)
    assert planned(handler, case) == planned(handler, case)
    assert pair.preview(way[0], choices=way[1]).digest == pair.preview(way[0], choices=way[1]).digest


@every_handler
@every_way
def test_it_has_a_verdict_for_every_row_of_the_source(handler: MergeHandler, way: tuple[str, Any]) -> None:
    pair = Pair.make()
    fill(pair, handler)
    for step in pair.preview(way[0], choices=way[1]).steps:
        if step.key == handler.key and isinstance(step.action, Move):
            assert set(step.tally) <= set(step.action.verdicts)


@every_handler
@every_way
def test_it_leaves_behind_only_what_it_said(handler: MergeHandler, way: tuple[str, Any]) -> None:
    pair = Pair.make()
    fill(pair, handler)
    plan = pair.preview(way[0], choices=way[1])
    merge = pair.merge(way[0], choices=way[1])
    left = count_left(plan.case, handler.claims) if handler.claims else {}
    assert left == {claim: plan.left[claim] for claim in handler.claims}
    for claim, rows in left.items():
        stayed = JournalEntry.objects.filter(merge=merge, model=claim.model._meta.label, kind="stay")
        assert sum(len(e.ids) for e in stayed if (e.after or {}).get(claim.attname) == pair.source.pk) == rows


@every_handler
@every_way
def test_only_moves_means_that_an_empty_source_leaves_nothing_to_do(
    handler: MergeHandler, way: tuple[str, Any]
) -> None:
    pair = Pair.make()
    other = Pair.make()
    fill(Pair(source=pair.destination, destination=other.source, actor=pair.actor), handler)
    case = a_case(pair, way)
    idle = count_left(case, handler.claims) == dict.fromkeys(handler.claims, 0) if handler.claims else True
    assert idle
    steps = [Step(place, handler.key, handler.section, action) for place, action in enumerate(handler.plan(case))]
    writes = [step for step in steps if isinstance(step.action, Change)]
    counted = count_moves(steps)
    assert not handler.only_moves or (writes == [] and not any(counted.values()))


@every_handler
@every_way
@pytest.mark.covers("P.5")
def test_an_undo_restores_every_row(handler: MergeHandler, way: tuple[str, Any]) -> None:
    pair = Pair.make()
    fill(pair, handler)
    before, digest = dump(), pair.preview(way[0], choices=way[1]).digest
    merge = pair.merge(way[0], choices=way[1])
    assert differences(before, dump()) != {}
    pair.undo(merge)
    assert differences(before, dump()) == {}
    assert pair.preview(way[0], choices=way[1]).digest == digest

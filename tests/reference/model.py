"""What a merge does, said again in plain Python over plain rows, from the written rules alone.

It shares nothing with the handlers. A world is a mapping of kind to rows; a row is a mapping of column to value.
`merged` gives the world after the merge; added rows have no id.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.reference.account import settle_account
from tests.reference.question import Question, Row, World, of_account

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


def merged(world: World, ask: Question) -> World:
    """The world after the merge."""
    after = copy.deepcopy(world)
    certify = _enrollments(after, ask)
    _learning_plans(world, after, ask)
    _certifications(after, ask, certify)
    if ask.merge_enrollments:
        _twins(after["certificates"], ask, _course, _counts, _supersede, _certificate_rank)
        _all_move(after["transactions"], ask)
    _twins(after["competencies"], ask, lambda row: row["competency"], _counts, _supersede, lambda row: (row["level"],))
    _twins(after["badges"], ask, lambda row: row["badge_id"], _counts, _supersede, _badge_rank)
    for kind in ("external_trainings", "points", "coins", "reward_requests"):
        _all_move(after[kind], ask)
    _learning_records(after, ask)
    _subscriptions(world, after, ask)
    settle_account(after, ask)
    return after


def _all_move(rows: Iterable[Row], ask: Question) -> None:
    for row in of_account(rows, ask.source):
        row["user_id"] = ask.destination


def _course(row: Row) -> Any:
    return row["course_id"]


def _counts(row: Row) -> bool:
    return not row["is_superseded"]


def _supersede(row: Row) -> None:
    row["is_superseded"] = True


def _twins(
    rows: list[Row],
    ask: Question,
    thing: Callable[[Row], Any],
    counts: Callable[[Row], bool],
    lose: Callable[[Row], None],
    rank: Callable[[Row], tuple[Any, ...]],
) -> None:
    """Everything moves; of two that count for one thing the higher rank stays, the destination's on a tie."""
    own = {thing(row): row for row in of_account(rows, ask.destination) if counts(row)}
    for row in of_account(rows, ask.source):
        row["user_id"] = ask.destination
        twin = own.get(thing(row)) if counts(row) else None
        if twin is not None:
            lose(twin if rank(row) > rank(twin) else row)


def _certificate_rank(row: Row) -> tuple[Any, ...]:
    return _score(row), row["expires_at"] or FOREVER, -row["issued_at"].timestamp()


def _badge_rank(row: Row) -> tuple[Any, ...]:
    return (-row["awarded_at"].timestamp(),)


def _score(row: Row) -> tuple[bool, Any]:
    """A missing score ranks below zero, and below any other."""
    return row["score"] is not None, row["score"] or 0


# Enrollments


def _is_completed(row: Row) -> bool:
    return bool(row["status"] == "completed" and row["voided_at"] is None)


def _enrollment_rank(row: Row) -> tuple[Any, ...]:
    standing = {"completed": 4, "in_progress": 3, "enrolled": 2, "waiting": 1, "withdrawn": 0}[row["status"]]
    if row["voided_at"] is not None:
        standing = 0
    earlier = -(row["completed_at"] or FOREVER).timestamp()
    return standing, _score(row), row["progress"], row["expires_at"] or FOREVER, earlier


def _source_wins(own: Row, theirs: Row, ask: Question) -> bool:
    chosen = ask.courses.get(own["course_id"]) if ask.merge_enrollments else None
    if chosen:
        return chosen == "source"
    if ask.best_record:
        return _enrollment_rank(theirs) > _enrollment_rank(own)
    return _is_completed(theirs) and not _is_completed(own)


def _enrollments(after: World, ask: Question) -> list[Row]:
    """Move them; returns those of the source that became current."""
    rows = after["enrollments"]
    own = {row["course_id"]: row for row in of_account(rows, ask.destination) if not row["is_historical"]}
    arrived = []
    for row in of_account(rows, ask.source):
        twin = None if row["is_historical"] else own.get(row["course_id"])
        wins = twin is not None and _source_wins(twin, row, ask)
        if not ask.merge_enrollments and not wins:
            continue
        row["user_id"] = ask.destination
        row["merged_from_id"] = row["merged_from_id"] or ask.source
        if twin is not None:
            (twin if wins else row)["is_historical"] = True
        if not row["is_historical"]:
            arrived.append(row)
    return arrived


# What follows from enrollments


def _learning_plans(before: World, after: World, ask: Question) -> None:
    own = {row["learning_plan_id"] for row in of_account(before["learning_plans"], ask.destination)}
    current = {r["course_id"]: r for r in of_account(after["enrollments"], ask.destination) if not r["is_historical"]}
    stages = ["enrolled", "in_progress", "completed"]
    for row in of_account(after["learning_plans"], ask.destination):
        courses = [
            step["course_id"] for step in before["plan_courses"] if step["learning_plan_id"] == row["learning_plan_id"]
        ]
        if any(_is_brought(before, current.get(course), ask) for course in courses):
            row["status"] = max(row["status"], _stage([current.get(course) for course in courses]), key=stages.index)
    if not ask.best_record:
        for row in of_account(after["learning_plans"], ask.source):
            if row["learning_plan_id"] not in own:
                row["user_id"] = ask.destination


def _is_brought(before: World, row: Row | None, ask: Question) -> bool:
    owners = {old["id"]: old["user_id"] for old in before["enrollments"]}
    return row is not None and owners[row["id"]] == ask.source


def _stage(rows: list[Row | None]) -> str:
    valid = [row for row in rows if row is not None and row["voided_at"] is None]
    if len(valid) == len(rows) and all(row["status"] == "completed" for row in valid):
        return "completed"
    return "in_progress" if any(row["status"] in ("completed", "in_progress") for row in valid) else "enrolled"


def _certifications(after: World, ask: Question, arrived: list[Row]) -> None:
    """External ones move, the later end stays active; then each completion that arrived counts by its date."""
    awards = after["certifications"]
    external = [row for row in of_account(awards, ask.source) if row["source"] == "external"]
    others = [row for row in awards if row not in external and row["user_id"] == ask.destination]
    pool = [*others, *external]
    _twins(pool, ask, _certification, lambda r: r["is_active"], _deactivate, lambda r: (r["expires_at"] or FOREVER,))
    if not ask.merge_enrollments:
        return
    done = [(row["completed_at"], row["course_id"]) for row in arrived if _is_completed(row)]
    for certification in after["certification_rules"]:
        dates = sorted(when for when, course in done if course in certification["courses"])
        held = next((r for r in pool if r["certification_id"] == certification["id"] and r["is_active"]), None)
        _count_completions(awards, ask, certification, held, dates)


def _certification(row: Row) -> Any:
    return row["certification_id"]


def _deactivate(row: Row) -> None:
    row["is_active"] = False


def _count_completions(awards: list[Row], ask: Question, rule: Row, held: Row | None, dates: list[datetime]) -> None:
    for when in dates:
        ends = None if rule["validity_days"] is None else when + timedelta(days=rule["validity_days"])
        if held is None or _is_replaced(held, rule, when):
            if held is not None:
                if held.get("id") is None:
                    awards.remove(held)
                _deactivate(held)
            held = _new_award(ask, rule, when, ends)
            awards.append(held)
        elif _is_renewed(held, rule, when) and (ends or FOREVER) > held["expires_at"]:
            held["expires_at"], held["renewed_at"] = ends, when


def _is_replaced(held: Row, rule: Row, when: datetime) -> bool:
    return held["expires_at"] is not None and when > held["expires_at"] and not rule["late_renewal"]


def _is_renewed(held: Row, rule: Row, when: datetime) -> bool:
    if held["expires_at"] is None:
        return False
    opens = held["expires_at"] - timedelta(days=rule["renewal_window_days"])
    return bool(when >= opens and (when <= held["expires_at"] or rule["late_renewal"]))


def _new_award(ask: Question, rule: Row, when: datetime, ends: datetime | None) -> Row:
    return {
        "user_id": ask.destination,
        "certification_id": rule["id"],
        "source": "course",
        "external_training_id": None,
        "issued_at": when,
        "renewed_at": None,
        "expires_at": ends,
        "is_active": True,
    }


# Records and licences


def _learning_records(after: World, ask: Question) -> None:
    rows = {row["id"]: row for row in after["learning_records"]}
    owners = {pk: row["user_id"] for pk, row in rows.items()}
    listed = [row for row in rows.values() if not row["is_superseded"] and row["equivalent_of_id"] is not None]
    own = {row["equivalent_of_id"] for row in listed if row["user_id"] == ask.destination}
    both = {ask.source, ask.destination}
    for row in listed:
        origin = owners[row["equivalent_of_id"]]
        to_themselves = row["user_id"] in both and origin in both
        twice = row["user_id"] == ask.source and row["equivalent_of_id"] in own
        row["is_superseded"] = to_themselves or twice
    for row in of_account(rows.values(), ask.source):
        row["user_id"] = ask.destination
        row["merged_from_id"] = row["merged_from_id"] or ask.source


def _subscriptions(before: World, after: World, ask: Question) -> None:
    """Only plans that a branch of the destination, or one above it, may see; of two seats the later end stays."""
    parents = {row["id"]: row["parent_id"] for row in before["branches"]}
    reach: set[int] = set()
    for row in of_account(before["branch_memberships"], ask.destination):
        branch = row["branch_id"]
        while branch is not None:
            reach.add(branch)
            branch = parents[branch]
    rules = {plan["id"]: set(plan["branches"]) for plan in before["subscription_plans"]}
    rows = [
        row
        for row in after["subscriptions"]
        if row["user_id"] == ask.destination or not rules[row["plan_id"]] or rules[row["plan_id"]] & reach
    ]
    _twins(
        rows,
        ask,
        lambda r: r["plan_id"],
        lambda r: r["status"] == "active",
        _release,
        lambda r: (r["ends_at"] or FOREVER,),
    )


def _release(row: Row) -> None:
    row["status"] = "released"

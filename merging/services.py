"""The four things that can be done about a merge. Pages, REST, admin and tasks are doors over these.

Every write here happens in one transaction, READ COMMITTED, with locks in one order: the merge's own row, then accounts
by id, then what the journal touches, audit last. Everything that was decided before the locks is decided again under them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg2 import errors

import audit.services
from audit import trail
from merging import journal
from merging.collisions import in_the_way
from merging.errors import (
    JournalOutdated,
    MergeError,
    MergeIsBusy,
    MergeRefused,
    PlanIsStale,
    RowsHaveChanged,
    RowsUnaccounted,
    UndoRefused,
)
from merging.handlers import Case, registered
from merging.locks import lock_accounts, one_transaction
from merging.models import Merge
from merging.plan import Plan, differing_sections, make_plan
from merging.policies import Policy, find_policy, parse_choices
from merging.sight import count_left
from merging.undo_rules import check_journal

NOT_TAKEN = (errors.NotNullViolation, errors.CheckViolation)  # rules that came after the merge

if TYPE_CHECKING:
    from accounts.models import User

WORKERS_PATIENCE = 1  # seconds behind a lock: the merge stays queued, and the sweep comes again


ALREADY_MERGED = "One of the accounts was merged into another one meanwhile. Look at the merge again."


def preview(*, actor: User, source_id: int, destination_id: int, policy: str, choices: Any = None) -> Plan:
    """What the merge would do, with what stands in its way. Writes nothing.

    Both accounts must exist; doors look them up among those that the actor may see. Raises ChoicesInvalid.
    """
    return make_plan(*_read(actor.pk, source_id, destination_id, find_policy(policy), choices))


def request_merge(
    *,
    actor: User,
    source_id: int,
    destination_id: int,
    policy: str,
    choices: Any = None,
    digest: str = "",
    reason: str = "",
    notify: bool = False,
    origin: str = "",
) -> Merge:
    """Merge now, or queue the merge when it writes more rows than MERGE_INLINE_LIMIT; the door enqueues it then.

    `digest` is that of the plan that was reviewed; a different plan is refused. Asked twice, a queued merge is queued
    once. Raises MergeError of every kind.
    """
    chosen = find_policy(policy)
    with trail.attempt("merge.refused", source_id, destination=destination_id), one_transaction():
        lock_accounts({source_id, destination_id}, source_id, actor.pk)
        case, actor = _read(actor.pk, source_id, destination_id, chosen, choices)
        merge_id = _new_merge_id()
        plan = _plan_under_lock(case, actor, digest, merge_id)
        merge = Merge(
            id=merge_id,
            source_id=source_id,
            destination_id=destination_id,
            policy=chosen.name,
            choices=case.choices.as_json(),
            digest=plan.digest,
            counts=plan.counts(),
            reason=reason[:300],
            notify=notify,
            performed_by_id=actor.pk,
        )
        if plan.size > settings.MERGE_INLINE_LIMIT:
            return _queue(merge, origin)
        _carry_out(merge, plan, origin)
    return merge


def _new_merge_id() -> int:
    """The journal is written before the merge, which is stored once, when all is done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [Merge._meta.db_table])
        (merge_id,) = cursor.fetchone()
    return int(merge_id)


def _queue(merge: Merge, origin: str) -> Merge:
    """Leave it to a worker; of just this plan, one merge waits."""
    journal.forget(merge.pk)
    both = {"source": merge.source_id, "destination": merge.destination_id}
    waiting = Merge.objects.filter(status=Merge.Status.QUEUED, digest=merge.digest, **both).first()
    if waiting is None:
        merge.save(force_insert=True)
        _audit("merge.queued", merge, merge.performed_by_id, origin)
    return waiting or merge


def execute_merge(merge_id: int, *, origin: str = "worker") -> Merge:
    """Carry out a queued merge; one that isn't queued any more is left alone. A refusal is kept on the merge.

    Raises MergeIsBusy when another worker has it, or somebody else one of its accounts: it stays queued.
    """
    try:
        with one_transaction(patience=WORKERS_PATIENCE):
            merge = _claim(merge_id)
            if merge.status != Merge.Status.QUEUED:
                return merge
            lock_accounts({merge.source_id, merge.destination_id}, merge.source_id, merge.performed_by_id)
            ids = (merge.performed_by_id, merge.source_id, merge.destination_id)
            case, actor = _read(*ids, find_policy(merge.policy), merge.choices)
            _carry_out(merge, _plan_under_lock(case, actor, merge.digest, merge.pk), origin)
            return merge
    except MergeIsBusy:
        raise
    except MergeError as error:
        return _fail(merge_id, error)


def undo_merge(*, actor: User, merge_id: int, reason: str, origin: str = "") -> Merge:
    """Play the merge's journal backwards. A superadmin's, until the window ends, last merge first.

    Raises UndoRefused with the code of the rule, and RowsHaveChanged naming rows that were changed since.
    """
    with trail.attempt("undo.refused", None, merge=merge_id), one_transaction():
        merge = Merge.objects.select_for_update(no_key=True).get(pk=merge_id)  # two undos must not both pass
        lock_accounts({merge.source_id, merge.destination_id}, merge.source_id, actor.pk)
        check_undo_is_open(get_user_model().objects.get(pk=actor.pk), merge)
        _rewind(merge)
        merge.status, merge.undone_by_id, merge.undone_at = Merge.Status.UNDONE, actor.pk, timezone.now()
        merge.undo_reason = reason[:300]
        merge.save(update_fields=["status", "undone_by", "undone_at", "undo_reason"])
        _audit("merge.undone", merge, actor.pk, origin)
        _announce("merge.undone", merge)
    return merge


def preview_undo(*, actor: User, merge_id: int) -> None:
    """Try the undo and take it back: raises what undo_merge would raise, and changes nothing."""
    with one_transaction():
        merge = Merge.objects.select_for_update(no_key=True).get(pk=merge_id)  # as undo_merge
        lock_accounts({merge.source_id, merge.destination_id}, merge.source_id, actor.pk)
        check_undo_is_open(get_user_model().objects.get(pk=actor.pk), merge)
        _rewind(merge)
        transaction.set_rollback(True)


def check_undo_is_open(actor: User, merge: Merge) -> None:
    """Raise UndoRefused when a rule forbids to undo this merge, before any row is looked at."""
    if not actor.is_superadmin:
        raise UndoRefused("Only a superadmin may undo a merge.", code="not_allowed")
    if merge.status != Merge.Status.DONE:
        raise UndoRefused(
            f"This merge is {merge.get_status_display().lower()}; only a done one can be undone.", code="not_done"
        )
    if merge.undo_until is None or timezone.now() > merge.undo_until:
        raise UndoRefused("The time in which this merge could be undone has ended.", code="undo_window_closed")
    accounts = get_user_model().objects.filter(pk__in=[merge.source_id, merge.destination_id], status="deleted")
    if accounts.exists():
        raise UndoRefused("One of its accounts was deleted since, and can't be reinstated.", code="account_deleted")
    check_journal(merge)
    later = _later_merges(merge).order_by("-id").values_list("id", flat=True).first()
    if later is not None:
        raise UndoRefused(
            f"Merge {later} came later and concerns one of these accounts. Undo that one first.",
            code="undo_later_merge_first",
            facts={"merge": later},
        )


def _later_merges(merge: Merge) -> Any:
    both = [merge.source_id, merge.destination_id]
    return Merge.objects.filter(
        Q(source__in=both) | Q(destination__in=both), status=Merge.Status.DONE, performed_at__gte=merge.performed_at
    ).exclude(pk=merge.pk)


def _read(actor_id: int, source_id: int, destination_id: int, policy: Policy, choices: Any) -> tuple[Case, User]:
    """The question, and who asks it, as they are now."""
    users = get_user_model().objects.in_bulk([source_id, destination_id, actor_id])
    return Case(users[source_id], users[destination_id], policy, parse_choices(choices, policy)), users[actor_id]


def _plan_under_lock(case: Case, actor: User, digest: str, merge_id: int) -> Plan:
    """Decide everything again, rights included; refuse what is blocked or no longer what was reviewed.

    Rows to move are counted by writing the journal.
    """
    plan = make_plan(case, actor, count=partial(journal.write, merge_id))
    if plan.blockers:
        first = plan.blockers[0]
        raise MergeRefused(first.detail, code=first.code, facts=first.facts)
    if digest and digest != plan.digest:
        sections = differing_sections(digest, plan.digest)
        detail = f"{PlanIsStale.detail} What differs: {', '.join(sections)}." if sections else ""
        raise PlanIsStale(detail, facts={"sections": sections})
    return plan


def _carry_out(merge: Merge, plan: Plan, origin: str) -> None:
    """Play the journal, verify, settle, store; then say so."""
    journal.play(merge)
    if count_left(plan.case, plan.touched) != {claim: plan.left[claim] for claim in plan.touched}:
        raise RowsUnaccounted
    for handler in registered():
        handler.settle(plan.case, merge)
    merge.status, merge.performed_at = Merge.Status.DONE, timezone.now()
    merge.undo_until = merge.performed_at + timedelta(days=settings.UNDO_WINDOW_DAYS)
    merge.counts = plan.counts()
    merge.follows_id = _first_merge_of(merge) if plan.case.source.merged_into_id else None
    if merge._state.adding:
        merge.save(force_insert=True)
    else:
        merge.save(update_fields=["status", "performed_at", "undo_until", "counts", "follows"])
    _audit("merge.done", merge, merge.performed_by_id, origin)
    _announce("merge.done", merge)


def _first_merge_of(merge: Merge) -> int | None:
    earlier = Merge.objects.filter(source_id=merge.source_id, status=Merge.Status.DONE, follows=None)
    return earlier.exclude(pk=merge.pk).values_list("id", flat=True).first()


def _rewind(merge: Merge) -> None:
    """Play backwards. Rows that were changed since, or stand where one would go back, refuse the undo and are named."""
    try:
        with transaction.atomic():
            journal.rewind(merge)
    except journal.StepMissed as error:
        raise RowsHaveChanged(facts={"rows": journal.changed_rows(merge)}) from error
    except (DataError, ProgrammingError) as error:  # values that a changed column doesn't take any more
        raise JournalOutdated from error
    except IntegrityError as error:
        if isinstance(error.__cause__, NOT_TAKEN):
            raise JournalOutdated from error
        raise RowsHaveChanged(facts={"rows": in_the_way(error)}) from error
    for handler in registered():
        handler.check_undo(merge)


def _claim(merge_id: int) -> Merge:
    """The merge, locked so that its status doesn't change meanwhile. Workers don't queue up behind one that has it."""
    merge = Merge.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=merge_id).first()
    if merge is None:
        raise MergeIsBusy
    return merge


def _fail(merge_id: int, error: MergeError) -> Merge:
    with transaction.atomic():
        merge = _claim(merge_id)
        if merge.status == Merge.Status.QUEUED:
            # Whoever knows both accounts reads it later; a survivor may be known to the one who asked alone.
            detail = ALREADY_MERGED if "survivor" in error.facts else error.detail
            merge.status, merge.error, merge.error_code = Merge.Status.FAILED, detail, error.code
            merge.save(update_fields=["status", "error", "error_code"])
            _audit("merge.failed", merge, merge.performed_by_id, "worker")
    return merge


def _audit(action: str, merge: Merge, actor_id: int, origin: str) -> None:
    detail = {"merge": merge.pk, "destination": merge.destination_id, "policy": merge.policy}
    if merge.error_code:
        detail["error"] = merge.error_code
    audit.services.record(action, actor_id=actor_id, subject_id=merge.source_id, detail=detail, origin=origin)


def _announce(kind: str, merge: Merge) -> None:
    payload: Mapping[str, Any] = {
        "merge": merge.pk,
        "source": merge.source_id,
        "destination": merge.destination_id,
        "policy": merge.policy,
    }
    audit.services.announce(kind, payload, subject_id=merge.destination_id)

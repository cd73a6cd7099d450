"""The steps of the assistant. Each writes what it did, and who did it, in the same transaction.

Nothing is transferred by itself: every enrollment, date, name and address is written because a person said so.
Locks: the consolidation's row first, so that two admins don't do one step twice; then both accounts and the admin's own
in id order, and their right over both accounts is decided again; the services below find them locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

import audit.services
import notices.services
from accounts import services as accounts
from accounts.models import User
from consolidation.errors import ConsolidationError
from consolidation.evidence import missing_enrollments
from consolidation.mails import KIND
from consolidation.models import Consolidation, ConsolidationAct
from learning_records import services as records
from learning_records.models import Enrollment


def start(*, actor: User, account: User, other: User, origin: str = "") -> Consolidation:
    """Begin, or find the open consolidation of these two accounts. Raises ConsolidationError."""
    one, two = sorted((account.pk, other.pk))
    with transaction.atomic():
        accounts.lock_owners([one, two], actor_id=actor.pk)
        users = User.objects.in_bulk([one, two])
        _check_subjects(users[account.pk], users[other.pk])
        found, is_new = Consolidation.objects.get_or_create(
            one_id=one, other_id=two, finished_at=None, defaults={"started_by_id": actor.pk}
        )
        if is_new:
            _note(found, actor, "Started.", origin)
    return found


def choose_primary(*, actor: User, consolidation_id: int, account_id: int, origin: str = "") -> Consolidation:
    """Say which account is kept, whatever was suggested."""
    with transaction.atomic():
        consolidation = _open(consolidation_id, actor)
        if account_id not in (consolidation.one_id, consolidation.other_id):
            raise ConsolidationError("Choose one of the two accounts.", "not_one_of_them")
        consolidation.primary_id, consolidation.is_confirmed = account_id, False
        consolidation.save(update_fields=["primary", "is_confirmed"])
        _note(consolidation, actor, f"Chose account {account_id} as the primary account.", origin)
    return consolidation


def re_enroll(
    *, actor: User, consolidation_id: int, dates: Mapping[int, datetime | None], origin: str = ""
) -> list[Enrollment]:
    """Enroll the primary in courses that only the secondary has: enrollment of the secondary to completion date or None."""
    with transaction.atomic():
        consolidation, primary, secondary = _with_primary(consolidation_id, actor)
        missing = {row.pk: row for row in missing_enrollments(primary, secondary)}
        if unknown := dates.keys() - missing.keys():
            raise ConsolidationError(
                f"{len(unknown)} of these enrollments are not missing on the primary any more. Look at the list again.",
                "not_missing",
            )
        done = [_enroll_again(actor, primary, missing[pk], at, origin) for pk, at in dates.items()]
        for row in done:
            when = f", completed on {row.completed_at:%Y-%m-%d}" if row.completed_at else ""
            _note(consolidation, actor, f"Enrolled the primary account in {row.course}{when}.", origin)
    return done


def _enroll_again(actor: User, primary: User, row: Enrollment, at: datetime | None, origin: str) -> Enrollment:
    values = _completed(at) if at else {}
    return records.enroll(primary.pk, row.course_id, values, actor_id=actor.pk, origin=origin, by_hand=at is not None)


def set_completion_date(
    *, actor: User, consolidation_id: int, enrollment_id: int, at: datetime, origin: str = ""
) -> Enrollment:
    """Write the day on which the primary completed a course, as set by hand."""
    with transaction.atomic():
        consolidation, primary, _ = _with_primary(consolidation_id, actor)
        rows = Enrollment.objects.filter(user=primary, is_historical=False)
        enrollment = rows.filter(pk=enrollment_id).first()
        if enrollment is None:
            raise ConsolidationError("The primary has no such enrollment.", "unknown_enrollment")
        enrollment = records.update_enrollment(
            enrollment.pk, _completed(at), actor_id=actor.pk, origin=origin, by_hand=True
        )
        _note(consolidation, actor, f"Set the completion of {enrollment.course} to {at:%Y-%m-%d}.", origin)
    return enrollment


def _completed(at: datetime) -> dict[str, Any]:
    if at > timezone.now():
        raise ConsolidationError("A course can't be completed in the future. Choose today or an earlier day.", "future")
    return {"status": Enrollment.Status.COMPLETED, "completed_at": at}


def update_profile(*, actor: User, consolidation_id: int, changes: Mapping[str, Any], origin: str = "") -> User:
    """Write fields of the primary's profile. Raises the errors of accounts.services.update_user."""
    with transaction.atomic():
        consolidation, primary, _ = _with_primary(consolidation_id, actor)
        user = accounts.update_user(actor=actor, account_id=primary.pk, data=dict(changes), origin=origin)
        names = ", ".join(sorted(changes)).replace("_", " ")
        _note(consolidation, actor, f"Updated the profile of the primary account: {names}.", origin)
    return user


@dataclass(frozen=True)
class Ending:
    """How the person wants the secondary to end."""

    removal: str
    is_confirmed: bool
    takes_email: bool = False
    takes_username: bool = False
    notify: bool = False


def finish(*, actor: User, consolidation_id: int, ending: Ending, origin: str = "") -> Consolidation:
    """Remove the secondary as chosen, hand its e-mail and username over, and owe the person a mail where wished.

    Raises ConsolidationError and account errors.
    """
    with transaction.atomic():
        consolidation, primary, secondary = _with_primary(consolidation_id, actor, ends=True)
        if not ending.is_confirmed:
            raise ConsolidationError(
                "Confirm first that all needed information is on the primary account.", "not_confirmed"
            )
        handover = {
            field: getattr(secondary, field)
            for field, wanted in (("email", ending.takes_email), ("username", ending.takes_username))
            if wanted and getattr(secondary, field)
        }
        _remove(actor, consolidation, secondary, ending.removal, handover, origin)
        if handover:
            accounts.update_user(actor=actor, account_id=primary.pk, data=handover, origin=origin)
            _note(consolidation, actor, f"Took over the {' and '.join(handover)} of the removed account.", origin)
        consolidation.removal, consolidation.is_confirmed = ending.removal, True
        consolidation.finished_at = timezone.now()
        consolidation.save(update_fields=["removal", "is_confirmed", "finished_at"])
        if ending.notify:
            notices.services.queue(KIND, [primary.pk], about=consolidation.pk)
    return consolidation


def _remove(
    actor: User,
    consolidation: Consolidation,
    secondary: User,
    removal: str,
    handover: Mapping[str, str],
    origin: str,
) -> None:
    if removal == Consolidation.Removal.DELETED:
        accounts.delete_account(actor=actor, account_id=secondary.pk, origin=origin)
        _note(consolidation, actor, "Deleted the secondary account.", origin)
    elif removal == Consolidation.Removal.DEACTIVATED:
        if handover:
            raise ConsolidationError(
                "A deactivated account keeps its e-mail and username. Delete it, or change them there first.",
                "still_in_use",
            )
        if secondary.is_active:
            accounts.deactivate(actor=actor, account_id=secondary.pk, origin=origin)
        _note(consolidation, actor, "Deactivated the secondary account.", origin)
    else:
        raise ConsolidationError("Choose whether the secondary account is deleted or deactivated.", "no_removal")


def _check_subjects(account: User, other: User) -> None:
    if account.pk == other.pk:
        raise ConsolidationError("Choose two different accounts.", "same_account")
    for subject in (account, other):
        if not subject.is_learner:
            raise ConsolidationError(
                "Superadmins and power users can't be consolidated. Make the account a learner first.", "not_a_learner"
            )
        if subject.status == "deleted":
            raise ConsolidationError("A deleted account can't be consolidated.", "account_deleted")


def _open(consolidation_id: int, actor: User, *, ends: bool = False) -> Consolidation:
    """The consolidation, once the admin may still write for both accounts.

    `ends`: the step ends the secondary and changes the primary, which are locked as strongly at once.
    """
    consolidation = Consolidation.objects.select_for_update(no_key=True).get(pk=consolidation_id)  # one step at a time
    both = [consolidation.one_id, consolidation.other_id]
    if ends and consolidation.primary_id and consolidation.secondary_id:
        kept = [consolidation.primary_id]
        accounts.lock_to_change(consolidation.secondary_id, ends=True, others=kept, actor_id=actor.pk)
    accounts.lock_owners(both, actor_id=actor.pk)
    if consolidation.finished_at is not None:
        raise ConsolidationError("This consolidation has been finished.", "finished")
    return consolidation


def _with_primary(consolidation_id: int, actor: User, *, ends: bool = False) -> tuple[Consolidation, User, User]:
    """The open consolidation, its primary and its secondary."""
    consolidation = _open(consolidation_id, actor, ends=ends)
    if consolidation.primary_id is None or consolidation.secondary_id is None:
        raise ConsolidationError("Choose the primary account first.", "no_primary")
    users = User.objects.in_bulk([consolidation.one_id, consolidation.other_id])
    return consolidation, users[consolidation.primary_id], users[consolidation.secondary_id]


def _note(consolidation: Consolidation, actor: User, text: str, origin: str) -> None:
    """Written without names: the two accounts may be deleted, what was done stays."""
    act = ConsolidationAct.objects.create(consolidation=consolidation, actor_id=actor.pk, text=text[:500])
    subject = consolidation.secondary_id or consolidation.one_id
    detail = {"consolidation": consolidation.pk, "act": act.pk}
    audit.services.record("consolidation.step", actor_id=actor.pk, subject_id=subject, detail=detail, origin=origin)

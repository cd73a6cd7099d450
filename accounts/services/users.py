"""Making accounts and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

import audit.services
from accounts.errors import AccountDeleted, AccountMerged, FieldsInvalid, NotAllowed
from accounts.models import AssignedBranch, AssignedUser, Right, Role, Status, User
from accounts.services.access import end_access
from accounts.services.addresses import note_changed_addresses
from accounts.services.authority import as_now, check_change, check_creation
from accounts.services.fields import PRIVILEGED, Problems, clean, clean_password
from accounts.services.identifiers import as_problem, audit_detail, check_free
from accounts.services.lifecycle import (
    check_not_last_superadmin,
    deactivate,
    reactivate,
    superadmins_to_lock,
)
from accounts.services.locks import lock_to_change
from accounts.services.permissions import find_subject, lock_actor
from accounts.services.relations import own_branches, set_relations

RELEASABLE = frozenset({"username", "email", "status"})


def create_user(*, actor: User | None, data: Mapping[str, Any], origin: str = "") -> User:
    """Make an account from the fields of the REST contract; `username` and `email` are required.

    `actor` None is the command line. Superadmins may make anyone; power users with Users/Edit learners in branches of
    theirs. Raises FieldsInvalid, naming every field that is wrong, and NotAllowed.
    """
    problems = Problems()
    check_required(data, problems)
    with transaction.atomic():
        if actor is not None:
            actor = check_may_create(actor, data)
        check_privileged(actor, data)
        check_creation(actor, data)
        account = User()
        cleaned = clean(data, problems)
        fill(account, cleaned, data, problems)
        taken_over = check_free(account, cleaned, problems)
        if not problems.errors:
            _save(account)
            set_relations(actor, account, data, problems)
        if problems.errors:
            raise FieldsInvalid(problems.errors)
        detail: dict[str, Any] = {"role": account.role, **audit_detail(taken_over)}
        _audit("user.created", actor, account, detail, origin)
    return account


def update_user(*, actor: User, account_id: int, data: Mapping[str, Any], origin: str = "") -> User:
    """Change the named fields of an account and leave the others. Lists and `rights` are given whole.

    `profile` names the custom fields to change. `status` deactivates or reactivates. A new role or password ends every
    session and API token of the account. Of a merged, inactive account only the identifiers can be changed, which
    releases them for the survivor. Needs Users/Edit. Raises FieldsInvalid, UnknownAccount, NotAllowed, SignInAgain,
    AccountDeleted, AccountMerged, LastSuperadmin.
    """
    with transaction.atomic():
        demotes = superadmins_to_lock(account_id) if "role" in data else []
        lock_to_change(account_id, ends="status" in data, others=demotes, actor_id=actor.pk)
        account = find_subject(actor, account_id, Right.EDIT)
        actor = as_now(actor)
        _check_state(actor, account, data)
        check_privileged(actor, data)
        check_change(actor, account, data)
        changed, taken_over = _change(actor, account, data)
        if changed:
            detail: dict[str, Any] = {"fields": changed, **audit_detail(taken_over)}
            if "role" in changed:
                detail["role"] = account.role
            _audit("user.updated", actor, account, detail, origin)
        return _change_status(actor, account, data, origin)


def _change(actor: User, account: User, data: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """Write what differs; answers the names of the changed fields and what was taken over."""
    problems = Problems()
    cleaned = clean(data, problems)
    cleaned.pop("status", None)
    old_address = account.email
    if cleaned.get("username", ...) == "":
        problems.add("username", "blank", "An account needs a username.")
    if cleaned.get("role", Role.SUPERADMIN) != Role.SUPERADMIN:
        check_not_last_superadmin(account)
    changed = [name for name, value in cleaned.items() if getattr(account, name) != value]
    fill(account, cleaned, data, problems)
    taken_over = check_free(account, changed, problems, actor=actor)
    if not problems.errors:
        _save(account)
        if "role" in changed:
            _end_assignments(account)
        changed += ["password"] * ("password" in data)
        note_changed_addresses([(account.pk, old_address, account.email)])
        if {"role", "password"} & set(changed):
            end_access([account.pk])
        changed += set_relations(actor, account, data, problems)
    if problems.errors:
        raise FieldsInvalid(problems.errors)
    return changed, taken_over


def fill(account: User, cleaned: Mapping[str, Any], data: Mapping[str, Any], problems: Problems) -> None:
    if "email" in cleaned and cleaned["email"].lower() != account.email.lower():
        account.email_state = "unverified"
    for name, value in cleaned.items():
        setattr(account, name, value)
    if account.role != Role.POWER_USER:
        if cleaned.get("rights"):
            problems.add("rights", "not_a_power_user", "Only power users hold rights; superadmins hold them all.")
        account.rights = []
    if "password" in data:
        clean_password(data["password"], account, problems)
        if not problems.errors:
            account.set_password(data["password"])
    elif account._state.adding:
        account.set_unusable_password()


def _save(account: User) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        raise as_problem(error) from error


def _end_assignments(account: User) -> None:
    """Somebody who is a power user no more keeps nothing that would come back with the role."""
    AssignedUser.objects.filter(power_user=account).delete()
    AssignedBranch.objects.filter(power_user=account).delete()


def check_required(data: Mapping[str, Any], problems: Problems) -> None:
    for name in ("username", "email"):
        if data.get(name) in (None, ""):
            problems.add(name, "required", "This field is required.")


def check_may_create(actor: User, data: Mapping[str, Any]) -> User:
    lock_actor(actor.pk)
    actor = as_now(actor)
    if not (actor.has_right(Right.VIEW) and actor.has_right(Right.EDIT)):
        raise NotAllowed(
            "You may not create users. It takes a superadmin, or a power user with Users/View and Users/Edit."
        )
    own = own_branches(actor)
    if own is not None and not data.get("branches"):
        detail = "Choose at least one of your branches, or you wouldn't see the new account."
        raise FieldsInvalid([{"field": "branches", "code": "required", "detail": detail}])
    return actor


def check_privileged(actor: User | None, data: Mapping[str, Any]) -> None:
    """Role, rights and assignments are a superadmin's to give."""
    if actor is None or actor.is_superadmin or not set(PRIVILEGED) & data.keys():
        return
    raise NotAllowed("Only a superadmin may set role, rights and assignments.")


def _check_state(actor: User, account: User, data: Mapping[str, Any]) -> None:
    if account.status == Status.DELETED:
        raise AccountDeleted
    if account.merged_into_id and account.status == Status.INACTIVE and data.keys() - RELEASABLE:
        survivor = account.survivor()
        seen = User.objects.visible_to(actor).filter(pk=survivor.pk).exists()
        raise AccountMerged(facts={"survivor": survivor.pk} if seen else {})


def _change_status(actor: User, account: User, data: Mapping[str, Any], origin: str) -> User:
    wanted = data.get("status", account.status)
    if wanted == account.status:
        return account
    act = reactivate if wanted == Status.ACTIVE else deactivate
    return act(actor=actor, account_id=account.pk, origin=origin)


def _audit(action: str, actor: User | None, account: User, detail: Mapping[str, Any], origin: str) -> None:
    actor_id = actor.pk if actor else None
    audit.services.record(action, actor_id=actor_id, subject_id=account.pk, detail=detail, origin=origin)

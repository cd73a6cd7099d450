"""The tree of branches: superadmins create, rename and move."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import connection, transaction

import audit.services
from accounts.errors import FieldsInvalid, NotAllowed, UnknownAccount
from accounts.models import Branch, User
from accounts.services.permissions import lock_actor


def create_branch(*, actor: User, name: str, parent_id: int | None = None, origin: str = "") -> Branch:
    """A new branch, below another one or at the top. Raises FieldsInvalid and NotAllowed."""
    return _keep(actor, Branch(), name, parent_id, "branch.created", origin)


def change_branch(*, actor: User, branch_id: int, name: str, parent_id: int | None = None, origin: str = "") -> Branch:
    """Rename it, or move it with everything below it. Raises FieldsInvalid, NotAllowed and UnknownAccount."""
    branch = Branch.objects.filter(pk=branch_id).first()
    if branch is None:
        raise UnknownAccount("There is no such branch.")
    return _keep(actor, branch, name, parent_id, "branch.changed", origin)


def _keep(actor: User, branch: Branch, name: str, parent_id: int | None, action: str, origin: str) -> Branch:
    with transaction.atomic(), connection.cursor() as cursor:
        if not lock_actor(actor.pk).is_superadmin:
            raise NotAllowed("Only a superadmin may change branches.")
        # Two moves at once could make a circle that neither sees. Reading goes on meanwhile.
        cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Branch._meta.db_table)} IN SHARE ROW EXCLUSIVE MODE")
        branch.name, branch.parent_id = name.replace("\x00", "").strip(), parent_id
        try:
            branch.full_clean()
        except ValidationError as error:
            raise FieldsInvalid(_errors(error)) from error
        branch.save()
        detail = {"branch": branch.pk, "parent": parent_id}
        audit.services.record(action, actor_id=actor.pk, subject_id=None, detail=detail, origin=origin)
    return branch


def _errors(error: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": field, "code": one.code or "invalid", "detail": " ".join(one.messages)}
        for field, found in error.error_dict.items()
        for one in found
    ]

"""Rows that belong to an account: who sees them, who writes them, and on whom they land."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from django.db import models, transaction
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

import audit.services
from accounts.errors import UnknownAccount
from accounts.models import Right, User
from accounts.services import lock_actor, lock_for_writing, lock_owners
from accounts.services.permissions import writable_by
from rest_contract import filters
from rest_contract.problems import Conflict, Forbidden
from rest_contract.views import Row, Rows, WritableRows, missing, origin_of, unknown

ATTEMPTS: Final = 5
SURVIVOR_HEADER = "Written-To-Survivor"


def actor_of(request: Request) -> User:
    """The signed-in account; permissions made sure that there is one."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    return request.user


def need_right(actor: User, right: Right = Right.EDIT) -> None:
    if not actor.has_right(right):
        raise Forbidden("right_missing", f"This takes a superadmin, or a power user with {right.label}.")


def need_superadmin(actor: User) -> None:
    if not actor.is_superadmin:
        raise Forbidden("right_missing", "This takes a superadmin.")


class CatalogueRows(WritableRows):
    """What anybody signed in may read, and a superadmin may write."""

    def may_write(self) -> None:
        need_superadmin(actor_of(self.request))

    def insert(self, rows: list[Row]) -> list[Any]:
        self.prove()
        made = super().insert(rows)
        self.note("created", made)
        return made

    def change(self, row: Any, values: Row) -> Any:
        self.prove()
        changed = super().change(row, values)
        self.note("changed", [row])
        return changed

    def prove(self) -> None:
        """Again, under lock: a right may have ended since the request came in."""
        need_superadmin(lock_actor(actor_of(self.request).pk))

    def note(self, what: str, rows: Sequence[Any], subject_id: int | None = None) -> None:
        """One audit entry for all rows of the request."""
        audit.services.record(
            f"{self.model._meta.model_name}.{what}",
            actor_id=actor_of(self.request).pk,
            subject_id=subject_id,
            detail={"ids": [row.pk for row in rows]},
            origin=origin_of(self.request),
        )


class ListedIds:
    """Mixin for many-to-many ids: `lists` maps a field to its through model, the column of this side and the other."""

    lists: ClassVar[dict[str, tuple[type[models.Model], str, str]]] = {}

    def show(self, rows: Sequence[Any]) -> list[Any]:
        for name, (through, mine, other) in self.lists.items():
            pairs = through._default_manager.filter(**{f"{mine}__in": [row.pk for row in rows]})
            found: dict[int, list[int]] = {}
            for owner, one in pairs.order_by("id").values_list(f"{mine}_id", f"{other}_id"):
                found.setdefault(owner, []).append(one)
            for row in rows:
                row.__dict__[f"{name}_ids"] = found.get(row.pk, [])
        return super().show(rows)  # type: ignore[misc, no-any-return]

    def insert(self, rows: list[Row]) -> list[Any]:
        listed = [{name: row.pop(name) for name in self.lists if name in row} for row in rows]
        made = super().insert(rows)  # type: ignore[misc]
        self._store(list(zip(made, listed, strict=True)))
        return made  # type: ignore[no-any-return]

    def change(self, row: Any, values: Row) -> Any:
        listed = {name: values.pop(name) for name in self.lists if name in values}
        changed = super().change(row, values)  # type: ignore[misc]
        for name in listed:
            through, mine, _ = self.lists[name]
            through._default_manager.filter(**{mine: row.pk}).delete()
        self._store([(row, listed)])
        return changed

    def _store(self, pairs: Iterable[tuple[Any, Row]]) -> None:
        listed = list(pairs)
        for name, (through, mine, other) in self.lists.items():
            through._default_manager.bulk_create(
                [
                    through(**{f"{mine}_id": row.pk, f"{other}_id": one, **self.more_columns(name, place)})
                    for row, values in listed
                    for place, one in enumerate(values.get(name, ()))
                ]
            )

    def more_columns(self, name: str, place: int) -> Row:
        """Other columns of the through row."""
        return {}


@contextmanager
def in_sight() -> Iterator[None]:
    """Around a write to what an address names: the answer for what is out of sight is that of an unknown address."""
    try:
        yield
    except UnknownAccount as error:
        raise Http404 from error


def _refuse_deleted(gone: set[int]) -> None:
    if gone:
        raise Conflict("account_deleted", "The account was deleted.", accounts=sorted(gone))


class ReadableOwnedRows(Rows):
    """Rows of the accounts that the caller may see. `owner` is the path to the account; `masks` name other accounts."""

    owner: ClassVar[str] = "user"
    personal = True
    masks: ClassVar[tuple[str, ...]] = ()
    filters = {"user": filters.by_id("user")}

    def scope(self) -> QuerySet[Any]:
        actor = actor_of(self.request)
        rows = super().scope()
        if actor.is_superadmin:
            return rows
        return rows.filter(**{f"{self.owner}__in": User.objects.visible_to(actor).order_by().values("pk")})

    def show(self, rows: Sequence[Any]) -> list[Any]:
        """Other accounts that the caller may not know of are left out."""
        shown = super().show(rows)
        actor = actor_of(self.request)
        if self.masks and not actor.is_superadmin:
            named = {row[name] for row in shown for name in self.masks if row[name] is not None}
            seen = set(User.objects.visible_to(actor).filter(pk__in=named).values_list("pk", flat=True))
            for row in shown:
                row.update({name: None for name in self.masks if row[name] not in seen})
        return shown


class OwnedRows(ReadableOwnedRows, CatalogueRows):
    """Rows that are written for an account: with Users/Edit, for visible learners."""

    answer_headers = {
        SURVIVOR_HEADER: "Pairs of ids, `12=7`: what was sent for merged account 12 was written for its survivor 7."
    }

    def may_write(self) -> None:
        need_right(actor_of(self.request))

    def may_change(self, row: Any) -> None:
        owner = self.owner_of(row)
        if not writable_by(actor_of(self.request)).filter(pk=owner).exists():
            raise Forbidden("not_a_learner", "Only a superadmin may write for this account.")

    def owner_of(self, row: Any) -> int:
        return int(row.user_id)

    def referable(self, model: type[models.Model], name: str) -> QuerySet[Any]:
        return writable_by(actor_of(self.request)) if model is User else super().referable(model, name)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.redirected: dict[int, int] = {}
        response = super().create(request, *args, **kwargs)
        if self.redirected:
            response[SURVIVOR_HEADER] = ", ".join(f"{old}={new}" for old, new in sorted(self.redirected.items())[:50])
        return response

    def insert(self, rows: list[Row]) -> list[Any]:
        """Lock the accounts, and write for the survivors of those that were merged and are inactive."""
        targets = self.lock(rows)
        return super().insert([{**row, "user": targets[row["user"]]} for row in rows])

    def change(self, row: Any, values: Row) -> Any:
        self.lock_row(row)
        return super().change(row, values)

    def prove(self) -> None:
        """Done with the locks of the accounts."""

    def lock(self, rows: Sequence[Row]) -> dict[int, int]:
        """For each account that new rows name, the one to write to, once the caller may write for it.

        One that the caller may not see, or whose survivor they may not see, is as if it didn't exist. Raises Conflict
        for a deleted account.
        """
        wanted = {row["user"] for row in rows}
        try:
            targets = lock_for_writing(wanted, actor_id=actor_of(self.request).pk)
        except UnknownAccount as error:
            places = [place for place, row in enumerate(rows) if row["user"] in error.account_ids]
            raise unknown([missing(f"{place}.user" if self.many else "user") for place in places]) from error
        _refuse_deleted(wanted - targets.keys())
        self.redirected = {old: new for old, new in targets.items() if old != new}
        return targets

    def lock_row(self, row: Any) -> None:
        """Lock the account that holds the row and read the row again; what is out of sight by now isn't there.

        When a merge moved the row meanwhile, the locks are given back and taken anew.
        """
        for _ in range(ATTEMPTS):
            mark, owner = transaction.savepoint(), self.owner_of(row)
            with in_sight():
                _refuse_deleted({owner} - lock_owners([owner], actor_id=actor_of(self.request).pk))
            row.refresh_from_db()
            if self.owner_of(row) == owner:
                transaction.savepoint_commit(mark)
                return
            transaction.savepoint_rollback(mark)
        raise Conflict("accounts_are_busy", "The account is being merged. Try again in a moment.")

    def note(self, what: str, rows: Sequence[Any], subject_id: int | None = None) -> None:
        owners = {self.owner_of(row) for row in rows}
        super().note(what, rows, owners.pop() if len(owners) == 1 else None)

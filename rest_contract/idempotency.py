"""The same POST with the same `Idempotency-Key` is done once, and answered the same way each time.

The key's row is inserted first and in the transaction of the work, so whoever comes second waits at the database until
the first is done, then reads its answer. A wait that takes too long is answered with 409.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, ClassVar

from django.db import Error, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from rest_contract.models import IdempotencyKey
from rest_contract.outages import sqlstate
from rest_contract.problems import MEDIA_TYPE, Conflict, Invalid, Problem, as_problem, field_error, respond
from sealing import CannotUnseal, is_sealed, seal, unseal

KEPT = timedelta(hours=24)
PATIENCE = "8s"
LOCK_TIMEOUT = "55P03"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
UNSTORED = frozenset({401, 403, 413, 415, 429})


class OncePerKey:
    """View mixin: any POST with an `Idempotency-Key` goes through `once`, or `once_apart` where a view asks for it."""

    keeps_failures: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After authentication, put the idempotent way around the handler of a POST."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None or not hasattr(self, "post"):
            return
        if not KEY.fullmatch(key):
            raise Invalid(field_error("Idempotency-Key", "invalid", "Give 1 to 255 visible ASCII characters."))
        handler = self.post

        way = once_apart if self.keeps_failures else once

        def once_only(request: Request, *args: Any, **kwargs: Any) -> Response:
            return way(request, key, lambda: handler(request, *args, **kwargs))

        self.post: Callable[..., Response] = once_only


def once(request: Request, key: str, work: Callable[[], Response]) -> Response:
    """Do the work and keep its answer, or give the answer that is kept."""
    key = hidden(key)
    asked = _fingerprint(request)
    with transaction.atomic():
        row, is_new = _claim(request.user.pk, key, asked)
        if not is_new:
            return _replay(row, asked)
        response = _attempt(work)
        _keep(row, response)
    return response


def once_apart(request: Request, key: str, work: Callable[[], Response]) -> Response:
    """As `once`, for work that must keep what it wrote when it is refused, such as a count of wrong passwords.

    The key's row is committed first, without an answer. Its owner holds the key by a lock that dies with the process;
    whoever has the lock and finds such a row knows that its owner died, and begins anew. Work that was committed at
    that moment is asked for again, so it must be harmless twice, as a link of what is linked is.
    """
    key, asked = hidden(key), _fingerprint(request)
    with _held(request.user.pk, key):
        IdempotencyKey.objects.filter(owner=request.user.pk, key=key, status=0).delete()
        with transaction.atomic():
            row, is_new = _claim(request.user.pk, key, asked)
        return _work_apart(row, work) if is_new else _replay(row, asked)


def _work_apart(row: IdempotencyKey, work: Callable[[], Response]) -> Response:
    try:
        response = work()
    except Exception as error:
        problem = as_problem(error)
        if problem is None or problem.status_code >= 500 or problem.status_code in UNSTORED:
            row.delete()
            raise
        response = respond(problem)
    _keep(row, response)
    return response


@contextmanager
def _held(owner_id: int | None, key: str) -> Iterator[None]:
    """Have the key for oneself, by an advisory lock of this connection, not of a transaction: there are several."""
    name = f"idempotency {owner_id} {key}"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
    except OperationalError as error:
        raise (_still_running() if sqlstate(error) == LOCK_TIMEOUT else error) from None
    try:
        yield
    finally:
        with suppress(Error), connection.cursor() as cursor:  # a connection that died took its locks along
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def hidden(key: str) -> str:
    """A keyed hash, by which the key is found again: callers make keys of names and addresses too."""
    return salted_hmac("rest_contract.idempotency.key", key, algorithm="sha256").hexdigest()


def _fingerprint(request: Request) -> str:
    """A keyed hash: bodies may hold passwords."""
    text = json.dumps([request.method, request.get_full_path(), request.data], sort_keys=True)
    return salted_hmac("rest_contract.idempotency", text, algorithm="sha256").hexdigest()


def _claim(owner_id: int | None, key: str, asked: str) -> tuple[IdempotencyKey, bool]:
    """Insert the key's row, or find the one that is there. Waits for another request with this key to end."""
    IdempotencyKey.objects.filter(owner=owner_id, key=key, at__lt=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            cursor.execute(
                """INSERT INTO rest_contract_idempotencykey (owner_id, key, fingerprint, status, headers, body)
                   VALUES (%s, %s, %s, 0, '{}', '') ON CONFLICT (owner_id, key) DO NOTHING""",
                [owner_id, key, asked],
            )
            is_new = cursor.rowcount == 1
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        if sqlstate(error) == LOCK_TIMEOUT:
            raise _still_running() from None
        raise
    return IdempotencyKey.objects.get(owner=owner_id, key=key), is_new


def _still_running() -> Conflict:
    return Conflict("still_running", "A request with this key is still running. Ask again in a moment.")


def _attempt(work: Callable[[], Response]) -> Response:
    """The answer of the work. A refusal takes the work back, not the key's row; a fault takes back both."""
    try:
        with transaction.atomic():
            return work()
    except Exception as error:
        problem = as_problem(error)
        if problem is None or problem.status_code >= 500 or problem.status_code in UNSTORED:
            raise
        return respond(problem)


def _keep(row: IdempotencyKey, response: Response) -> None:
    body = JSONRenderer().render(response.data).decode()
    row.status, row.body = response.status_code, seal(body) if getattr(response, "holds_secret", False) else body
    row.headers = {name: value for name, value in response.headers.items() if name not in ("Allow", "Vary")}
    row.save(update_fields=["status", "body", "headers"])


def _replay(row: IdempotencyKey, asked: str) -> Response:
    if row.fingerprint != asked:
        raise Problem(422, "key_reused", "This Idempotency-Key was used for another request.")
    if not row.status:
        raise _still_running()
    kind = MEDIA_TYPE if row.status >= 400 else None
    response = Response(_kept(row), status=row.status, content_type=kind)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


def _kept(row: IdempotencyKey) -> Any:
    """The body as it was answered. A view seals one that shows a secret by setting `holds_secret` on its response."""
    try:
        body = unseal(row.body) if is_sealed(row.body) else row.body
    except CannotUnseal:
        raise Conflict("answer_lost", "It was done, and its answer can't be read any more: the key is lost.") from None
    return json.loads(body) if body else None


def forget_old_keys() -> int:
    """Remove keys older than a day; how many."""
    gone, _ = IdempotencyKey.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return gone

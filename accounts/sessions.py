"""Sessions in PostgreSQL that know their account, and end: after a pause, and after a day's work in any case."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone

from rest_contract.outages import is_outage

if TYPE_CHECKING:
    from accounts.models import Session

STARTED, BROWSER, ADDRESS = "session_started_at", "session_browser", "session_address"
STEP = timedelta(minutes=1)  # how exactly the last activity is known: a write a minute, not one a request


class SessionStore(DatabaseStore):
    """SESSION_ENGINE of the portal.

    What a sign-in noted (`note_start`) lies in the data, so that it goes along when the session gets a new key.
    """

    @classmethod
    def get_model_class(cls) -> type[Session]:
        from accounts.models import Session

        return Session

    def save(self, must_create: bool = False) -> None:
        """Django takes whatever fails here for a session that is gone; a database that is gone is another matter."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if is_outage(error.__context__):
                raise error.__context__ from None  # type: ignore[misc]
            raise

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session: Session = super().create_model_instance(data)  # type: ignore[assignment]
        account = data.get(SESSION_KEY)
        session.account_id = int(account) if account else None
        session.last_active_at = timezone.now()
        started = data.get(STARTED)
        session.started_at = datetime.fromtimestamp(started, UTC) if started else session.last_active_at
        session.browser, session.address = data.get(BROWSER, ""), data.get(ADDRESS, "")
        return session

    def _get_session_from_db(self) -> Session | None:
        """The row, unless its time is over; it is then as if it had never been."""
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        if row is None or row.account_id is None:
            return row
        if not row.is_alive():
            self._session_key = None  # the row goes with the next sweep
            return None
        self._note_activity(row)
        return row

    def _note_activity(self, row: Session) -> None:
        now = timezone.now()
        if now - row.last_active_at < STEP:
            return
        # Reading must go on where nothing can be written, on a full disk for instance.
        with suppress(DatabaseError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(last_active_at=now)


def note_start(request: HttpRequest) -> None:
    """A sign-in: the time from which the session may last, and what its owner will recognise it by."""
    request.session[STARTED] = int(timezone.now().timestamp())
    request.session[BROWSER] = str(request.META.get("HTTP_USER_AGENT", "")).replace("\x00", "")[:300]
    request.session[ADDRESS] = str(request.META.get("REMOTE_ADDR") or "")[:45]


def idle_limit() -> timedelta:
    return timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def absolute_limit() -> timedelta:
    return timedelta(hours=settings.SESSION_ABSOLUTE_HOURS)

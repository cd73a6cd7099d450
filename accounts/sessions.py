"""Sessions in PostgreSQL that know their account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from rest_contract.outages import is_outage

if TYPE_CHECKING:
    from accounts.models import Session


class SessionStore(DatabaseStore):
    """SESSION_ENGINE of the portal."""

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
        return session

"""What power users may see, the tokens of integrators, and the failures that guard passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.browsers import in_words
from accounts.models.branches import Branch

if TYPE_CHECKING:
    from accounts.sessions import SessionStore


class AssignedUser(models.Model):
    """`user` is assigned to `power_user` directly."""

    power_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assigned_users")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["power_user", "user"], name="assigned_once")]

    def __str__(self) -> str:
        return f"{self.user_id} to {self.power_user_id}"


class AssignedBranch(models.Model):
    """Everybody in `branch`, or below it, is assigned to `power_user`."""

    power_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assigned_branches")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["power_user", "branch"], name="branch_assigned_once")]

    def __str__(self) -> str:
        return f"{self.branch_id} to {self.power_user_id}"


class ApiToken(models.Model):
    """A key that acts with its owner's rights, within its scopes, until it expires. Only its hash is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Write records and accounts"
        MERGE = "merge", "Merge accounts"
        UNDO = "undo", "Undo merges"
        ADMIN = "admin", "Administer roles, staff and passwords"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100)
    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, hexadecimal")
    start = models.CharField(max_length=8, help_text="first characters of the key, to tell tokens apart")
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices), default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    def allows(self, scope: str) -> bool:
        """Whether the token may be used for this."""
        return scope in self.scopes


class Session(AbstractBaseSession):
    """A signed-in browser. The account stands beside the data, so that its sessions can be ended at once.

    It ends SESSION_IDLE_MINUTES after the last request, and SESSION_ABSOLUTE_HOURS after the sign-in in any case.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(db_default=Now())
    last_active_at = models.DateTimeField(db_default=Now(), help_text="to the minute")
    browser = models.CharField(max_length=300, blank=True, default="", help_text="as it describes itself")
    address = models.CharField(max_length=45, blank=True, default="", help_text="of the sign-in")

    class Meta(AbstractBaseSession.Meta):
        indexes = [
            models.Index(fields=["last_active_at"], name="sessions_by_activity"),
            models.Index(fields=["started_at"], name="sessions_by_start"),
        ]

    def is_alive(self) -> bool:
        """Whether neither limit has been reached."""
        from accounts.sessions import absolute_limit, idle_limit

        now = timezone.now()
        return now - self.last_active_at <= idle_limit() and now - self.started_at <= absolute_limit()

    @property
    def handle(self) -> str:
        """What pages call it by: the key itself would open the account."""
        return salted_hmac("accounts.session.handle", self.session_key, algorithm="sha256").hexdigest()[:32]

    @property
    def browser_in_words(self) -> str:
        return in_words(self.browser)

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        from accounts.sessions import SessionStore

        return SessionStore


class SignInFailure(models.Model):
    """One refused password, or one that is being looked at just now. Old ones are forgotten.

    Counted per caller and per target; without a target for the caller alone.
    """

    caller = models.CharField(max_length=100, help_text="address, known browser, session, or the account that asked")
    target = models.CharField(max_length=254, help_text="keyed hash of the name that was typed")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["caller", "at"], name="failures_of_caller"),
            models.Index(fields=["target", "at"], name="failures_on_target"),
            models.Index(fields=["at"], name="failures_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} on {self.target}"

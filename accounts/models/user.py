"""The account: one sign-in of one person."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Lower, Now
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from accounts.models import search


class Role(models.TextChoices):
    LEARNER = "learner", "Learner"
    POWER_USER = "power_user", "Power user"
    SUPERADMIN = "superadmin", "Superadmin"


class Status(models.TextChoices):
    """active: may sign in; inactive: may not, keeps everything; deleted: erased, can't be reinstated."""

    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    DELETED = "deleted", "Deleted"


class Right(models.TextChoices):
    VIEW = "users.view", "Users/View"
    EDIT = "users.edit", "Users/Edit"
    DELETE = "users.delete", "Users/Delete"


class UserQuerySet(models.QuerySet["User"]):
    def present(self) -> UserQuerySet:
        """Everyone but the deleted."""
        return self.exclude(status=Status.DELETED)

    def by_username(self, username: str) -> UserQuerySet:
        """The one with this username, whatever its case; PostgreSQL lowers both, as its unique index does."""
        return self.filter(Exact(Lower("username"), Lower(Value(username))))

    def by_email(self, email: str) -> UserQuerySet:
        return self.filter(Exact(Lower("email"), Lower(Value(email)))) if email else self.none()

    def learners(self) -> UserQuerySet:
        return self.filter(role=Role.LEARNER)

    def visible_to(self, actor: Any) -> UserQuerySet:
        """The accounts that `actor` may know of. Every door starts here; nobody signed in sees nobody.

        Superadmins see all. Power users holding Users/View see the learners assigned to them, directly or by
        branch (a branch includes those below it, and accounts whose place there a merge took), and themselves.
        Learners see themselves.
        """
        if not getattr(actor, "is_authenticated", False) or actor.status != Status.ACTIVE:
            return self.none()
        if actor.role == Role.SUPERADMIN:
            return self
        if actor.role == Role.POWER_USER and Right.VIEW in actor.rights:
            return self.filter(Q(pk=actor.pk) | Q(role=Role.LEARNER) & _assigned_to(actor))
        return self.filter(pk=actor.pk)

    def searched(self, text: str) -> UserQuerySet:
        """Those whose name, username, e-mail address or employee number begins with `text`; all when it is empty."""
        wanted = search.normalised(text)
        if not wanted:
            return self
        keys = {f"by_{name}": key for name, key in search.KEYS.items()}
        return self.alias(**keys).filter(reduce(or_, (search.begins_with(name, wanted) for name in keys)))

    def matching(self, actor: Any, text: str, limit: int) -> list[User]:
        """At most `limit` accounts of these that `actor` may see, for a picker; by name first, then by identifiers.

        A superadmin's answer takes a millisecond among a million accounts.
        """
        wanted = search.normalised(text)
        if not wanted:
            return []
        sees_all = getattr(actor, "is_superadmin", False)
        found = self._probed(wanted, limit)[:limit] if sees_all else self._nearest(actor, wanted, limit)
        users = self.model.objects.in_bulk(found)
        return [users[pk] for pk in found if pk in users]

    def _nearest(self, actor: Any, text: str, limit: int) -> list[int]:
        """Those that `actor` sees among the nearest matches; only when they are too few, among all matches."""
        visible = self.visible_to(actor)
        near = self._probed(text, search.NEAREST)
        seen = set(visible.order_by().filter(pk__in=near).values_list("pk", flat=True))
        found = [pk for pk in near if pk in seen]
        if len(found) < limit and len(near) >= search.NEAREST:
            found = visible._probed(text, limit)
        return found[:limit]

    def _probed(self, text: str, limit: int) -> list[int]:
        """Ids by one ordered, limited probe per key; each account once."""
        scope = self.present().order_by()
        probes = [
            scope.annotate(key=key)
            .filter(search.begins_with("key", text))
            .order_by("key", "pk")
            .values_list("pk")[:limit]
            for key in search.KEYS.values()
        ]
        return list(dict.fromkeys(pk for (pk,) in probes[0].union(*probes[1:], all=True)))


def _assigned_to(actor: User) -> Q:
    from accounts.models.branches import Branch, BranchMembership
    from accounts.models.rights import AssignedBranch, AssignedUser

    tops = AssignedBranch.objects.filter(power_user=actor).values_list("branch_id", flat=True)
    branches = Branch.ids_with_descendants(tops)
    direct = AssignedUser.objects.filter(power_user=actor, user=OuterRef("pk"))
    places = BranchMembership.objects.filter(branch_id__in=branches)
    by_branch = places.filter(user=OuterRef("pk"))
    merged_away = places.filter(merged_from=OuterRef("pk"))
    return Q(Exists(direct)) | Q(Exists(by_branch)) | Q(Exists(merged_away))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, username: str, email: str = "", password: str | None = None, **fields: Any) -> User:
        user: User = self.model(username=username, email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, email: str = "", password: str | None = None, **fields: Any) -> User:
        return self.create_user(username, email, password, role=Role.SUPERADMIN, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.by_username(username or "").get()  # type: ignore[no-any-return]


class User(AbstractBaseUser):
    """One account. `merged_into` names the account that took its data; chains end at the survivor.

    Usernames and e-mail addresses are unique whatever their case. `session_epoch` only grows: each step ends
    every session and password-reset link of the account for good.
    """

    username = models.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    email = models.EmailField(blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.LEARNER)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    employee_number = models.CharField(max_length=100, blank=True)
    external_id = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    job_title = models.CharField(max_length=150, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=10, blank=True, default="en")
    timezone = models.CharField(max_length=50, blank=True, default="UTC")
    email_state = models.CharField(
        max_length=10, default="unverified", choices=[(s, s.title()) for s in ("unverified", "verified", "bounced")]
    )
    rights = ArrayField(models.CharField(max_length=20, choices=Right.choices), default=list, blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged_accounts")
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    # What the request proved, set by the door that let this actor in, never stored. None: no token limits the actor.
    token_scopes: frozenset[str] | None = None
    has_proven_password: bool = True  # False in a browser whose last sign-in is too long ago

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects = UserManager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_username", violation_error_message="Already in use."),
            models.UniqueConstraint(
                Lower("email"), name="one_email", condition=~Q(email=""), violation_error_message="Already in use."
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="known_role"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="known_status"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="not_merged_into_itself"),
        ]
        indexes = [
            models.Index(fields=["status", "last_name", "first_name", "id"], name="users_report"),
            models.Index(fields=["employee_number"], name="by_employee_number", condition=~Q(employee_number="")),
            models.Index(fields=["external_id"], name="by_external_id", condition=~Q(external_id="")),
            # Whatever its case, a number may not be what another person signs in with
            models.Index(Lower("employee_number"), name="lower_employee_number", condition=~Q(employee_number="")),
            models.Index(Lower("external_id"), name="lower_external_id", condition=~Q(external_id="")),
            models.Index(fields=["role", "id"], name="privileged_users", condition=~Q(role="learner")),
            *search.INDEXES,
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        return self.is_superadmin

    @property
    def is_superuser(self) -> bool:
        return self.is_superadmin

    @property
    def is_superadmin(self) -> bool:
        return self.role == Role.SUPERADMIN and self.is_active

    @property
    def is_learner(self) -> bool:
        return self.role == Role.LEARNER

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def has_right(self, right: str) -> bool:
        """Whether this account may do it to somebody; superadmins hold every right."""
        if not self.is_active:
            return False
        return self.is_superadmin or (self.role == Role.POWER_USER and right in self.rights)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_superadmin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_superadmin

    def survivor(self) -> User:
        """The account that this one's data lives on: itself, unless it was merged."""
        account = self
        while account.merged_into is not None:
            account = account.merged_into
        return account

    def get_session_auth_hash(self) -> str:
        return self._epoch_hash()

    def get_session_auth_fallback_hash(self) -> Any:
        from django.conf import settings

        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._epoch_hash(secret)

    def _epoch_hash(self, secret: str | bytes | None = None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

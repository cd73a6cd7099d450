"""Custom profile fields, and the old identifiers that still find an account."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now

RESERVED_KEYS = (
    "username",
    "email",
    "password",
    "first_name",
    "last_name",
    "phone",
    "job_title",
    "language",
    "timezone",
    "employee_number",
    "external_id",
    "birth_date",
)


class ProfileField(models.Model):
    """A field that this organisation added to every profile. Its key is none of the built-in fields'."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        CHOICE = "choice", "Choice"
        YES_NO = "yes_no", "Yes or no"

    key = models.SlugField(max_length=50, unique=True)
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.TEXT)
    options = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(key__in=RESERVED_KEYS),
                name="key_is_not_built_in",
                violation_error_message="This is the key of a built-in field.",
            )
        ]

    def __str__(self) -> str:
        return self.label


class ProfileValue(models.Model):
    """What one account holds in one custom field, as text in the field's own notation."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="profile_values")
    field = models.ForeignKey(ProfileField, models.CASCADE, related_name="values")
    value = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "field"], name="one_value_per_field")]

    def __str__(self) -> str:
        return self.value


class Alias(models.Model):
    """An old identifier of a merged account. It finds `user`, and from there the survivor."""

    class Kind(models.TextChoices):
        USERNAME = "username", "Username"
        EMAIL = "email", "E-mail"
        EMPLOYEE_NUMBER = "employee_number", "Employee number"
        EXTERNAL_ID = "external_id", "External id"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="aliases")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    value = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint("kind", Lower("value"), "user", name="one_alias")]
        indexes = [models.Index(Lower("value"), name="alias_by_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

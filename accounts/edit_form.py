"""The form that creates and edits an account. It parses; what may be kept is for the service to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from accounts.errors import AmbiguousIdentifier, FieldsInvalid
from accounts.models import ProfileField, Right, Role, User
from accounts.report import branches_of
from accounts.services import find_by_identifier

TEXTS = {
    "username": "Username",
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "employee_number": "Employee number",
    "external_id": "External id",
    "phone": "Phone",
    "job_title": "Job title",
}
YES_NO = (("", "not set"), ("yes", "Yes"), ("no", "No"))


class UserForm(forms.Form):
    """All fields that `actor` may set on `account`; without an account, of a new one."""

    birth_date = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    language = forms.CharField(required=False, max_length=10, help_text="A code such as en or pt-BR.")
    timezone = forms.CharField(label="Time zone", required=False, max_length=50, help_text="Such as Europe/Berlin.")
    password = forms.CharField(
        label="New password",
        required=False,
        strip=False,
        help_text="Leave empty to keep the password as it is.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, actor: User, account: User | None = None, **kwargs: Any) -> None:
        self.actor, self.account = actor, account
        super().__init__(*args, **kwargs)
        texts = {
            name: forms.CharField(
                label=label, required=name in ("username", "email") and account is None, max_length=254
            )
            for name, label in TEXTS.items()
        }
        self.custom = list(ProfileField.objects.all())
        self.fields = texts | self.fields | {f"profile.{field.key}": _custom(field) for field in self.custom}
        self.fields["branches"] = forms.TypedMultipleChoiceField(
            coerce=int,
            required=False,
            choices=self._branches(),
            widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
        )
        self.fields["managers"] = AccountsField(actor, label="Managers")
        if not may_set_password(actor, account):
            del self.fields["password"]
        elif account is None:
            self.fields["password"].help_text = "Leave empty to let the person choose it by a password reset."
        if actor.is_superadmin:
            self._add_privileges()
        self.initial = {**self._held(), **self.initial}

    def _branches(self) -> list[tuple[int, str]]:
        return [(branch.pk, "· " * (len(branch.tree_path) - 1) + branch.name) for branch in branches_of(self.actor)]

    def _add_privileges(self) -> None:
        tick = forms.CheckboxSelectMultiple({"class": "form-check-input"})
        self.fields["role"] = forms.ChoiceField(choices=Role.choices, initial=Role.LEARNER)
        self.fields["rights"] = forms.MultipleChoiceField(
            choices=Right.choices, required=False, widget=tick, help_text="For power users; superadmins hold all."
        )
        self.fields["assigned_branches"] = forms.TypedMultipleChoiceField(
            coerce=int, choices=self._branches(), required=False, widget=tick
        )
        self.fields["assigned_users"] = AccountsField(self.actor, label="Assigned users")

    def _held(self) -> dict[str, Any]:
        """What the account holds now, in the form's own terms."""
        account = self.account
        if account is None:
            return {"language": "en", "timezone": "UTC"}
        held: dict[str, Any] = {name: getattr(account, name) for name in (*TEXTS, "birth_date", "language", "timezone")}
        held |= {f"profile.{value.field.key}": value.value for value in account.profile_values.select_related("field")}
        held["branches"] = list(account.branch_memberships.values_list("branch_id", flat=True))
        held["managers"] = User.objects.filter(pk__in=account.manager_assignments.values("manager"))
        if self.actor.is_superadmin:
            held |= {"role": account.role, "rights": account.rights}
            held["assigned_branches"] = list(account.assigned_branches.values_list("branch_id", flat=True))
            held["assigned_users"] = User.objects.filter(pk__in=account.assigned_users.values("user"))
        return held

    def data_for_service(self) -> dict[str, Any]:
        """Only what was changed, so that two people who edit different fields don't undo each other's work."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}
        if self.account is None:
            changed = {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [])}
        custom = {
            name.removeprefix("profile."): changed.pop(name) for name in list(changed) if name.startswith("profile.")
        }
        if "branches" in changed:
            changed["branches"] = sorted(set(changed["branches"]) | self._branches_out_of_reach())
        if "managers" in changed:
            changed["managers"] = sorted(set(changed["managers"]) | self._managers_out_of_sight())
        return changed | ({"profile": custom} if custom else {})

    def _branches_out_of_reach(self) -> set[int]:
        offered = {pk for pk, _ in self._branches()}
        return set(self.initial.get("branches", ())) - offered

    def _managers_out_of_sight(self) -> set[int]:
        if self.account is None:
            return set()
        held = set(self.account.manager_assignments.values_list("manager_id", flat=True))
        return held - set(User.objects.visible_to(self.actor).filter(pk__in=held).values_list("pk", flat=True))

    def take_errors(self, error: FieldsInvalid) -> None:
        """Show what the service refused, each at its field."""
        for one in error.errors:
            self.add_error(one["field"] if one["field"] in self.fields else None, one["detail"])


def may_set_password(actor: User, account: User | None) -> bool:
    """A superadmin those of others. The own one is changed under Preferences, with the current one."""
    return actor.is_superadmin and (account is None or account.pk != actor.pk)


class AccountsField(forms.Field):
    """Accounts by any identifier, one a line; cleaned to their ids."""

    def __init__(self, actor: User, **kwargs: Any) -> None:
        self.actor = actor
        kwargs.setdefault("help_text", "One username, e-mail address or employee number a line.")
        super().__init__(required=False, widget=forms.Textarea({"rows": 3, "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Usernames of the accounts that the actor may see."""
        if value is None or isinstance(value, str):
            return value
        seen = User.objects.visible_to(self.actor).filter(pk__in=[account.pk for account in value])
        return "\n".join(seen.order_by("username").values_list("username", flat=True))

    def has_changed(self, initial: Iterable[User] | None, data: Any) -> bool:
        lines = {line.strip().lower() for line in (data or "").splitlines() if line.strip()}
        before = {line.lower() for line in (self.prepare_value(initial) or "").splitlines()}
        return lines != before

    def clean(self, value: Any) -> list[int]:
        wanted = dict.fromkeys(line.strip() for line in (value or "").splitlines() if line.strip())
        if len(wanted) > 1000:
            raise forms.ValidationError("At most 1,000 lines at a time.")
        found: Mapping[str, User | None] = {line: self._find(line) for line in wanted}
        missing = [line for line, account in found.items() if account is None]
        if missing:
            raise forms.ValidationError(f"Nobody is found by: {', '.join(missing[:10])}.")
        return sorted({account.pk for account in found.values() if account})

    def _find(self, line: str) -> User | None:
        try:
            return find_by_identifier(self.actor, line)
        except AmbiguousIdentifier as error:
            raise forms.ValidationError(f"Several accounts are found by {line}. Enter a username instead.") from error


def _custom(field: ProfileField) -> forms.Field:
    """The input for a custom field; the service checks the value."""
    label, kind = field.label, field.type
    if kind == ProfileField.Type.CHOICE:
        choices = [("", "not set"), *((option, option) for option in field.options)]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    if kind == ProfileField.Type.YES_NO:
        return forms.ChoiceField(label=label, choices=YES_NO, required=False)
    if kind == ProfileField.Type.DATE:
        return forms.CharField(label=label, required=False, widget=forms.DateInput({"type": "date"}))
    return forms.CharField(label=label, required=False, max_length=500)

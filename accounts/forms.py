"""What people type into the pages of accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django import forms

from accounts.devices import Device
from accounts.models import ApiToken, Branch, User

REFUSED = "This username or e-mail address and password don't match an active account."


class _Credentials(forms.Form):
    """Checks a password through the services that count failures."""

    retry_after: int = 0

    @contextmanager
    def throttled(self) -> Iterator[None]:
        """Says how long to wait when too many failed."""
        from accounts.services import TooManyFailures

        try:
            yield
        except TooManyFailures as error:
            self.retry_after = error.retry_after
            raise forms.ValidationError(error.detail) from error


class SignInForm(_Credentials):
    username = forms.CharField(
        label="Username or e-mail address",
        max_length=254,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    account: User

    def __init__(self, *args: Any, caller: str, device: Device | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.caller, self.device = caller, device

    def clean(self) -> dict[str, Any]:
        from accounts.services import check_credentials

        data = self.cleaned_data
        if "username" in data and "password" in data:
            with self.throttled():
                account = check_credentials(caller=self.caller, device=self.device, **data)
            if account is None:
                raise forms.ValidationError(REFUSED)
            self.account = account
        return data


class ConfirmPasswordForm(_Credentials):
    password = forms.CharField(
        label="Your password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, session: str, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session, self.actor = session, actor

    def clean(self) -> dict[str, Any]:
        from accounts.services import confirm_password

        data = self.cleaned_data
        if "password" in data:
            with self.throttled():
                is_right = confirm_password(account=self.actor, session=self.session, password=data["password"])
            if not is_right:
                raise forms.ValidationError("This isn't your password.")
        return data


class AppearanceForm(forms.Form):
    theme = forms.ChoiceField(
        label="Appearance",
        choices=(("auto", "As the device is set"), ("light", "Light"), ("dark", "Dark")),
        widget=forms.RadioSelect({"class": "form-check-input"}),
    )


class NewPasswordForm(forms.Form):
    new = forms.CharField(
        label="New password",
        max_length=1000,
        strip=False,
        help_text="At least 8 characters; not a common password, not all digits, not like your name.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password, again",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError("The two don't match.")
        return again


class ChangePasswordForm(NewPasswordForm):
    current = forms.CharField(
        label="Current password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    field_order = ("current", "new", "again")


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email", "autofocus": True}),
    )


class TokenForm(forms.Form):
    """`grantable` are the scopes that its owner may give."""

    name = forms.CharField(max_length=100, help_text="What uses it, such as the HR system.")
    scopes = forms.MultipleChoiceField(
        choices=ApiToken.Scope.choices,
        initial=[ApiToken.Scope.READ],
        widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
    )
    days = forms.IntegerField(label="Valid for, in days", initial=365, min_value=1, max_value=3650)

    def __init__(self, *args: Any, grantable: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = cast(forms.MultipleChoiceField, self.fields["scopes"])
        scopes.choices = [(scope, label) for scope, label in ApiToken.Scope.choices if scope in grantable]


class BranchField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    """A branch, shown at its depth in the tree."""

    def label_from_instance(self, obj: Any) -> str:
        return "· " * (len(obj.tree_path) - 1) + str(obj.name)


class BranchForm(forms.Form):
    """`exclude` is the branch that is being moved: it can't go below itself."""

    name = forms.CharField(max_length=200)

    def __init__(self, *args: Any, exclude: Branch | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tree = Branch.objects.with_tree_fields()
        if exclude is not None:
            tree = tree.exclude(pk__in=Branch.ids_with_descendants([exclude.pk]))
        self.fields["parent"] = BranchField(tree, required=False, empty_label="At the top")

"""What people type into the pages of accounts."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User

REFUSED = "This username or e-mail address and password don't match an active account."


class _Credentials(forms.Form):
    """Checks a password through the service that counts failures."""

    caller: str
    retry_after: int = 0

    def check(self, username: str, password: str, refusal: str) -> User:
        from accounts.services import TooManyFailures, check_credentials

        try:
            account = check_credentials(caller=self.caller, username=username, password=password)
        except TooManyFailures as error:
            self.retry_after = error.retry_after
            minutes = max(1, -(-error.retry_after // 60))
            raise forms.ValidationError(
                f"Too many attempts failed. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
            ) from error
        if account is None:
            raise forms.ValidationError(refusal)
        return account


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

    def __init__(self, *args: Any, caller: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.caller = caller

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "username" in data and "password" in data:
            self.account = self.check(data["username"], data["password"], REFUSED)
        return data


class ConfirmPasswordForm(_Credentials):
    password = forms.CharField(
        label="Your password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, caller: str, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.caller, self.actor = caller, actor

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "password" in data:
            self.check(self.actor.username, data["password"], "This isn't your password.")
        return data

"""What people type to link an account."""

from __future__ import annotations

from django import forms


class LinkForm(forms.Form):
    """The credentials of the other account."""

    username = forms.CharField(
        label="Username",
        max_length=254,
        help_text="Of your other account, or its e-mail address.",
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        help_text="Of your other account. It isn't kept.",
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    generate_equivalencies = forms.BooleanField(
        label="Generate equivalencies",
        required=False,
        help_text=(
            "Every course that one of your accounts has completed, and that is still valid, counts for your other "
            "accounts too. Without it, only what you complete from now on does. Linking can't be undone."
        ),
    )

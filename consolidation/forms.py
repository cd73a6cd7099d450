"""What people type into the assistant."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms

from accounts.models import User
from consolidation.models import Consolidation


class ProfileForm(forms.Form):
    """The primary's profile and contact details; the service checks and writes them."""

    first_name = forms.CharField(max_length=150, required=False)
    last_name = forms.CharField(max_length=150, required=False)
    username = forms.CharField(max_length=150)
    email = forms.CharField(label="E-mail", max_length=254, required=False)
    phone = forms.CharField(max_length=50, required=False)
    job_title = forms.CharField(max_length=150, required=False)
    employee_number = forms.CharField(max_length=100, required=False)

    def __init__(self, data: Any = None, *, account: User) -> None:
        super().__init__(data, initial={name: getattr(account, name) for name in self.base_fields})

    def changes(self) -> dict[str, Any]:
        """Only what differs from the account as it is."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


def noon(day: Any) -> datetime:
    """A day without a time counts from its noon, UTC, so that it is the same day almost everywhere."""
    return datetime.combine(day, time(12), tzinfo=UTC)


class DateForm(forms.Form):
    """The day of a completion."""

    completed_on = forms.DateField(label="Completion date", widget=forms.DateInput({"type": "date"}))


class EnrollForm(forms.Form):
    """The missing enrollments that are ticked, each with a completion date or none."""

    def __init__(self, *args: Any, ids: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ids = ids
        for pk in ids:
            self.fields[f"enroll_{pk}"] = forms.BooleanField(required=False)
            self.fields[f"date_{pk}"] = forms.DateField(required=False)

    def dates(self) -> dict[int, datetime | None]:
        """Per ticked enrollment, or per each with the button for all, when it was completed."""
        data = self.cleaned_data
        ticked = [pk for pk in self.ids if "all" in self.data or data[f"enroll_{pk}"]]
        return {pk: noon(data[f"date_{pk}"]) if data[f"date_{pk}"] else None for pk in ticked}


class RemoveForm(forms.Form):
    """How the secondary ends, after the checklist."""

    profile_checked = forms.BooleanField(
        required=False, label="The profile and contact information of the primary account are up to date"
    )
    enrollments_checked = forms.BooleanField(
        required=False, label="All relevant enrollments and completions are on the primary account"
    )
    losses_checked = forms.BooleanField(
        required=False, label="What can't be transferred is written down elsewhere, or isn't needed"
    )
    removal = forms.ChoiceField(choices=Consolidation.Removal.choices, widget=forms.RadioSelect)
    takes_email = forms.BooleanField(required=False)
    takes_username = forms.BooleanField(required=False)
    notify = forms.BooleanField(required=False)

    @property
    def is_confirmed(self) -> bool:
        names = ("profile_checked", "enrollments_checked", "losses_checked")
        return all(self.cleaned_data.get(name) for name in names)

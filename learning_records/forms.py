"""What an admin types about a learning record."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from learning_records.models import Course, LearningRecord
from learning_records.services import BY_COURSE, NewRecord


class RecordForm(forms.Form):
    """A record to receive. Dates are days in the site's own time zone; validity ends at the end of its day."""

    kind = forms.ChoiceField(choices=LearningRecord.Kind.choices, initial=LearningRecord.Kind.COURSE)
    course = forms.ModelChoiceField(
        Course.objects.all(), required=False, help_text="For a course record.", empty_label="None"
    )
    title = forms.CharField(max_length=200, required=False, help_text="For a program or activity.")
    completed_on = forms.DateField(label="Completed on", widget=forms.DateInput({"type": "date"}))
    expires_on = forms.DateField(
        label="Valid until",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="Left empty: as long as the course says.",
    )
    score = forms.DecimalField(min_value=0, max_value=100, max_digits=6, decimal_places=2, required=False)

    def clean_completed_on(self) -> date:
        day: date = self.cleaned_data["completed_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is in the future.")
        return day

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        ends, completed = data.get("expires_on"), data.get("completed_on")
        if ends and completed and ends < completed:
            self.add_error("expires_on", "This is before the completion.")
        return data

    def entry(self, user_id: int) -> NewRecord:
        """What the service takes."""
        data = self.cleaned_data
        course: Course | None = data["course"]
        ends: date | None = data["expires_on"]
        return NewRecord(
            user_id=user_id,
            kind=data["kind"],
            course_id=course.pk if course else None,
            title=data["title"],
            completed_at=_moment(data["completed_on"], time(12)),
            score=data["score"],
            expires_at=_moment(ends, time.max) if ends else BY_COURSE,
        )


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Reason", help_text="Why the record doesn't count. It is kept.")


def _moment(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))

"""User information: each field is the source's or the destination's. Username, e-mail and password are no fields here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts.models import ProfileField, ProfileValue, User
from merging.handlers import Case, Change, ChoiceRow, Claim, MergeHandler, Notice, Outcome, register

if TYPE_CHECKING:
    from merging.policies import Side

BUILT_IN = {
    "first_name": "First name",
    "last_name": "Last name",
    "phone": "Phone",
    "job_title": "Job title",
    "language": "Language",
    "timezone": "Time zone",
    "employee_number": "Employee number",
    "external_id": "External id",
    "birth_date": "Birth date",
}


@dataclass(frozen=True)
class Field:
    """One field, and what either account holds in it. A custom field has a row per account that holds something."""

    key: str
    label: str
    source: Any
    destination: Any
    source_row: int | None = None
    destination_row: int | None = None

    @property
    def is_built_in(self) -> bool:
        return self.key in BUILT_IN

    def detail(self, result: Any) -> dict[str, Any]:
        return {
            "field": self.key,
            "source": _text(self.source),
            "destination": _text(self.destination),
            "result": _text(result),
        }


@register
class ProfileHandler(MergeHandler):
    """Custom values move where the destination has none; else its own row takes the value, and the source's stays."""

    key = section = "profile"
    claims = (Claim(ProfileValue, "user"),)
    only_moves = False

    def plan(self, case: Case) -> Iterator[Change]:
        for field in _built_in(case):
            yield _plan_built_in(case, field)
        held = {} if self.claims[0] in case.empty else _held(case)
        for field in _custom(case, held) if held else ():
            yield from _plan_custom(case, field)

    def choices(self, case: Case) -> list[ChoiceRow]:
        return [
            ChoiceRow(field.key, field.label, _text(field.source), _text(field.destination), preselected(case, field))
            for field in (*_built_in(case), *_custom(case, _held(case)))
        ]

    def check_choices(self, case: Case) -> Iterator[dict[str, str]]:
        if not case.choices.fields:
            return
        custom = set(ProfileField.objects.filter(key__in=list(case.choices.fields)).values_list("key", flat=True))
        for key in case.choices.fields:
            if key not in BUILT_IN and key not in custom:
                detail = "This is no field that a merge can choose; username, e-mail and password are always kept."
                yield {"field": f"choices.profile.fields.{key:.60}", "code": "unknown_field", "detail": detail}

    def warnings(self, case: Case) -> Iterator[Notice]:
        """What speaks for two different people."""
        names = (case.source.full_name, case.destination.full_name)
        if all(names) and names[0].casefold() != names[1].casefold():
            yield Notice(
                "different_names",
                f"The names differ: {names[0]} and {names[1]}. Make sure that both accounts are one person's.",
            )
        days = (case.source.birth_date, case.destination.birth_date)
        if all(days) and days[0] != days[1]:
            yield Notice(
                "different_birth_dates", f"The birth dates differ: {days[0]} and {days[1]}. These may be two people."
            )


def side(case: Case, field: Field) -> Side:
    """Whose value the destination has in the end."""
    if not case.choices.merge_profile:
        return "destination"
    return case.choices.fields.get(field.key) or preselected(case, field)


def preselected(case: Case, field: Field) -> Side:
    """What is ticked before anybody chose: the policy's side, but never a blank of the source."""
    return case.policy.profile if field.source else "destination"


def resulting(case: Case, key: str) -> str:
    """What the destination holds in this built-in field after the merge."""
    field = next(field for field in _built_in(case) if field.key == key)
    return str((field.source if side(case, field) == "source" else field.destination) or "")


def _plan_built_in(case: Case, field: Field) -> Change:
    result = field.source if side(case, field) == "source" else field.destination
    return Change(
        User,
        case.destination.pk,
        {field.key: field.destination},
        {field.key: result},
        Outcome.STAYS if result == field.destination else Outcome.CHANGED,
        _reason(case, field),
        what=field.label,
        detail=field.detail(result),
    )


def _plan_custom(case: Case, field: Field) -> Iterator[Change]:
    """The destination's row first, since it is the result; a value that isn't taken stays where it is."""
    source, destination = case.source.pk, case.destination.pk
    chosen, reason = side(case, field), _reason(case, field)
    result = field.source if chosen == "source" else field.destination
    detail = field.detail(result)
    if field.destination_row is not None:
        outcome = Outcome.STAYS if result == field.destination else Outcome.CHANGED
        before, after = {"value": field.destination}, {"value": result}
        yield Change(ProfileValue, field.destination_row, before, after, outcome, reason, field.label, detail)
    if field.source_row is not None:
        moves = field.destination_row is None and chosen == "source"
        outcome = Outcome.MOVED if moves else Outcome.STAYS
        owner = {"user_id": destination if moves else source}
        why = reason if moves else "the source keeps its own value"
        yield Change(ProfileValue, field.source_row, {"user_id": source}, owner, outcome, why, field.label, detail)


def _reason(case: Case, field: Field) -> str:
    """Why this side, in words."""
    if not case.choices.merge_profile:
        return "user information isn't merged" if case.policy.has_switches else "the destination's profile is kept"
    if field.source == field.destination:
        return "the same on both"
    if field.key in case.choices.fields:
        return f"the {case.choices.fields[field.key]}'s was chosen"
    return "the source's overwrites it" if side(case, field) == "source" else "the source has none"


def _built_in(case: Case) -> list[Field]:
    return [
        Field(key, label, getattr(case.source, key), getattr(case.destination, key)) for key, label in BUILT_IN.items()
    ]


def _held(case: Case) -> dict[tuple[int, int], ProfileValue]:
    """What the two accounts hold in custom fields, by account and field."""
    values = ProfileValue.objects.filter(user__in=[case.source.pk, case.destination.pk])
    return {(value.user_id, value.field_id): value for value in values}


def _custom(case: Case, held: Mapping[tuple[int, int], ProfileValue]) -> list[Field]:
    """Every custom field of the organisation, in its order."""
    return [_custom_field(case, field, held) for field in ProfileField.objects.all()]


def _custom_field(case: Case, field: ProfileField, held: Mapping[tuple[int, int], ProfileValue]) -> Field:
    source, destination = (held.get((account.pk, field.pk)) for account in (case.source, case.destination))
    return Field(
        field.key,
        field.label,
        source.value if source else "",
        destination.value if destination else "",
        source.pk if source else None,
        destination.pk if destination else None,
    )


def _text(value: Any) -> str | None:
    return str(value) if value else None

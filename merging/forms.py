"""The wizard's state: it lives in the address alone, so that Back, reload and a shared address work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from merging.handlers import ChoiceRow
from merging.models import Merge
from merging.policies import POLICIES, Policy, Side, default_policy
from merging.sides import LETTERS, read, write

STEPS: Mapping[int, str] = {1: "Destination", 2: "User Information", 3: "Enrollments", 4: "Review"}
PARTS: Mapping[str, int] = {"profile": 2, "enrollments": 3}  # with their steps
LONGEST = 6000  # of an address; a page of boxes comes on top, and web servers take 8,190 bytes


@dataclass(frozen=True)
class Address:
    """What the wizard was asked. `fields` and `courses` hold the sides that differ from what is ticked beforehand.

    `sent` names the part whose boxes this request carries (`ticked`); such an address is tidied up first.
    """

    policy: Policy
    source: int | None = None
    destination: int | None = None
    step: int = 1
    off: frozenset[str] = frozenset()
    fields: Mapping[str, Side] = field(default_factory=dict)
    courses: Mapping[str, Side] = field(default_factory=dict)
    differing: bool = False
    tab: str = ""
    page: int = 1
    q: str = ""
    sent: str = ""
    ticked: Mapping[str, Side] = field(default_factory=dict)

    @classmethod
    def read(cls, data: QueryDict) -> Address:
        """Read an address leniently: what makes no sense is as if it weren't there."""
        policy = _policy(data)
        switches = policy.has_switches
        both = _number(data, "source") is not None and _number(data, "destination") is not None
        sent = _sent(data) if switches else ""
        # A button that turns the page of a part names no step
        step = _number(data, "step") or PARTS.get(sent) or (1 if switches else 4)
        return cls(
            policy=policy,
            source=_number(data, "source"),
            destination=_number(data, "destination"),
            step=(step if step in STEPS and (switches or step in (1, 4)) else 4) if both else 1,
            off=_off(data) if switches else frozenset(),
            fields=read(data.get("fields", "")) if switches else {},
            courses=read(data.get("courses", "")) if switches else {},
            differing="differing" in data,
            tab=data.get("tab", "")[:30],
            page=_number(data, "page") or 1,
            q=_typed(data),
            sent=sent,
            ticked=_ticked(data),
        )

    def choices(self) -> dict[str, Any]:
        """As the services take them."""
        if not self.policy.has_switches:
            return {}
        return {
            "profile": {"merge": "profile" not in self.off, "fields": dict(self.fields)},
            "enrollments": {"merge": "enrollments" not in self.off, "courses": dict(self.courses)},
        }

    def settled(self, rows: Iterable[ChoiceRow]) -> Address:
        """With the boxes of this request taken in, against what those rows have ticked beforehand."""
        known: dict[str, Side] = dict(self.fields if self.sent == "profile" else self.courses)
        for row in rows:
            side = self.ticked.get(row.key)
            if side is not None:
                known.pop(row.key, None)
                if row.is_open and side != row.preselected:
                    known[row.key] = side
        if self.sent == "profile":
            return replace(self, fields=known, sent="", ticked={})
        return replace(self, courses=known, sent="", ticked={})

    def moved_to(self, **changes: Any) -> Address:
        """The same question, looked at elsewhere: another step, tab, page, or with other accounts."""
        here: dict[str, Any] = {"tab": "", "page": 1, "q": "", "sent": "", "ticked": {}}
        return replace(self, **(here | changes))

    def swapped(self) -> Address:
        """Both roles exchanged; choices made for the other way round would mean something else now."""
        return self.moved_to(source=self.destination, destination=self.source, step=1, fields={}, courses={})

    def parameters(self) -> dict[str, str]:
        """The address, as short as it goes, always in one order."""
        both = self.source is not None and self.destination is not None
        first = 1 if self.policy.has_switches else 4
        found = {
            "source": self.source,
            "destination": self.destination,
            "policy": self.policy.name,
            "step": self.step if both and self.step != first else None,
            "off": ",".join(part for part in PARTS if part in self.off),
            "fields": write(self.fields),
            "courses": write(self.courses),
            "differing": "on" if self.differing else None,
            "tab": self.tab,
            "page": self.page if self.page > 1 else None,
            "q": self.q,
        }
        return {key: str(value) for key, value in found.items() if value}

    def query(self) -> str:
        return "?" + urlencode(self.parameters(), safe=":,")

    @property
    def is_too_long(self) -> bool:
        """Whether more was chosen by hand than an address holds: some thousand courses."""
        return len(self.query()) > LONGEST

    def carried(self, *without: str) -> list[tuple[str, str]]:
        """Hidden inputs that keep this address in a form."""
        return [(key, value) for key, value in self.parameters().items() if key not in without]


class ConfirmForm(forms.Form):
    """What goes along with Merge Users."""

    digest = forms.CharField(max_length=1000, required=False)
    reason = forms.CharField(max_length=300, required=False, strip=True)
    notify = forms.BooleanField(required=False)


class MergeFilterForm(forms.Form):
    """Which merges are listed."""

    q = forms.CharField(label="User", max_length=100, required=False)
    status = forms.ChoiceField(choices=[("", "Any status"), *Merge.Status.choices], required=False)
    policy = forms.ChoiceField(
        choices=[("", "Any policy"), *((p.name, p.label) for p in POLICIES.values() if p.merges)], required=False
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**31, widget=forms.HiddenInput)

    def given(self) -> dict[str, str]:
        """The filters as they go into the address of the next page."""
        found = self.cleaned_data if self.is_valid() else {}
        return {name: str(found[name]) for name in ("q", "status", "policy") if found.get(name)}


class UndoForm(forms.Form):
    reason = forms.CharField(max_length=300, strip=True, error_messages={"required": "Say why it is undone."})


def _policy(data: QueryDict) -> Policy:
    named = (POLICIES.get(data.get("policy", "")), default_policy(), *POLICIES.values())
    return next(policy for policy in named if policy and policy.merges)


def _number(data: QueryDict, key: str) -> int | None:
    value = data.get(key, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 and int(value) else None


def _typed(data: QueryDict) -> str:
    """What was typed into the picker, when no account was picked from it."""
    for role in ("source", "destination"):
        text = data.get(f"{role}_text", "").strip()
        if text and _number(data, role) is None:
            return text[:100]
    return data.get("q", "").strip()[:100]


def _sent(data: QueryDict) -> str:
    part = data.get("sent", "")
    return part if part in PARTS else ""


def _ticked(data: QueryDict) -> dict[str, Side]:
    """The boxes of a form: `t.phone=s`."""
    boxes = ((key.removeprefix("t."), str(value)) for key, value in data.items() if key.startswith("t."))
    return {key: LETTERS[letter] for key, letter in boxes if letter in LETTERS}


def _off(data: QueryDict) -> frozenset[str]:
    """Switched-off parts. A form that carries a part's boxes says "on" or nothing for its switch."""
    off = {part for part in data.get("off", "").split(",") if part in PARTS}
    sent = _sent(data)
    if sent:
        off = off - {sent} if data.get("merge") == "on" else off | {sent}
    return frozenset(off)

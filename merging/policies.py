"""The named sets of merge rules, and the choices that a person may make within them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings

from merging.errors import ChoicesInvalid

Side = Literal["source", "destination"]


@dataclass(frozen=True)
class Policy:
    """One row of settings per question that a merge asks. `starts_from`: whose row opens the wizard."""

    name: str
    label: str
    summary: str
    starts_from: Side
    merges: bool = True
    has_switches: bool = False
    profile: Side = "destination"
    prefers_best_record: bool = False
    unites_branches: bool = False
    moves_learning_plans: bool = False
    deactivates_source: bool = False


POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(
            name="best_record",
            label="Best record",
            summary="The source's profile and the better course records win; the source stays as it was.",
            starts_from="source",
            has_switches=True,
            profile="source",
            prefers_best_record=True,
            unites_branches=True,
        ),
        Policy(
            name="keep_primary",
            label="Keep primary",
            summary="The destination's profile and enrollments have priority; the source becomes inactive.",
            starts_from="destination",
            moves_learning_plans=True,
            deactivates_source=True,
        ),
        Policy(
            name="manual",
            label="Manual",
            summary="Nothing is merged automatically; an assistant guides you through it.",
            starts_from="destination",
            merges=False,
        ),
    )
}


def default_policy() -> Policy:
    """The site's own default, a setting."""
    return POLICIES[settings.MERGE_DEFAULT_POLICY]


def find_policy(name: str) -> Policy:
    """The policy of that name; raises ChoicesInvalid for any other, and for one that merges nothing."""
    policy = POLICIES.get(name)
    if policy is None or not policy.merges:
        names = " or ".join(p.name for p in POLICIES.values() if p.merges)
        raise ChoicesInvalid([_problem("policy", "invalid_choice", f"Choose {names} as the policy.")])
    return policy


@dataclass(frozen=True)
class Choices:
    """What the person decided. `fields` and `courses` hold only what they chose themselves, per key a side."""

    merge_profile: bool = True
    fields: Mapping[str, Side] = field(default_factory=dict)
    merge_enrollments: bool = True
    courses: Mapping[int, Side] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The form that REST and the stored merge use."""
        return {
            "profile": {"merge": self.merge_profile, "fields": dict(self.fields)},
            "enrollments": {
                "merge": self.merge_enrollments,
                "courses": {str(course): side for course, side in self.courses.items()},
            },
        }


def parse_choices(raw: Any, policy: Policy) -> Choices:
    """Read choices as REST and the wizard send them. Raises ChoicesInvalid, naming every field that is wrong."""
    reader = _Reader(raw, policy)
    choices = Choices(
        merge_profile=reader.switch("profile"),
        fields=reader.sides("profile", "fields"),
        merge_enrollments=reader.switch("enrollments"),
        courses=reader.courses(),
    )
    if reader.errors:
        raise ChoicesInvalid(reader.errors)
    return choices


def _problem(name: str, code: str, detail: str) -> dict[str, str]:
    return {"field": name, "code": code, "detail": detail}


class _Reader:
    """Collects what is wrong instead of stopping at the first."""

    shape: Mapping[str, tuple[str, str]] = {"profile": ("merge", "fields"), "enrollments": ("merge", "courses")}

    def __init__(self, raw: Any, policy: Policy) -> None:
        self.errors: list[dict[str, str]] = []
        self.policy = policy
        self.raw = self._mapping(raw, "choices", tuple(self.shape))
        self.parts = {
            key: self._mapping(self.raw.get(key), f"choices.{key}", names) for key, names in self.shape.items()
        }

    def _mapping(self, raw: Any, name: str, known: tuple[str, ...] = ()) -> dict[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.errors.append(_problem(name, "invalid", "Give an object."))
            return {}
        for key in raw.keys() - set(known) if known else ():
            self.errors.append(_problem(f"{name}.{key}", "unknown_field", f"There is no choice called {key!s:.60}."))
        return {str(key): value for key, value in raw.items()}

    def switch(self, part: str) -> bool:
        """On unless told otherwise. A policy without switches has everything but the profile on, for good."""
        fixed = None if self.policy.has_switches else part != "profile"
        value = self.parts[part].get("merge", True if fixed is None else fixed)
        name = f"choices.{part}.merge"
        if not isinstance(value, bool):
            self.errors.append(_problem(name, "invalid", "Give true or false."))
            return True
        if fixed is not None and value != fixed:
            self.errors.append(_problem(name, "fixed_by_policy", f"{self.policy.label} decides this for you."))
        return value

    def sides(self, part: str, key: str) -> dict[str, Side]:
        name = f"choices.{part}.{key}"
        sides: dict[str, Side] = {}
        for item, side in self._mapping(self.parts[part].get(key), name).items():
            if side not in ("source", "destination"):
                self.errors.append(_problem(f"{name}.{item}", "invalid_choice", "Choose source or destination."))
            elif not self.policy.has_switches and not (part == "profile" and side == "destination"):
                self.errors.append(
                    _problem(f"{name}.{item}", "fixed_by_policy", f"{self.policy.label} decides this for you.")
                )
            else:
                sides[item] = side
        return sides

    def courses(self) -> dict[int, Side]:
        courses: dict[int, Side] = {}
        for key, side in self.sides("enrollments", "courses").items():
            if key.isascii() and key.isdigit() and len(key) < 19:
                courses[int(key)] = side
            else:
                self.errors.append(
                    _problem(f"choices.enrollments.courses.{key}", "invalid", "Name the course by its id.")
                )
        return courses

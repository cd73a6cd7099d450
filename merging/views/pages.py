"""What each page of the wizard shows, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from merging import review
from merging.access import address_of
from merging.errors import ChoicesInvalid
from merging.forms import STEPS, Address
from merging.handlers import Case, ChoiceRow, Notice
from merging.plan import Plan
from merging.policies import POLICIES, Choices, Policy, Side
from merging.views.sections import ROWS_LISTED, tabs

if TYPE_CHECKING:
    from accounts.models import User

BLANKS = {"profile": "—", "enrollments": "not enrolled"}
COURSES_PER_PAGE = 50
ROLE_HELP: Mapping[Side, str] = {
    "source": "The account that will be merged away. Type a name, username, e-mail address or employee number.",
    "destination": "The account that will be kept. Type a name, username, e-mail address or employee number.",
}
FATES: Mapping[Side, str] = {"source": "will be merged away", "destination": "will be kept"}
ROLE_NAMES: Mapping[Side, str] = {"source": "Source", "destination": "Destination"}
SAME = Notice("same_account", "This account is already in the other role. A merge needs two different accounts.")


class Asked(Protocol):
    """The wizard's question, as far as pages need it."""

    @property
    def actor(self) -> User: ...
    @property
    def address(self) -> Address: ...
    @property
    def source(self) -> User | None: ...
    @property
    def destination(self) -> User | None: ...
    @property
    def is_same(self) -> bool: ...


def frame(question: Asked, candidates: Sequence[User]) -> dict[str, Any]:
    """What stands around every step."""
    address = question.address
    steps = [
        {"number": number, "label": label, "is_done": number < address.step, "is_current": number == address.step}
        for number, label in STEPS.items()
        if address.policy.has_switches or number in (1, 4)
    ]
    return {
        "address": address,
        "policy": address.policy,
        "source": question.source,
        "destination": question.destination,
        "steps": steps,
        "swap": address.swapped().query(),
        "role_labels": _role_labels(address),
        "fates": FATES,
        "tab_base": reverse("merging:new"),
        **picker(question, candidates),
    }


def picker(question: Asked, candidates: Sequence[User]) -> dict[str, Any]:
    """The type-ahead for the role that is still open; with both given, for the one that the policy leaves open."""
    address = question.address
    role = _open_role(question)
    return {
        "role": role,
        "role_label": _role_labels(address)[role],
        "candidates": candidates,
        "role_help": ROLE_HELP[role],
        "picked": question.source if role == "source" else question.destination,
        "search_url": address_of("accounts:user_search"),
    }


def _open_role(question: Asked) -> Side:
    if question.source is None and question.destination is None:
        return question.address.policy.starts_from
    if question.source is None:
        return "source"
    if question.destination is None or question.address.policy.starts_from == "source":
        return "destination"
    return "source"


def _role_labels(address: Address) -> Mapping[Side, str]:
    if address.policy.starts_from == "source":
        return ROLE_NAMES
    return {**ROLE_NAMES, "source": "Duplicate User Account"}


def destination(question: Asked, case: Case | None) -> dict[str, Any]:
    """Page one: who is merged into whom, by which policy, and what already forbids it."""
    blockers = [SAME] if question.is_same else review.blockers(case, question.actor) if case else []
    address = question.address
    rows = review.choice_rows(case, "profile") if case else []
    return {
        "page": "merging/_destination.html",
        "carried": address.carried(_open_role(question), "policy", "q", "step", "page", "tab"),
        "cards": [_card("source", question.source, address), _card("destination", question.destination, address)],
        "rows": rows,
        "differing": sum(1 for row in rows if row.differs),
        "policies": list(POLICIES.values()),
        "manual_url": _manual_url(question),
        "may_pick": True,
        "blockers": blockers,
        "may_go_on": case is not None and not blockers,
    }


def _manual_url(question: Asked) -> str:
    """The assistant that merges nothing by itself, for the accounts chosen so far; it needs one at least."""
    chosen = {"source": question.source, "destination": question.destination}
    query = urlencode({role: account.pk for role, account in chosen.items() if account is not None})
    address = address_of("consolidation:begin")
    return f"{address}?{query}" if address and query else ""


def _card(role: Side, account: User | None, address: Address) -> dict[str, Any]:
    return {
        "role": role,
        "title": _role_labels(address)[role],
        "fate": FATES[role],
        "account": account,
        "facts": _facts(account) if account else [],
        "change": address.moved_to(**{role: None}, step=1).query(),
    }


def _facts(account: User) -> list[tuple[str, Any]]:
    return [
        ("Username", account.username),
        ("E-mail", account.email),
        ("Status", account.get_status_display()),
        ("Last sign-in", account.last_login or "never"),
        ("Created", account.created_at),
    ]


@dataclass(frozen=True)
class Box:
    """One row of boxes with its tick."""

    row: ChoiceRow
    ticked: Side
    blank: str

    @property
    def source(self) -> str:
        return self.row.source or self.blank

    @property
    def destination(self) -> str:
        return self.row.destination or self.blank


def boxes(address: Address, case: Case) -> dict[str, Any]:
    """Pages two and three: a switch, and one row of boxes per field or course."""
    part = "profile" if address.step == 2 else "enrollments"
    chosen: Mapping[str, Side] = address.fields if part == "profile" else address.courses
    rows = [_box(row, chosen, BLANKS[part]) for row in review.choice_rows(case, part)]
    shared = sum(1 for box in rows if box.row.source is not None and box.row.destination is not None)
    if part == "enrollments":
        rows.sort(key=lambda box: box.row.source is None or box.row.destination is None)
    per_page = COURSES_PER_PAGE if part == "enrollments" else len(rows) or 1
    pages = max(-(-len(rows) // per_page), 1)
    page = min(address.page, pages)
    return {
        "page": f"merging/_{part}.html",
        "part": part,
        "is_on": part not in address.off,
        "boxes": rows[(page - 1) * per_page : page * per_page],
        "total": len(rows),
        "shared": shared,
        "differing": sum(1 for box in rows if box.row.differs),
        "pages": pages,
        "page_number": page,
        "previous_page": page - 1,
        "next_page": page + 1 if page < pages else 0,
        "carried": address.carried("step", "page", "differing"),
        "next_step": address.step + 1,
        "previous_step": address.step - 1,
    }


def _box(row: ChoiceRow, chosen: Mapping[str, Side], blank: str) -> Box:
    return Box(row, chosen.get(row.key, row.preselected) if row.is_open else row.preselected, blank)


def impossible(address: Address, error: ChoicesInvalid) -> dict[str, Any]:
    """The review of choices that no page offers."""
    blockers = [Notice(problem["code"], problem["detail"]) for problem in error.errors]
    start_over = address.moved_to(fields={}, courses={}, step=2).query()
    return {"page": "merging/_review.html", "blockers": blockers, "start_over": start_over, "sections": []}


def reviewed(address: Address, plan: Plan) -> dict[str, Any]:
    """Page four: everything that the merge would do."""
    return {
        "page": "merging/_review.html",
        "plan": plan,
        "blockers": plan.blockers,
        "warnings": plan.warnings,
        "undo_until": timezone.now() + timedelta(days=settings.UNDO_WINDOW_DAYS),
        "previous_step": 3 if address.policy.has_switches else 1,
        "kept": address.carried("step", "tab", "page"),
        "merge_label": "Merge Users" if address.policy.has_switches else "MERGE",
        "fixed": decided(plan.case.policy, plan.case.choices),
        "is_large": plan.size > settings.MERGE_INLINE_LIMIT,
        **tabs(
            partial(review.sections, plan, ROWS_LISTED),
            address.tab,
            address.page,
            lambda tab, page: address.moved_to(tab=tab, page=page).query(),
        ),
    }


def decided(policy: Policy, choices: Choices) -> list[str]:
    """What policy and switches settled, in sentences."""
    enrollments = "Enrollments are merged, with certificates, tracking and transactions."
    if not policy.prefers_best_record:
        enrollments = "The destination's enrollments have priority, unless only the source's is completed."
    elif not choices.merge_enrollments:
        enrollments = "Enrollments are not merged; for shared courses the more completed record decides."
    merges_profile = choices.merge_profile and policy.profile == "source"
    return [
        "User information is merged field by field." if merges_profile else "The destination's profile is kept.",
        enrollments,
        "The source becomes inactive." if policy.deactivates_source else "The source stays as it is afterwards.",
    ]

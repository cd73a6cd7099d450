"""What the company offers: branches, profile fields, courses, plans, certifications, badges, rewards, licences."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Branch, ProfileField
from commerce.models import PlanBranch, SubscriptionPlan
from learning_records.models import Certification, CertificationCourse, Course, LearningPlan, LearningPlanCourse
from lms.demo.sheets import Book
from lms.demo.words import BRANCHES
from rewards.models import Badge, Reward

# Code, title, validity in days, kind of its material.
COURSES: tuple[tuple[str, str, int | None, str], ...] = (
    ("SAF-101", "Workplace safety basics", 365, "scorm"),
    ("SAF-110", "Fire safety and evacuation", 365, "scorm"),
    ("SAF-120", "First aid at work", 730, "scorm"),
    ("SAF-130", "Forklift operation", 1095, "scorm"),
    ("SAF-140", "Working at height", 730, "scorm"),
    ("SAF-150", "Handling hazardous substances", 365, "scorm"),
    ("SAF-160", "Electrical safety", 1095, "scorm"),
    ("SAF-170", "Ergonomics at the desk", None, "xapi"),
    ("COM-101", "Code of conduct", 365, "scorm"),
    ("COM-110", "Data protection essentials", 365, "scorm"),
    ("COM-120", "Preventing bribery", 730, "xapi"),
    ("COM-130", "Competition law", 730, "scorm"),
    ("COM-140", "Export control", 365, "xapi"),
    ("SEC-101", "Information security awareness", 365, "xapi"),
    ("SEC-110", "Recognising phishing", 365, "xapi"),
    ("SEC-120", "Secure passwords and sign-in", None, "video"),
    ("LEA-101", "First-time manager", None, "xapi"),
    ("LEA-110", "Giving feedback", None, "xapi"),
    ("LEA-120", "Leading through change", None, "xapi"),
    ("LEA-130", "Hiring without bias", None, "scorm"),
    ("LEA-140", "Running good meetings", None, "video"),
    ("SAL-101", "Sales fundamentals", None, "scorm"),
    ("SAL-110", "Negotiation", None, "xapi"),
    ("SAL-120", "Key account planning", None, "scorm"),
    ("SAL-130", "Product portfolio", 365, "xapi"),
    ("QUA-101", "Quality management basics", 1095, "scorm"),
    ("QUA-110", "Internal auditing", 1095, "scorm"),
    ("QUA-120", "Root cause analysis", None, "xapi"),
    ("QUA-130", "Lean on the shop floor", None, "video"),
    ("OFF-101", "Spreadsheets, step by step", None, "video"),
    ("OFF-110", "Writing clearly", None, "xapi"),
    ("OFF-120", "Presenting with confidence", None, "video"),
    ("DEV-101", "Python for analysts", None, "test"),
    ("DEV-110", "Databases for everyone", None, "test"),
    ("DEV-120", "Accessible web pages", None, "xapi"),
    ("HEA-101", "Managing stress", None, "video"),
    ("HEA-110", "Healthy shift work", None, "xapi"),
    ("LAN-101", "English at work", None, "test"),
    ("LAN-110", "German for newcomers", None, "test"),
    ("ONB-101", "Welcome to the company", None, "video"),
)
PLANS = {
    "Onboarding": ("ONB-101", "COM-101", "COM-110", "SEC-101"),
    "Shop floor starter": ("SAF-101", "SAF-110", "QUA-101", "QUA-130"),
    "New leaders": ("LEA-101", "LEA-110", "LEA-130"),
    "Sales academy": ("SAL-101", "SAL-110", "SAL-120"),
}
# Courses, validity and renewal window in days, whether an expired one may be renewed.
CERTIFICATIONS: dict[str, tuple[tuple[str, ...], int | None, int, bool]] = {
    "Certified first aider": (("SAF-120",), 730, 90, False),
    "Forklift licence": (("SAF-130",), 1095, 120, False),
    "Fire warden": (("SAF-110",), 365, 60, True),
    "Internal auditor": (("QUA-110",), 1095, 90, True),
    "Data protection officer": (("COM-110",), None, 0, False),
}
BADGES = {"First steps": 10, "Five courses": 50, "Safety champion": 40, "Top score": 30, "Early bird": 20}
REWARDS = {"Coffee mug": 20, "Water bottle": 30, "Backpack": 80, "Half a day off": 150, "Course of your choice": 200}
# Seats, and the branches that may see it; all when it names none.
LICENCES: dict[str, tuple[int | None, tuple[str, ...]]] = {
    "Language lab": (None, ()),
    "Executive library": (200, ("Munich office", "Utrecht office", "Toronto office")),
    "Plant skills": (None, ("Hamburg plant", "Porto plant", "Puebla plant", "Osaka plant")),
    "Reseller academy": (500, ("Resellers",)),
}
FIELDS: dict[str, tuple[str, ProfileField.Type, tuple[str, ...]]] = {
    "cost_centre": ("Cost centre", ProfileField.Type.TEXT, ()),
    "hired_on": ("Hired on", ProfileField.Type.DATE, ()),
    "shift": ("Shift", ProfileField.Type.CHOICE, ("Early", "Late", "Night", "Flexible")),
    "shoe_size": ("Safety shoe size", ProfileField.Type.NUMBER, ()),
    "first_aider": ("First aider", ProfileField.Type.YES_NO, ()),
}


@dataclass(frozen=True)
class Taught:
    """A course as the other modules need it."""

    id: int
    code: str
    title: str
    validity_days: int | None
    kind: str


@dataclass(frozen=True)
class Awarded:
    """A certification, likewise."""

    id: int
    courses: tuple[str, ...]
    validity_days: int | None
    renewal_window_days: int


@dataclass(frozen=True)
class Catalog:
    """Everything on offer, by name."""

    branches: dict[str, int]
    fields: dict[str, int]
    courses: dict[str, Taught]
    plans: dict[str, int]
    certifications: dict[str, Awarded]
    badges: dict[str, int]
    rewards: dict[str, int]
    licences: dict[str, int]


def write_catalog(book: Book) -> Catalog:
    """Add all of it to the book."""
    branches = _branches(book)
    courses = {
        code: Taught(book.add(Course, title=title, code=code, validity_days=days), code, title, days, kind)
        for code, title, days, kind in COURSES
    }
    return Catalog(
        branches=branches,
        fields={
            key: book.add(ProfileField, key=key, label=label, type=type_, options=options)
            for key, (label, type_, options) in FIELDS.items()
        },
        courses=courses,
        plans=_plans(book, courses),
        certifications=_certifications(book, courses),
        badges={name: book.add(Badge, name=name, points=points) for name, points in BADGES.items()},
        rewards={name: book.add(Reward, name=name, coins=coins) for name, coins in REWARDS.items()},
        licences=_licences(book, branches),
    )


def _branches(book: Book) -> dict[str, int]:
    top = next(iter(BRANCHES))
    ids = {top: book.add(Branch, name=top)}
    for parent, children in BRANCHES.items():
        ids |= {name: book.add(Branch, name=name, parent_id=ids[parent]) for name in children}
    return ids


def _plans(book: Book, courses: dict[str, Taught]) -> dict[str, int]:
    ids = {}
    for title, codes in PLANS.items():
        ids[title] = book.add(LearningPlan, title=title)
        for position, code in enumerate(codes):
            book.add(LearningPlanCourse, learning_plan_id=ids[title], course_id=courses[code].id, position=position)
    return ids


def _certifications(book: Book, courses: dict[str, Taught]) -> dict[str, Awarded]:
    found = {}
    for title, (codes, days, window, late) in CERTIFICATIONS.items():
        number = book.add(Certification, title=title, validity_days=days, renewal_window_days=window, late_renewal=late)
        found[title] = Awarded(number, codes, days, window)
        for code in codes:
            book.add(CertificationCourse, certification_id=number, course_id=courses[code].id)
    return found


def _licences(book: Book, branches: dict[str, int]) -> dict[str, int]:
    ids = {}
    for name, (seats, visible_in) in LICENCES.items():
        ids[name] = book.add(SubscriptionPlan, name=name, seats=seats)
        for branch in visible_in:
            book.add(PlanBranch, plan_id=ids[name], branch_id=branches[branch])
    return ids

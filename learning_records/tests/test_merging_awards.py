"""What a merge does to certificates, competencies and external training."""

from typing import Any

import pytest

from tests.factories import (
    CertificateFactory,
    CompetencyAwardFactory,
    CourseFactory,
    EnrollmentFactory,
    ExternalTrainingFactory,
    at,
)
from tests.merging_cases import Pair, outcomes, owner, reasons

pytestmark = pytest.mark.django_db
OFF = {"enrollments": {"merge": False}}

# destination, source, who stays in force
CERTIFICATES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "score 70 | score 90": ({"score": 70}, {"score": 90}, "source"),
    "score 90 | score 70": ({"score": 90}, {"score": 70}, "destination"),
    "no score | score 0": ({}, {"score": 0}, "source"),
    "score 0 | no score": ({"score": 0}, {}, "destination"),
    "tie, expires 2026 | 2027": ({"expires_at": at(2026)}, {"expires_at": at(2027)}, "source"),
    "tie, expires 2027 | never": ({"expires_at": at(2027)}, {}, "source"),
    "tie, never | expires 2027": ({}, {"expires_at": at(2027)}, "destination"),
    "tie, issued 2025 | 2024": ({}, {"issued_at": at(2024)}, "source"),
    "tie, issued 2024 | 2025": ({"issued_at": at(2024)}, {}, "destination"),
    "equal in everything": ({}, {}, "destination"),
}


@pytest.mark.covers("S3.33", "S3.34", "P.2")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", CERTIFICATES.values(), ids=CERTIFICATES.keys())
def test_the_better_certificate_stays_in_force(row: tuple[Any, Any, str], policy: str) -> None:
    pair, course = Pair.make(), CourseFactory.create()
    own = CertificateFactory.create(user=pair.destination, course=course, **row[0])
    theirs = CertificateFactory.create(user=pair.source, course=course, **row[1])
    numbers = (own.number, theirs.number)
    pair.merge(policy)
    assert owner(own, pair) == owner(theirs, pair) == "destination"
    assert (own.is_superseded, theirs.is_superseded) == (row[2] == "source", row[2] == "destination")
    assert (own.number, theirs.number) == numbers


@pytest.mark.covers("S2.3", "S2.22", "S3.32", "S3.35")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_certificates_come_along(policy: str) -> None:
    pair = Pair.make()
    certificate = CertificateFactory.create(user=pair.source)
    old = CertificateFactory.create(user=pair.source, course=certificate.course, is_superseded=True)
    pair.merge(policy)
    assert owner(certificate, pair) == owner(old, pair) == "destination"
    assert (certificate.is_superseded, old.is_superseded) == (False, True)


@pytest.mark.covers("S3.36")
def test_certificates_stay_when_enrollments_are_not_merged() -> None:
    pair = Pair.make()
    certificate = CertificateFactory.create(user=pair.source)
    assert reasons(pair.preview(choices=OFF), "certificates") == ["certificates go with the enrollments"]
    pair.merge(choices=OFF)
    assert owner(certificate, pair) == "source"


LEVELS = {"level 1 | 2": (1, 2, "source"), "level 2 | 1": (2, 1, "destination"), "level 1 | 1": (1, 1, "destination")}


@pytest.mark.covers("S2.4", "P.2")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", LEVELS.values(), ids=LEVELS.keys())
def test_the_higher_level_of_a_competency_counts(row: tuple[int, int, str], policy: str) -> None:
    pair = Pair.make()
    own = CompetencyAwardFactory.create(user=pair.destination, competency="first-aid", level=row[0])
    theirs = CompetencyAwardFactory.create(user=pair.source, competency="first-aid", level=row[1])
    pair.merge(policy)
    assert owner(own, pair) == owner(theirs, pair) == "destination"
    assert (own.is_superseded, theirs.is_superseded) == (row[2] == "source", row[2] == "destination")


@pytest.mark.covers("S2.23")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("choices", [None, OFF], ids=["on", "off"])
def test_competencies_come_along(policy: str, choices: Any) -> None:
    if policy == "keep_primary" and choices:
        choices = None  # this policy has no switch
    pair = Pair.make()
    award = CompetencyAwardFactory.create(user=pair.source)
    pair.merge(policy, choices=choices)
    assert owner(award, pair) == "destination"


@pytest.mark.covers("S3.37", "S3.38")
@pytest.mark.parametrize("choices", [None, OFF, {"profile": {"merge": False}}], ids=["default", "off", "no profile"])
def test_external_training_always_moves(choices: Any) -> None:
    pair = Pair.make()
    rows = [ExternalTrainingFactory.create(user=pair.source) for _ in range(2)]
    ExternalTrainingFactory.create(user=pair.destination)
    assert outcomes(pair.preview(choices=choices), "external_trainings") == {"moved": 2}
    pair.merge(choices=choices)
    assert {owner(row, pair) for row in rows} == {"destination"}


def test_a_merge_with_nothing_of_these_plans_nothing() -> None:
    pair = Pair.make()
    EnrollmentFactory.create(user=pair.destination)
    plan = pair.preview()
    for section in ("certificates", "competencies", "external_trainings", "certifications", "learning_records"):
        assert outcomes(plan, section) == {}

"""An audit entry holds ids, numbers, codes and names of fields alone."""

from typing import Any

import pytest

import audit.services
from audit.facts import NotPlain
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def record(**detail: Any) -> AuditEntry:
    return audit.services.record("thing.done", actor_id=None, subject_id=None, detail=detail)


@pytest.mark.parametrize(
    "detail",
    [
        {"merge": 7, "destination": None, "ids": [1, 2], "generate_equivalencies": True},
        {"policy": "best_record", "fields": ["email", "profile.cost-centre"], "events": ["merge.done"]},
    ],
)
def test_it_takes_ids_numbers_codes_and_field_names(detail: dict[str, Any]) -> None:
    assert record(**detail).detail == detail


@pytest.mark.parametrize(
    "detail",
    [
        {"reason": "Jane Doe was hired again"},
        {"reason": "jane"},
        {"file": "leavers.csv"},
        {"code": "two words"},
        {"code": "jane@example.org"},
        {"fields": ["email", "jane doe"]},
        {"merge": 1.5},
        {"nested": {"name": "jane"}},
        {"jane@example.org": 1},
    ],
)
def test_it_refuses_whatever_could_name_somebody(detail: dict[str, Any]) -> None:
    with pytest.raises(NotPlain) as refusal:
        record(**detail)

    assert "jane" not in str(refusal.value).lower()
    assert not AuditEntry.objects.exists()


def test_it_refuses_one_of_many() -> None:
    with pytest.raises(NotPlain):
        audit.services.record_all("thing.done", [(None, {"id": 1}), (None, {"title": "x"})], actor_id=None)

    assert not AuditEntry.objects.exists()


def test_it_leaves_out_of_the_origin_what_is_no_address() -> None:
    entry = audit.services.record("x.y", actor_id=None, subject_id=None, origin="REST ::1 token 12 <jane@example.org>")

    assert entry.origin == "REST ::1 token 12 janeexample.org"

"""Each step is decided again when it writes: over both accounts, with the right of that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.errors import AccountError
from accounts.models import AssignedUser
from consolidation import services
from consolidation.models import Consolidation, ConsolidationAct
from learning_records.models import Enrollment
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import EnrollmentFactory
from tests.revocation import LOSSES, Cast, held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P.12")]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def consolidation(cast: Cast) -> Consolidation:
    """The learner's account is kept; the other one has an enrollment that it lacks."""
    cast.change(rights=["users.view", "users.edit", "users.delete"])
    EnrollmentFactory.create(user=cast.learner, status="enrolled")
    EnrollmentFactory.create(user=cast.other, status="enrolled")
    found = services.start(actor=cast.actor, account=cast.learner, other=cast.other)
    return services.choose_primary(actor=cast.actor, consolidation_id=found.pk, account_id=cast.learner.pk)


def missing(cast: Cast) -> int:
    return Enrollment.objects.get(user=cast.other).pk


Step = Callable[[Cast, Consolidation], Any]
STEPS: Mapping[str, Step] = {
    "start": lambda cast, found: services.start(actor=cast.actor, account=cast.other, other=cast.learner),
    "choose_primary": lambda cast, found: services.choose_primary(
        actor=cast.actor, consolidation_id=found.pk, account_id=cast.other.pk
    ),
    "re_enroll": lambda cast, found: services.re_enroll(
        actor=cast.actor, consolidation_id=found.pk, dates={missing(cast): None}
    ),
    "set_completion_date": lambda cast, found: services.set_completion_date(
        actor=cast.actor,
        consolidation_id=found.pk,
        enrollment_id=Enrollment.objects.get(user=cast.learner).pk,
        at=DAY,
    ),
    "update_profile": lambda cast, found: services.update_profile(
        actor=cast.actor, consolidation_id=found.pk, changes={"email": "changed@example.com"}
    ),
    "finish": lambda cast, found: services.finish(
        actor=cast.actor, consolidation_id=found.pk, ending=services.Ending("deleted", is_confirmed=True)
    ),
}


def everything() -> dict[str, Any]:
    steps = list(ConsolidationAct.objects.order_by("pk").values())
    return held() | {"steps": steps, "consolidations": list(Consolidation.objects.order_by("pk").values())}


@pytest.mark.parametrize("step", STEPS)
def test_it_is_done_for_whoever_holds_the_right(cast: Cast, consolidation: Consolidation, step: str) -> None:
    STEPS[step](cast, consolidation)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("step", STEPS)
def test_a_right_that_ended_refuses_it(cast: Cast, consolidation: Consolidation, step: str, loss: str) -> None:
    before = everything()
    LOSSES[loss](cast)
    with pytest.raises(AccountError):
        STEPS[step](cast, consolidation)
    assert everything() == before


@pytest.mark.parametrize("step", STEPS)
def test_losing_sight_of_the_one_that_is_not_written_refuses_it_too(
    cast: Cast, consolidation: Consolidation, step: str
) -> None:
    before = everything()
    AssignedUser.objects.filter(user=cast.other).delete()
    with pytest.raises(AccountError):
        STEPS[step](cast, consolidation)
    assert everything() == before


@pytest.mark.parametrize("step", STEPS)
def test_it_waits_for_whoever_takes_the_right_away(
    cast: Cast, consolidation: Consolidation, pool: ThreadPoolExecutor, step: str
) -> None:
    before = everything()
    with before_commit(lambda: LOSSES["the right"](cast)):
        late = pool.submit(apart(lambda: STEPS[step](cast, consolidation)))
        wait_until_blocked(late)
    with pytest.raises(AccountError):
        late.result(20)
    assert everything() == before

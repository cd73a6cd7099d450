"""The steps of the assistant, through the services alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import FieldsInvalid
from accounts.models import Status, User
from consolidation import services
from consolidation.errors import ConsolidationError
from consolidation.evidence import gather, missing_enrollments, suggest
from consolidation.models import Consolidation
from learning_records.models import Certificate, Course, Enrollment, LearningRecord, MaterialTracking
from notices.models import Notice
from notices.services import send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_user("boss", "boss@example.org", role="superadmin")


@pytest.fixture
def pair() -> tuple[User, User]:
    """The account that will be kept, and its duplicate, which has done less."""
    make = User.objects.create_user
    primary = make("ada", "ada@example.org", first_name="Ada", last_name="Byron")
    secondary = make("ada.byron", "ada.byron@example.org", first_name="Ada", last_name="Byron")
    for title in ("Algebra", "Shared"):
        Enrollment.objects.create(
            user=primary, course=Course.objects.create(title=title), status="completed", completed_at=timezone.now()
        )
    Enrollment.objects.create(user=secondary, course=Course.objects.get(title="Shared"))
    Enrollment.objects.create(
        user=secondary, course=Course.objects.create(title="Engines"), status="completed", completed_at=timezone.now()
    )
    return primary, secondary


@pytest.fixture
def consolidation(boss: User, pair: tuple[User, User]) -> Consolidation:
    found = services.start(actor=boss, account=pair[1], other=pair[0])
    return services.choose_primary(actor=boss, consolidation_id=found.pk, account_id=pair[0].pk)


def delete(**more: bool) -> services.Ending:
    return services.Ending("deleted", is_confirmed=True, **more)


@pytest.mark.covers("S1.7")
def test_it_suggests_the_most_comprehensive_history(pair: tuple[User, User]) -> None:
    suggestion = suggest(gather(pair[1]), gather(pair[0]))
    assert suggestion.account == pair[0]
    assert suggestion.reasons[0] == "more completions (2 against 1)"


def test_it_suggests_the_older_account_when_all_is_equal() -> None:
    older, newer = (User.objects.create_user(name, f"{name}@example.org") for name in ("older", "newer"))
    assert suggest(gather(newer), gather(older)).account == older


@pytest.mark.covers("S1.8")
def test_it_obeys_another_choice(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    services.choose_primary(actor=boss, consolidation_id=consolidation.pk, account_id=pair[1].pk)
    consolidation.refresh_from_db()
    assert (consolidation.primary, consolidation.secondary_id) == (pair[1], pair[0].pk)


def test_it_resumes_the_open_consolidation(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    other_admin = User.objects.create_user("other", "other@example.org", role="superadmin")
    assert services.start(actor=other_admin, account=pair[0], other=pair[1]).pk == consolidation.pk
    assert [act.actor for act in consolidation.acts.all()] == [boss, boss]


@pytest.mark.covers("S1.11")
def test_it_lists_exactly_what_only_the_secondary_has(pair: tuple[User, User]) -> None:
    assert [row.course.title for row in missing_enrollments(*pair)] == ["Engines"]


@pytest.mark.covers("S1.12")
def test_it_enrolls_the_primary(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    missing = missing_enrollments(*pair)[0]
    services.re_enroll(actor=boss, consolidation_id=consolidation.pk, dates={missing.pk: None})
    enrollment = Enrollment.objects.get(user=pair[0], course=missing.course)
    assert (enrollment.status, enrollment.completed_at) == ("enrolled", None)
    assert not missing_enrollments(*pair)


def test_it_enrolls_with_a_completion_date_set_by_hand(
    boss: User, pair: tuple[User, User], consolidation: Consolidation
) -> None:
    missing, day = missing_enrollments(*pair)[0], datetime(2024, 5, 6, 12, tzinfo=UTC)
    services.re_enroll(actor=boss, consolidation_id=consolidation.pk, dates={missing.pk: day})
    enrollment = Enrollment.objects.get(user=pair[0], course=missing.course)
    assert (enrollment.status, enrollment.completed_at, enrollment.completion_set_by) == ("completed", day, boss)


@pytest.mark.covers("S1.13")
def test_it_stores_an_edited_completion_date(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    held, day = Enrollment.objects.get(user=pair[0], course__title="Algebra"), datetime(2023, 1, 2, 12, tzinfo=UTC)
    services.set_completion_date(actor=boss, consolidation_id=consolidation.pk, enrollment_id=held.pk, at=day)
    held.refresh_from_db()
    assert (held.completed_at, held.completion_set_by) == (day, boss)


def test_it_refuses_a_completion_in_the_future(
    boss: User, pair: tuple[User, User], consolidation: Consolidation
) -> None:
    held, day = Enrollment.objects.get(user=pair[0], course__title="Algebra"), timezone.now() + timedelta(days=1)
    with pytest.raises(ConsolidationError, match="future"):
        services.set_completion_date(actor=boss, consolidation_id=consolidation.pk, enrollment_id=held.pk, at=day)


def test_it_enrolls_nothing_when_one_is_not_missing(
    boss: User, pair: tuple[User, User], consolidation: Consolidation
) -> None:
    missing = missing_enrollments(*pair)[0]
    shared = Enrollment.objects.get(user=pair[1], course__title="Shared")
    with pytest.raises(ConsolidationError) as refusal:
        services.re_enroll(actor=boss, consolidation_id=consolidation.pk, dates={missing.pk: None, shared.pk: None})
    assert refusal.value.code == "not_missing"
    assert [row.pk for row in missing_enrollments(*pair)] == [missing.pk]


@pytest.mark.covers("S1.2", "S1.14", "S1.15", "S1.16", "S1.17")
def test_it_transfers_nothing_by_itself(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    engines = Enrollment.objects.get(user=pair[1], course__title="Engines")
    MaterialTracking.objects.create(enrollment=engines, material="unit-1")
    Certificate.objects.create(user=pair[1], course=engines.course, number="C-1", issued_at=timezone.now())
    LearningRecord.objects.create(user=pair[1], kind="course", course=engines.course, completed_at=timezone.now())
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=services.Ending("deactivated", True))
    assert Enrollment.objects.filter(user=pair[1]).count() == 2
    assert not MaterialTracking.objects.exclude(enrollment=engines).exists()
    assert not Certificate.objects.filter(user=pair[0]).exists()
    assert not LearningRecord.objects.filter(user=pair[0]).exists()


@pytest.mark.covers("S1.19")
def test_it_asks_to_confirm_before_removing(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    with pytest.raises(ConsolidationError) as refusal:
        services.finish(actor=boss, consolidation_id=consolidation.pk, ending=services.Ending("deleted", False))
    assert refusal.value.code == "not_confirmed"
    assert User.objects.get(pk=pair[1].pk).status == Status.ACTIVE


@pytest.mark.covers("S1.20")
def test_it_deletes_the_duplicate(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=delete())
    assert pair[1] not in User.objects.present().visible_to(boss)


@pytest.mark.covers("S1.26")
def test_it_refuses_an_email_still_in_use(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    taken = {"email": pair[1].email}
    with pytest.raises(FieldsInvalid, match="in use"):
        services.update_profile(actor=boss, consolidation_id=consolidation.pk, changes=taken)


@pytest.mark.covers("S1.27", "S1.28")
def test_it_takes_over_email_and_username(boss: User, pair: tuple[User, User], consolidation: Consolidation) -> None:
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=delete(takes_email=True, takes_username=True))
    pair[0].refresh_from_db()
    assert (pair[0].username, pair[0].email) == ("ada.byron", "ada.byron@example.org")


def test_it_takes_nothing_over_from_an_account_that_stays(
    boss: User, pair: tuple[User, User], consolidation: Consolidation
) -> None:
    ending = services.Ending("deactivated", True, takes_email=True)
    with pytest.raises(ConsolidationError) as refusal:
        services.finish(actor=boss, consolidation_id=consolidation.pk, ending=ending)
    assert refusal.value.code == "still_in_use"
    assert User.objects.get(pk=pair[1].pk).status == Status.ACTIVE


def test_it_is_finished_once(boss: User, consolidation: Consolidation) -> None:
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=delete())
    with pytest.raises(ConsolidationError) as refusal:
        services.finish(actor=boss, consolidation_id=consolidation.pk, ending=delete())
    assert refusal.value.code == "finished"


def test_the_mail_is_owed_with_the_end_and_names_the_account_that_is_kept(
    boss: User, consolidation: Consolidation, mailoutbox: list[Any]
) -> None:
    ending = delete(takes_email=True, notify=True)
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=ending)
    kept = User.objects.get(pk=Consolidation.objects.get().primary_id)
    assert Notice.objects.filter(kind="consolidation.done", recipient=kept, state="waiting").count() == 1
    send_due()
    (letter,) = [letter for letter in mailoutbox if letter.subject == "Your learning accounts are one now"]
    assert letter.to == [kept.email]
    assert kept.username in letter.body


def test_nobody_is_written_to_unasked(boss: User, consolidation: Consolidation) -> None:
    services.finish(actor=boss, consolidation_id=consolidation.pk, ending=delete())
    assert not Notice.objects.filter(kind="consolidation.done").exists()

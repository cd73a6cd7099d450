"""A deleted account leaves no personal value behind: not in a dump of the database, the log, or a kept mail."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import ProfileField, User
from accounts.services import create_token
from bulk.models import Import
from bulk.services import work
from commerce.models import Transaction
from consolidation import services as consolidation
from integrations import delivering
from launcher import where
from launcher.account import Account
from learning_records.models import Enrollment
from linking.notices import tell_members
from merging.models import Merge
from tests.factories import PASSWORD, CourseFactory, UserFactory

CANARY = "kanarienvogel"
PROFILE = {
    "username": CANARY,
    "email": f"{CANARY}@example.com",
    "first_name": CANARY.title(),
    "last_name": f"Von {CANARY.title()}",
    "employee_number": f"E-{CANARY}",
    "external_id": f"X-{CANARY}",
    "phone": f"0815 {CANARY}",
    "job_title": f"Chief {CANARY}",
    "profile": {"nickname": f"little {CANARY}"},
}
WORDS = (CANARY, "1987-06-05")


def dumped() -> list[str]:
    """Lines of a full dump in which the person shows."""
    brought = Account.of(where.home(where.data_dir())).programs.postgresql / "pg_dump"
    at = {name: str(value) for name, value in connection.get_connection_params().items()}
    known = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    there = {variable: at[name] for variable, name in known.items() if name in at}
    program = str(brought) if brought.exists() else "pg_dump"
    said = subprocess.run([program, "--inserts"], capture_output=True, text=True, check=False, env=os.environ | there)
    assert said.returncode == 0, said.stderr
    assert "INSERT INTO public.accounts_user" in said.stdout
    return [line for line in said.stdout.splitlines() if any(word in line.lower() for word in WORDS)]


class Traces:
    """Doors by which a person gets into the database, each used as people and machines use it."""

    def __init__(self, root: User, api: APIClient) -> None:
        self.root, self.api = root, api
        self.browser = Client()
        self.browser.force_login(root)
        ProfileField.objects.get_or_create(key="nickname", defaults={"label": "Nickname"})
        self.course = CourseFactory.create()

    def post(self, path: str, body: Any, key: str = "") -> Any:
        headers: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        answer = self.api.post(f"/api/v1/{path}/", body, format="json", **headers)
        assert answer.status_code in (200, 201, 202, 204), (path, answer.content)
        return answer.json() if answer.content else None

    def person(self) -> User:
        """Made over REST, with a key that names them; renamed by page and file."""
        made = self.post("users", {**PROFILE, "password": PASSWORD}, key=f"create-{CANARY}")
        User.objects.filter(pk=made["id"]).update(birth_date="1987-06-05")  # given by demonstrations alone
        return User.objects.get(pk=made["id"])  # type: ignore[no-any-return]

    def learn(self, person: User) -> None:
        """Texts that belong to the person, by every resource that takes one."""
        mine, note = {"user": person.pk}, f"because of {CANARY}"
        enrollment = self.post("enrollments", {**mine, "course": self.course.pk}, key=f"{CANARY}-enrolls")
        tracking = {"enrollment": enrollment["id"], "material": "m1", "kind": "scorm"}
        state = {"cmi.core.student_name": CANARY.title()}
        self.post("material-tracking", {**tracking, "responses": {"q": note}, "state": state})
        self.post(f"enrollments/{enrollment['id']}/void", {"reason": note})
        done = self.post("learning-records", {**mine, "kind": "activity", "title": f"Talk by {CANARY}", "completed_at": "2026-01-01T00:00:00Z"})  # fmt: skip
        for act in ("void", "restore", "void"):
            self.post(f"learning-records/{done['id']}/{act}", {"reason": note})
        training = {
            "title": f"{CANARY.title()}'s course",
            "provider": f"{CANARY} ltd",
            "completed_at": "2026-01-01T00:00:00Z",
        }
        self.post("external-trainings", {**mine, **training})
        self.post("competency-awards", {**mine, "competency": f"being {CANARY}", "level": 1})
        self.post("point-entries", {**mine, "amount": 5, "reason": note})
        self.post("coin-entries", {**mine, "amount": 5, "reason": note})
        paid = {"description": f"Course for {CANARY.title()}", "reference": f"INV-{CANARY}"}
        self.post("transactions", {**mine, "amount": "19.90", "currency": "EUR", **paid})

    def be_known(self, person: User) -> None:
        """Sign-ins that fail and succeed, mails, tokens, typed forms."""
        stranger = Client()
        for name in (CANARY, f"{CANARY}@example.com"):
            stranger.post(reverse("accounts:sign_in"), {"username": name, "password": "wrong"})
        stranger.post(reverse("accounts:forgotten_password"), {"email": person.email})
        theirs = Client()
        assert theirs.login(username=CANARY, password=PASSWORD)
        theirs.post(reverse("linking:link"), {"username": "nobody", "password": "wrong"})
        create_token(owner=person, name=f"laptop of {CANARY}")
        other = UserFactory.create(password=PASSWORD)
        theirs.post(reverse("linking:link"), {"username": other.username, "password": PASSWORD})
        assert tell_members() == 1

    def upload(self, kind: str, text: str) -> None:
        file = SimpleUploadedFile(f"{CANARY}.csv", text.encode(), content_type="text/csv")
        self.browser.post(reverse("bulk:upload", args=[kind]), {"file": file})
        kept = Import.objects.latest("pk")
        while work(kept.pk):
            pass
        self.browser.post(reverse("bulk:confirm", args=[kept.pk]))
        while work(kept.pk):
            pass
        kept.refresh_from_db()
        assert kept.status == Import.Status.DONE

    def files(self) -> None:
        """Rows that found the person, that were refused, and that name them in passing."""
        self.upload("users", f"username,phone\n{CANARY},0816 {CANARY}\n{CANARY},1\n{CANARY}@example.com,\n")
        self.upload(
            "records", f"user,course,completed_at\nE-{CANARY},{self.course.pk},2026-02-02\n{CANARY},nothing,x\n"
        )

    def consolidate(self, person: User) -> None:
        other = UserFactory.create()
        steps: dict[str, Any] = {"actor": self.root}
        begun = consolidation.start(**steps, account=person, other=other)
        steps["consolidation_id"] = begun.pk
        consolidation.choose_primary(**steps, account_id=person.pk)
        consolidation.update_profile(**steps, changes={"phone": f"0817 {CANARY}"})

    def deliver(self) -> None:
        """To a receiver that isn't there."""
        self.post("webhooks", {"url": "https://receiver.invalid/hook"})
        delivering.take_events()

    def merge(self, source: User, destination: User, door: str) -> Merge:
        question = {"source": source.pk, "destination": destination.pk, "policy": "keep_primary"}
        reason = f"both are {CANARY}"
        if door == "rest":
            self.post("merges/preview", question, key=f"try-{CANARY}-{source.pk}")
            self.post("merges", {**question, "reason": reason}, key=f"merge-{CANARY}-{source.pk}")
        elif door == "admin":
            self.browser.post(reverse("admin:merging_merge_add"), {**question, "reason": reason})
        else:
            self.upload("merges", f"source,destination,policy,reason\n{source.username},{destination.username},keep_primary,{reason}\n")  # fmt: skip
        return Merge.objects.get(source=source, status=Merge.Status.DONE)

    def all_of(self, person: User) -> None:
        self.learn(person)
        self.be_known(person)
        self.files()
        self.consolidate(person)
        self.deliver()

    def delete(self, person: User) -> None:
        self.browser.force_login(self.root)
        self.browser.post(reverse("accounts:delete", args=[person.pk]), {"understood": "on"})
        assert User.objects.get(pk=person.pk).status == "deleted"


@pytest.fixture
def traces(db: None, superadmin: User, api: APIClient, settings: Any, tmp_path: Path) -> Traces:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return Traces(superadmin, api)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "django.db.backends")  # statements with their values: never on in a portal
    return lambda: [line for line in caplog.text.splitlines() if any(word in line.lower() for word in WORDS)]


def mails() -> list[str]:
    folder = Path(portal.EMAIL_FILE_PATH)
    return [path.name for path in folder.iterdir() if CANARY in path.read_text().lower()] if folder.exists() else []


@pytest.mark.covers("P.13")
@pytest.mark.django_db(transaction=True)
def test_a_deleted_account_is_found_nowhere(traces: Traces, log: Callable[[], list[str]]) -> None:
    person = traces.person()
    traces.all_of(person)
    assert len({line.split(" VALUES")[0] for line in dumped()}) > 12
    assert mails()
    traces.delete(person)
    assert dumped() == []
    assert mails() == []
    assert log() == []


@pytest.mark.covers("P.13")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["rest", "admin", "csv"])
def test_a_merged_account_lives_on_in_its_survivor_alone(
    traces: Traces, door: str, log: Callable[[], list[str]]
) -> None:
    """By its old identifiers, which find the survivor; and it is gone with the survivor."""
    person, survivor = traces.person(), UserFactory.create()
    traces.files()
    traces.be_known(person)
    merge = traces.merge(person, survivor, door)
    traces.delete(person)
    left = dumped()
    assert left
    assert {line.split(" VALUES")[0] for line in left} == {"INSERT INTO public.accounts_alias"}
    assert all(f", {survivor.pk});" in line for line in left)
    merge.refresh_from_db()
    assert merge.values_forgotten_at
    traces.delete(survivor)
    assert dumped() == []
    assert log() == []


@pytest.mark.covers("P.13")
@pytest.mark.django_db(transaction=True)
def test_deleting_the_survivor_erases_what_was_merged_into_it(traces: Traces) -> None:
    """A chain of inactive accounts is one person's; an account that is active again is left alone."""
    person, middle, survivor, back = traces.person(), *(UserFactory.create() for _ in range(3))
    traces.learn(person)
    traces.merge(back, middle, "rest")
    traces.merge(person, middle, "rest")
    traces.merge(middle, survivor, "rest")
    User.objects.filter(pk=back.pk).update(status="active")
    traces.delete(survivor)
    assert dumped() == []
    assert set(User.objects.filter(status="deleted")) == {person, middle, survivor}
    assert Enrollment.objects.get().user_id == survivor.pk
    assert Transaction.objects.get().reference == "INV-[removed]"

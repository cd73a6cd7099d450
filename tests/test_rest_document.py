"""The OpenAPI document is true: schemathesis sends what it allows and forbids, and compares every answer with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from accounts.models import User
from accounts.services import create_token
from tests.factories import (
    BadgeFactory,
    BranchFactory,
    CertificateFactory,
    CertificationFactory,
    EnrollmentFactory,
    LearningPlanFactory,
    LearningRecordFactory,
    MaterialTrackingFactory,
    ProfileFieldFactory,
    RewardFactory,
    SubscriptionPlanFactory,
    UserFactory,
)

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ROOT / ".venv-fuzz" / "bin" / "schemathesis"
EXAMPLES = os.environ.get("FUZZ_REST_EXAMPLES", "1")
PHASES = "examples,coverage,fuzzing,stateful" if "FUZZ_REST_EXAMPLES" in os.environ else "examples,fuzzing,stateful"


@pytest.fixture
def a_little_of_everything(learner: User, stranger: User) -> None:
    ProfileFieldFactory.create(key="shoe", type="number")
    for factory in (
        BranchFactory,
        BadgeFactory,
        RewardFactory,
        SubscriptionPlanFactory,
        LearningPlanFactory,
        CertificationFactory,
    ):
        factory.create()
    for user in (learner, stranger):
        MaterialTrackingFactory.create(enrollment=EnrollmentFactory.create(user=user))
        LearningRecordFactory.create(user=user)
        CertificateFactory.create(user=user)
        UserFactory.create()


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(7200)
def test_its_answers_are_what_the_document_says(
    live_server: Any, superadmin: User, a_little_of_everything: None
) -> None:
    subprocess.run([sys.executable, ROOT / "launcher" / "venv.py", "fuzz"], check=True)
    key, _ = create_token(owner=superadmin)
    folder = notes()
    headers = {"Authorization": f"Bearer {key}"}  # strangers aren't shown the custom fields
    (folder / "schema.json").write_bytes(Client().get("/api/v1/schema/", headers=headers).content)
    words = [
        str(COMMAND), "--config-file", str(ROOT / "tests" / "schemathesis.toml"), "run",
        str(folder / "schema.json"), "--url", live_server.url, "--header", f"Authorization: Bearer {key}", "--phases", PHASES,
        "--max-examples", EXAMPLES, "--seed", "1", "--request-timeout", "60", "--workers", "2", "--no-color",
    ]  # fmt: skip
    run = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]


@pytest.mark.parametrize("value", ["a\x00b", ["\x00"], {"\x00": 1}, {"a": [{"b": ["\x00"]}]}])
def test_it_forbids_null_characters_at_every_depth_as_the_server_does(api: Any, value: Any) -> None:
    document = json.loads(Client().get("/api/v1/schema/").content)
    schema = {"$ref": "#/components/schemas/PatchedMaterialTrackingRequest", "components": document["components"]}
    path = f"/api/v1/material-tracking/{MaterialTrackingFactory.create().pk}/"
    for state, is_allowed in (({"a": value}, False), ({"a": [{"b": ["c", 1, None, True]}]}, True)):
        assert Draft202012Validator(schema).is_valid({"state": state}) == is_allowed
        assert api.patch(path, {"state": state}, format="json").status_code == (200 if is_allowed else 400)


def notes() -> Path:
    """Where the command may leave its notes."""
    folder = Path(os.environ["DATA_DIR"]) / "schemathesis"
    folder.mkdir(exist_ok=True)
    return folder

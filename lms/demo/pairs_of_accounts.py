"""Prepared pairs about the accounts themselves: who may be merged, and what becomes of the profile."""

from __future__ import annotations

from datetime import date

from lms.demo.learning import Held
from lms.demo.stage import Stage, pair


@pair(
    "anna.schmidt", "anna.schmidt-weber", "profiles that differ, branches and managers",
    "each field as ticked, a blank source value isn't preselected; branches of both; the destination's manager",
)  # fmt: skip
def profiles(stage: Stage) -> None:
    source = stage.person(
        "anna.schmidt", "Anna Schmidt", phone="+49 40 555123", employee_number="E200417", job_title=""
    )
    destination = stage.person(
        "anna.schmidt-weber", "Anna Schmidt-Weber", "Munich office", phone="+49 89 555987", job_title="Team lead",
        language="de", timezone="Europe/Berlin",
    )  # fmt: skip
    stage.people.fill(source, cost_centre="CC-4711", shoe_size="39", shift="Late")
    stage.people.fill(destination, cost_centre="CC-4800", first_aider="yes")
    stage.people.manage(source, stage.person("helga.braun", "Helga Braun", job_title="Team lead"))
    stage.people.manage(destination, stage.person("otto.lang", "Otto Lang", "Munich office", job_title="Team lead"))
    stage.learning.enroll(source, Held("ONB-101", score=None, days_ago=500))


@pair(
    "david.clarke", "david.clarke2", "birth dates that differ",
    "the review warns: one name, but perhaps two people",
)  # fmt: skip
def two_people(stage: Stage) -> None:
    source = stage.person("david.clarke", "David Clarke", birth_date=date(1979, 2, 3))
    destination = stage.person("david.clarke2", "David Clarke", birth_date=date(1996, 11, 30))
    stage.learning.enroll(source, Held("COM-110", score=80, days_ago=60))
    stage.learning.enroll(destination, Held("COM-110", "enrolled", None, 0, 20))


@pair(
    "maria.lopez", "maria.lopez.garcia", "rehired: the old account is inactive",
    "an inactive source is allowed, its history follows the person to the new account",
)  # fmt: skip
def rehired(stage: Stage) -> None:
    source = stage.person("maria.lopez", "Maria Lopez", "Puebla plant", status="inactive", employee_number="E190033")
    destination = stage.person("maria.lopez.garcia", "Maria Lopez Garcia", "Puebla plant", employee_number="E205512")
    stage.learning.enroll(source, Held("SAF-110", score=90, days_ago=200))
    stage.learning.certify(source, "Fire warden", 200)
    stage.learning.enroll(destination, Held("ONB-101", score=None, days_ago=15))


@pair(
    "paul.graham", "paul.graham2", "the destination is inactive",
    "refused until it is reactivated", refused=True,
)  # fmt: skip
def inactive_destination(stage: Stage) -> None:
    source = stage.person("paul.graham", "Paul Graham")
    stage.person("paul.graham2", "Paul Graham", status="inactive")
    stage.learning.enroll(source, Held("OFF-110", score=77, days_ago=33))


@pair(
    "lena.fischer", "lena.fischer.pu", "one of the two is a power user",
    "refused: superadmins and power users are never merged", refused=True,
)  # fmt: skip
def power_user(stage: Stage) -> None:
    source = stage.person("lena.fischer", "Lena Fischer")
    stage.person("lena.fischer.pu", "Lena Fischer", role="power_user", rights=["users.view"])
    stage.learning.enroll(source, Held("LEA-101", score=90, days_ago=44))


@pair(
    "jane.doe", "jane.smith", "accounts that a person links herself",
    "sign in as jane.doe, open Preferences > Linked accounts and link jane.smith; or merge them as the admin",
)  # fmt: skip
def to_be_linked(stage: Stage) -> None:
    doe = stage.person("jane.doe", "Jane Doe", "Toronto office")
    smith = stage.person("jane.smith", "Jane Smith", "Resellers")
    stage.learning.enroll(doe, Held("SAL-130", score=84, days_ago=100))
    stage.learning.enroll(doe, Held("COM-140", score=70, days_ago=500))
    stage.learning.enroll(smith, Held("SAL-101", score=93, days_ago=50))
    stage.learning.record(smith, "program", stage.learning.ago(70), title="Reseller program")
    stage.learning.enroll(smith, Held("SAF-170", score=60, days_ago=45, is_voided=True))

"""Prepared pairs about courses: which record becomes current, and what follows from it."""

from __future__ import annotations

from lms.demo.learning import Held
from lms.demo.stage import Stage, pair


@pair(
    "erin.olsson", "erin.olsson2", "shared course, both completed",
    "the better score, 92, is current and the other historical; certificates alike",
)  # fmt: skip
def both_completed(stage: Stage) -> None:
    source, destination = stage.two("erin.olsson", "erin.olsson2", "Erin Olsson", job_title="Quality inspector")
    stage.learning.enroll(source, Held("QUA-101", score=92, days_ago=120))
    stage.learning.enroll(destination, Held("QUA-101", score=70, days_ago=200))
    stage.learning.enroll(source, Held("OFF-101", score=80, days_ago=300))
    stage.learning.enroll(destination, Held("OFF-110", score=75, days_ago=80))


@pair(
    "tom.berger", "thomas.berger", "completed against in progress",
    "completed with 70 wins over in progress with 95: status comes before score",
)  # fmt: skip
def completed_or_further(stage: Stage) -> None:
    source = stage.person("tom.berger", "Tom Berger", phone="+49 40 555010")
    destination = stage.person("thomas.berger", "Thomas Berger", phone="+49 40 555011", job_title="Electrician")
    stage.learning.enroll(source, Held("SAF-160", score=70, days_ago=30))
    stage.learning.enroll(destination, Held("SAF-160", "in_progress", 95, 90, 10))
    stage.learning.enroll(source, Held("SAF-140", "in_progress", None, 40, 12))
    stage.learning.enroll(destination, Held("SAF-140", "enrolled", None, 0, 5))


@pair(
    "mina.park", "mina.park-kim", "tracking travels with its own enrollment",
    "SCORM and xAPI state and responses move; two attempts at one course are never mixed",
)  # fmt: skip
def tracking(stage: Stage) -> None:
    source = stage.person("mina.park", "Mina Park", "Osaka plant")
    destination = stage.person("mina.park-kim", "Mina Park Kim", "Osaka plant")
    for code, progress in (("SAF-101", 85), ("SEC-110", 45), ("LAN-101", 60), ("OFF-120", 30)):
        stage.learning.enroll(source, Held(code, "in_progress", None, progress, 20))
    stage.learning.enroll(destination, Held("SAF-101", "in_progress", None, 25, 15))


@pair(
    "olga.novak", "olga.novakova", "the better record ends earlier",
    "the review warns, naming both ends: 95 valid for 20 days more wins over 80 valid for 300",
)  # fmt: skip
def ends_earlier(stage: Stage) -> None:
    source = stage.person("olga.novak", "Olga Novak")
    destination = stage.person("olga.novakova", "Olga Nováková")
    stage.learning.enroll(source, Held("SAF-150", score=95, days_ago=345, ends_in=20))
    stage.learning.enroll(destination, Held("SAF-150", score=80, days_ago=65, ends_in=300))


@pair(
    "sam.okafor", "samuel.okafor", "certification in its renewal window",
    "the source's newer completion renews the destination's certification, which ends in 30 days",
)  # fmt: skip
def in_renewal(stage: Stage) -> None:
    source, destination = stage.two("sam.okafor", "samuel.okafor", "Samuel Okafor")
    stage.learning.enroll(destination, Held("SAF-120", score=75, days_ago=700, ends_in=30))
    stage.learning.certify(destination, "Certified first aider", 700, 30)
    stage.learning.enroll(source, Held("SAF-120", score=88, days_ago=20))
    stage.learning.certify(source, "Certified first aider", 20)


@pair(
    "li.wei", "wei.li", "certification not held",
    "the merged course brings the certification, dated by the course's own completion",
)  # fmt: skip
def not_held(stage: Stage) -> None:
    source = stage.person("li.wei", "Wei Li", "Da Nang office")
    stage.person("wei.li", "Wei Li", "Da Nang office")
    stage.learning.enroll(source, Held("SAF-130", score=90, days_ago=150))
    stage.learning.certify(source, "Forklift licence", 150)


@pair(
    "rita.mendes", "rita.mendes.silva", "learning plans stay, their courses move",
    "the plan stays on the source and is listed; completing its course re-evaluates the destination's plan",
)  # fmt: skip
def plans(stage: Stage) -> None:
    source = stage.person("rita.mendes", "Rita Mendes", "Porto plant")
    destination = stage.person("rita.mendes.silva", "Rita Mendes Silva", "Porto plant")
    theirs = [Held("ONB-101", score=None, days_ago=60), Held("COM-101", score=85, days_ago=50)]
    ours = [Held("SAL-101", score=70, days_ago=40), Held("SAL-110", "in_progress", None, 50, 10)]
    more = [Held("SAL-120", score=91, days_ago=25)]
    for each in theirs + more:
        stage.learning.enroll(source, each)
    for each in ours:
        stage.learning.enroll(destination, each)
    stage.learning.plan(source, "Onboarding", theirs)
    stage.learning.plan(destination, "Sales academy", ours)


@pair(
    "karin.lund", "karin.lund-berg", "a voided completion counts for little",
    "completed with 60 but voided loses against completed with 50",
)  # fmt: skip
def voided(stage: Stage) -> None:
    source = stage.person("karin.lund", "Karin Lund", "Malmö office")
    destination = stage.person("karin.lund-berg", "Karin Lund Berg", "Malmö office")
    stage.learning.enroll(destination, Held("COM-120", score=60, days_ago=90, is_voided=True))
    stage.learning.enroll(source, Held("COM-120", score=50, days_ago=70))

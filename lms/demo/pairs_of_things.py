"""Prepared pairs about what people hold beside courses: licences, payments, badges, training elsewhere, links."""

from __future__ import annotations

from linking.models import Link, LinkGroup, Membership, Pair
from lms.demo.learning import Held
from lms.demo.stage import Stage, pair


@pair(
    "nils.dahl", "nils.dahlberg", "a licence that the destination's branches may not see",
    "Plant skills is skipped and listed, Language lab moves, of Executive library one seat is released",
)  # fmt: skip
def licences(stage: Stage) -> None:
    source = stage.person("nils.dahl", "Nils Dahl", "Hamburg plant")
    destination = stage.person("nils.dahlberg", "Nils Dahlberg", "Munich office")
    for plan in ("Plant skills", "Language lab", "Executive library"):
        stage.careers.license(source, plan)
    stage.careers.license(destination, "Executive library")


@pair(
    "ivan.petrov", "ivan.petroff", "external training of both, one certification",
    "both trainings stay; the award that ends later, the source's, stays active, the other is history",
)  # fmt: skip
def external(stage: Stage) -> None:
    source = stage.person("ivan.petrov", "Ivan Petrov")
    destination = stage.person("ivan.petroff", "Ivan Petroff")
    stage.learning.train(source, "Auditor course at the chamber", 40, "Internal auditor", 900)
    stage.learning.train(destination, "Auditor evening class", 600, "Internal auditor", 200)
    stage.learning.train(source, "Welding certificate", 1200)


@pair(
    "bea.costa", "beatriz.costa", "badges, points, coins and the reward shop",
    "of two equal badges the earlier counts; points and coins add up exactly; requests move",
)  # fmt: skip
def rewards(stage: Stage) -> None:
    source = stage.person("bea.costa", "Bea Costa", "Porto plant")
    destination = stage.person("beatriz.costa", "Beatriz Costa", "Porto plant")
    taken = [Held("HEA-101", score=None, days_ago=400), Held("HEA-110", score=99, days_ago=350)]
    for each in taken:
        stage.learning.enroll(source, each)
    stage.careers.win(source, taken)
    stage.careers.ask_for(source, "Coffee mug", 30, "approved")
    stage.careers.badge(destination, "First steps", 100)
    stage.careers.badge(destination, "Early bird", 90)


@pair(
    "jin.ito", "jin.itoh", "payments in several currencies",
    "every payment moves with its id and amount, per currency; without enrollments none moves",
)  # fmt: skip
def payments(stage: Stage) -> None:
    source = stage.person("jin.ito", "Jin Ito", "Osaka plant")
    destination = stage.person("jin.itoh", "Jin Itoh", "Osaka plant")
    stage.learning.enroll(source, Held("LAN-110", "in_progress", None, 20, 30))
    stage.careers.pay(source, 12_000, "JPY", "German for newcomers", 31)
    stage.careers.pay(source, 80, "EUR", "Textbook", 30)
    stage.careers.pay(source, -80, "EUR", "Textbook, refunded", 20)
    stage.careers.pay(destination, 49, "USD", "Presenting with confidence", 200)


@pair(
    "eva.roux", "eva.moreau", "competencies at two levels",
    "the higher level is kept, the lower superseded",
)  # fmt: skip
def competencies(stage: Stage) -> None:
    source = stage.person("eva.roux", "Eva Roux", "Toronto office")
    destination = stage.person("eva.moreau", "Eva Moreau", "Toronto office")
    for competency, theirs, ours in (("Teamwork", 4, 2), ("Spoken English", 3, 5), ("Problem solving", 2, 0)):
        stage.learning.reach(source, competency, theirs, 200)
        if ours:
            stage.learning.reach(destination, competency, ours, 150)


@pair(
    "noor.haddad", "noor.haddad-visser", "two accounts that are linked already",
    "equivalencies between the two are superseded, since nobody is equivalent to themselves; the group ends",
)  # fmt: skip
def linked(stage: Stage) -> None:
    source = stage.person("noor.haddad", "Noor Haddad", "Rotterdam warehouse")
    destination = stage.person("noor.haddad-visser", "Noor Haddad Visser", "Rotterdam warehouse")
    since = stage.learning.ago(60)
    group = stage.book.add(LinkGroup, created_at=since)
    for user in (source, destination):
        stage.book.add(Membership, user_id=user, group_id=group, created_at=since)
    link = stage.book.add(Link, account_id=source, other_id=destination, created_at=since, told_at=since)
    for account, counterpart in ((source, destination), (destination, source)):
        times = {"linked_at": since, "created_at": since, "finished_at": since}
        stage.book.add(Pair, link_id=link, account_id=account, counterpart_id=counterpart, **times)
    _earn(stage, source, destination, "SEC-120", 30)
    _earn(stage, destination, source, "LEA-140", 10)


def _earn(stage: Stage, account: int, counterpart: int, code: str, days_ago: int) -> None:
    """A completion after the link, and the equivalency that it owes."""
    at, course = stage.learning.ago(days_ago), stage.learning.catalog.courses[code]
    earned = stage.learning.record(account, "course", at, course_id=course.id)
    stage.learning.record(counterpart, "course", at, course_id=course.id, origin="equivalency", equivalent_of_id=earned)

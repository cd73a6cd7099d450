"""How far the generation is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from linking.models import Link, Pair
from linking.owed import ISSUED_OF_LINK


@dataclass(frozen=True)
class Progress:
    """`status` is none (nothing was asked for), pending or done; `issued` of `owed` equivalencies exist."""

    status: str
    owed: int
    issued: int

    @property
    def percent(self) -> int:
        """Of 100; something that is done is 100 even when nothing was owed."""
        return 100 if self.status != "pending" or not self.owed else min(99, self.issued * 100 // self.owed)


def progress_of(link: Link) -> Progress:
    """The progress of one link's old records."""
    if not link.generates_equivalencies:
        return Progress("none", 0, 0)
    pairs = Pair.objects.filter(link=link)
    if not pairs.filter(finished_at=None).exists():
        return Progress("done", link.owed, link.owed)
    with connection.cursor() as cursor:
        cursor.execute(ISSUED_OF_LINK, [link.pk])
        (issued,) = cursor.fetchone()
    return Progress("pending", link.owed, min(link.owed, issued))


def progress_of_group(account_ids: list[int]) -> Progress:
    """That of all links between these accounts that generate equivalencies, added up."""
    links = Link.objects.filter(Q(account__in=account_ids) | Q(other__in=account_ids), generates_equivalencies=True)
    each = [progress_of(link) for link in links]
    if not each:
        return Progress("none", 0, 0)
    status = "pending" if any(one.status == "pending" for one in each) else "done"
    return Progress(status, sum(one.owed for one in each), sum(one.issued for one in each))

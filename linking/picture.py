"""A small picture of a group: its accounts on a circle, and a numbered line for each act that linked two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

from accounts.models import User
from linking.models import Link
from linking.services.groups import Group

WIDTH: Final = 280
HEIGHT: Final = 220
RADIUS: Final = 70


@dataclass(frozen=True)
class Node:
    """An account, and where it is drawn."""

    account: User
    x: int
    y: int

    @property
    def label_at(self) -> int:
        """How far from the circle its label stands: above it in the upper half, where lines come from below."""
        return -16 if self.y < HEIGHT // 2 - 10 else 26

    @property
    def label(self) -> str:
        name: str = self.account.username
        return name if len(name) <= 16 else f"{name[:15]}…"


@dataclass(frozen=True)
class Edge:
    """An act; `number` stands beside its line and in the list below the picture."""

    number: int
    link: Link
    start: Node | None
    end: Node | None

    @property
    def is_drawn(self) -> bool:
        return self.start is not None and self.end is not None and self.start != self.end

    @property
    def middle(self) -> tuple[int, int]:
        if self.start is None or self.end is None:
            return 0, 0
        return (self.start.x + self.end.x) // 2, (self.start.y + self.end.y) // 2


@dataclass(frozen=True)
class Picture:
    """All of it, in the units of the drawing."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def as_sentence(self) -> str:
        """What the drawing says, for those who don't see it."""
        names = ", ".join(node.account.username for node in self.nodes)
        return f"{len(self.nodes)} linked accounts: {names}"


def draw(group: Group, seen: set[int]) -> Picture:
    """The group, as far as these accounts may be known."""
    members = [member.account for member in group.members if member.account.pk in seen]
    nodes = {account.pk: _node(account, place, len(members)) for place, account in enumerate(members)}
    acts = [link for link in group.links if _survivor(link.account) in seen and _survivor(link.other) in seen]
    edges = [
        Edge(number, link, nodes.get(_survivor(link.account)), nodes.get(_survivor(link.other)))
        for number, link in enumerate(acts, start=1)
    ]
    return Picture(list(nodes.values()), edges)


def _node(account: User, place: int, of: int) -> Node:
    angle = 2 * pi * place / of + pi
    return Node(account, round(WIDTH / 2 + 1.3 * RADIUS * cos(angle)), round(HEIGHT / 2 + RADIUS * sin(angle)))


def _survivor(account: User) -> int:
    return int(account.survivor().pk)

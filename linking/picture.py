"""A small picture of a group: its accounts on a circle, and a numbered line for each act that linked two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """An act; `number` stands beside its line and in the list below the picture.

    `account` linked `other`: the accounts of then, or where they were merged away out of sight, those that they became.
    """

    number: int
    link: Link
    start: Node
    end: Node
    account: User
    other: User

    @property
    def is_drawn(self) -> bool:
        return self.start != self.end

    @property
    def middle(self) -> tuple[int, int]:
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
    acts = [link for link in group.links if {_survivor(link.account), _survivor(link.other)} <= nodes.keys()]
    edges = [_edge(number, link, nodes, seen) for number, link in enumerate(acts, start=1)]
    return Picture(list(nodes.values()), edges)


def _edge(number: int, link: Link, nodes: Mapping[int, Node], seen: set[int]) -> Edge:
    ends = [(account, nodes[_survivor(account)]) for account in (link.account, link.other)]
    named = [account if account.pk in seen else node.account for account, node in ends]
    return Edge(number, link, ends[0][1], ends[1][1], named[0], named[1])


def _node(account: User, place: int, of: int) -> Node:
    angle = 2 * pi * place / of + pi
    return Node(account, round(WIDTH / 2 + 1.3 * RADIUS * cos(angle)), round(HEIGHT / 2 + RADIUS * sin(angle)))


def _survivor(account: User) -> int:
    return int(account.survivor().pk)

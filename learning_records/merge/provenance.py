"""Where a row first came from: set when a merge moves it, and kept by the merges after."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from merging.handlers import Verdict


def told_apart(cases: Iterable[tuple[str, str]], moving: Collection[str]) -> Iterator[tuple[str, str]]:
    """The cases, with one more for moving rows that an earlier merge brought already."""
    for condition, verdict in cases:
        if verdict in moving:
            yield f"{condition} AND merged_from_id IS NOT NULL", f"{verdict}_again"
        yield condition, verdict


def with_origin(verdicts: Mapping[str, Verdict], moving: Collection[str], source_id: int) -> dict[str, Verdict]:
    """The verdicts, of which the moving ones say where the row came from, unless it came from elsewhere before."""
    told: dict[str, Verdict] = {}
    for name, verdict in verdicts.items():
        told[name] = verdict
        if name in moving:
            before = {**verdict.before, "merged_from_id": None}
            after = {**verdict.after, "merged_from_id": source_id}
            told |= {name: replace(verdict, before=before, after=after), f"{name}_again": verdict}
    return told

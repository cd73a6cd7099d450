"""Learning records: received one a row, with the services that REST and pages use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.errors import AccountError, AmbiguousIdentifier
from accounts.models import User
from bulk.kinds.base import refuse_repeats, resolve, words_of
from bulk.models import Import, ImportRow
from learning_records.errors import LearningError
from learning_records.models import Course, LearningRecord
from learning_records.services import NewRecord, receive
from learning_records.services.receiving import BY_COURSE

Verdict = ImportRow.Verdict


class RowWrong(Exception):
    """A cell that can't be taken: its column, and what to do."""

    def __init__(self, column: str, detail: str) -> None:
        self.column, self.detail = column, detail
        super().__init__(detail)


class RecordsKind:
    """`user` by id or identifier, `course` by id, code or title; dates as YYYY-MM-DD, with a time if it matters."""

    summary = "Add learning records: completed courses, programs and activities, with date, expiry and score."

    def columns(self) -> list[str]:
        return ["user", "kind", "course", "title", "completed_at", "expires_at", "score"]

    def required(self) -> list[str]:
        return ["user", "completed_at"]

    def judge(self, rows: Sequence[ImportRow], actor: User) -> None:
        courses = _Courses()
        for row in rows:
            try:
                row.target, row.differences = _parse(row.cells, actor, courses)
            except RowWrong as error:
                row.refuse(error.column, error.detail)
            else:
                row.verdict = _held(row)

    def settle(self, file: Import) -> None:
        key = "CASE WHEN verdict = 'added' THEN target::text || differences::text END"
        refuse_repeats(file, key, "", "The same record stands in line %s already. Remove one of the two rows.")

    def run(self, rows: Sequence[ImportRow], actor: User, origin: str) -> None:
        for row in rows:
            row.verdict = ""
        self.judge(rows, actor)
        added = [row for row in rows if row.verdict == Verdict.ADDED]
        try:
            receive([_entry(row) for row in added], actor_id=actor.pk, origin=origin)
        except (LearningError, AccountError):
            for row in added:  # one of them: find out which, and keep the others
                _receive_one(row, actor, origin)
        for row in rows:
            row.outcome = row.verdict

    def listing(self, actor: User) -> Iterator[Iterable[object]]:
        return iter(())


class _Courses:
    """Finds courses by id, code or title, each once."""

    def __init__(self) -> None:
        self.found: dict[str, Course] = {}

    def find(self, text: str) -> Course:
        if text not in self.found:
            self.found[text] = self._look(text)
        return self.found[text]

    def _look(self, text: str) -> Course:
        if (
            text.isascii()
            and text.isdigit()
            and len(text) < 19
            and (course := Course.objects.filter(pk=int(text)).first())
        ):
            return course
        for column in ("code", "title"):
            named = list(Course.objects.filter(**{f"{column}__iexact": text})[:2])
            if len(named) > 1:
                raise RowWrong("course", f"Several courses have this {column}. Give the id of the one you mean.")
            if named:
                return named[0]
        raise RowWrong("course", "There is no such course. Give its id, code or title.")


def _parse(cells: Mapping[str, str], actor: User, courses: _Courses) -> tuple[int, dict[str, Any]]:
    try:
        user = resolve(actor, cells.get("user", "")) if cells.get("user") else None
    except AmbiguousIdentifier as error:
        raise RowWrong("user", error.detail) from error
    if user is None:
        raise RowWrong("user", "No account is found by this. Give the id, username or e-mail of an account.")
    if not user.is_learner and not actor.is_superadmin:
        raise RowWrong("user", "Only a superadmin may add learning records for a power user or superadmin.")
    kind = (cells.get("kind") or LearningRecord.Kind.COURSE).lower()
    if kind not in LearningRecord.Kind.values:
        raise RowWrong("kind", "Give course, program or activity.")
    course = courses.find(cells["course"]) if cells.get("course") else None
    if kind == LearningRecord.Kind.COURSE and course is None:
        raise RowWrong("course", "A course record names its course.")
    if kind != LearningRecord.Kind.COURSE and (course is not None or not cells.get("title")):
        raise RowWrong("title", "A program or activity has a title, and no course.")
    completed_at = _moment(cells, "completed_at")
    if completed_at is None or completed_at > timezone.now():
        raise RowWrong("completed_at", "Give the day of completion as YYYY-MM-DD, today or earlier.")
    expires_at = _moment(cells, "expires_at")
    score = _score(cells.get("score", ""))
    return user.pk, {
        "kind": kind,
        "course": course.pk if course else None,
        "title": cells.get("title", "")[:200],
        "completed_at": completed_at.isoformat(),
        "expires_at": expires_at.isoformat() if expires_at else None,
        "score": str(score) if score is not None else None,
    }


def _moment(cells: Mapping[str, str], column: str) -> datetime | None:
    """A day counts from its noon, UTC, so that it is the same day almost everywhere."""
    text = cells.get(column, "")
    if not text:
        return None
    try:
        if day := parse_date(text):
            return datetime.combine(day, time(12), tzinfo=UTC)
        if moment := parse_datetime(text):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise RowWrong(column, "Give a date as YYYY-MM-DD.")


def _score(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        score = Decimal(text)
    except InvalidOperation as error:
        raise RowWrong("score", "Give a number from 0 to 100.") from error
    if not score.is_finite() or not 0 <= score <= 100:
        raise RowWrong("score", "Give a number from 0 to 100.")
    return score.quantize(Decimal("0.01"))


def _held(row: ImportRow) -> str:
    """A record that is there already isn't received twice: the file may be uploaded again."""
    same = LearningRecord.objects.filter(
        user=row.target,
        kind=row.differences["kind"],
        course=row.differences["course"],
        completed_at=row.differences["completed_at"],
        origin=LearningRecord.Origin.EARNED,
        is_superseded=False,
    )
    if row.differences["course"] is None:
        same = same.filter(title=row.differences["title"])
    return Verdict.UNCHANGED if same.exists() else Verdict.ADDED


def _entry(row: ImportRow) -> NewRecord:
    values = row.differences
    return NewRecord(
        user_id=row.target or 0,
        completed_at=datetime.fromisoformat(values["completed_at"]),
        kind=values["kind"],
        course_id=values["course"],
        title=values["title"],
        expires_at=datetime.fromisoformat(values["expires_at"]) if values["expires_at"] else BY_COURSE,
        score=Decimal(values["score"]) if values["score"] else None,
    )


def _receive_one(row: ImportRow, actor: User, origin: str) -> None:
    try:
        receive([_entry(row)], actor_id=actor.pk, origin=origin)
    except LearningError as error:
        row.refuse("", error.detail)
    except AccountError as error:
        row.refuse("user", words_of(error))

"""Issuing equivalencies against the bare INSERT … SELECT … ON CONFLICT, one and two workers, and how soon they are seen.

python -m benchmarks.linking [owed …], three rounds each; 0 owed: only how soon they are seen.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil

from benchmarks.setting import database, middle, seconds, settle, table

SIZES = {10_000: 5, 100_000: 3, 1_000_000: 3}
RECORDS = 500  # of an account, so that there are as many links as a busy day has
ARRIVALS = 100
HEAD = ["owed", "raw", "one worker", "two workers", "one / raw", "two / raw", "one / two", "µs each, one worker"]
HEAD += ["one / raw, processor time"]

_RAW = """
    INSERT INTO learning_records_learningrecord
        (user_id, kind, course_id, title, completed_at, expires_at, voided_at, void_reason, origin, equivalent_of_id,
         is_superseded)
    SELECT p.counterpart_id, 'course', r.course_id, r.title, r.completed_at, r.expires_at, r.voided_at, r.void_reason,
           'equivalency', r.id, FALSE
    FROM learning_records_learningrecord r JOIN linking_pair p ON p.account_id = r.user_id
    WHERE r.origin = 'earned' AND r.kind = 'course' AND p.finished_at IS NULL
    ON CONFLICT (equivalent_of_id, user_id) WHERE equivalent_of_id IS NOT NULL AND NOT is_superseded DO NOTHING
"""


Act = Callable[[], object]


class Took(NamedTuple):
    """Seconds by the clock, and seconds of processors that this process and its server process used."""

    clock: float
    processor: float


def run(sizes: dict[int, int] | None = None) -> None:
    """Print the figures of every size, then the latencies."""
    from linking import services

    print(f"Load of {os.cpu_count()} cores before: {_load()}")
    ways: dict[str, Callable[[], Act]] = {
        "raw": lambda: lambda: execute(_RAW),
        "one": lambda: lambda: services.issue_owed(seconds=3600),
        "two": two_workers,
    }
    for owed, times in (SIZES if sizes is None else sizes).items():
        make(owed)
        found: dict[str, list[Took]] = {way: [] for way in ways}
        for _ in range(times):
            for way, prepare in ways.items():
                found[way].append(measured(prepare, owed))
        table(f"Equivalencies, {owed:,} owed: times and ratios (medians of {times})", HEAD, [_row(owed, found)])
    rows = latencies()
    head = ["from … to visible, one idle worker", "p50", "p99"]
    table(
        f"Latency of {ARRIVALS} arrivals each",
        head,
        [[what, f"{p50:.3f} s", f"{p99:.3f} s"] for what, p50, p99 in rows],
    )
    print(f"Load after: {_load()}", flush=True)


def make(owed: int) -> None:
    """Accounts with a history, each linked to an empty one, with its old records asked for; nothing issued yet."""
    execute("TRUNCATE accounts_user, learning_records_course CASCADE")
    execute("INSERT INTO learning_records_course (id, title, code) VALUES (1, 'Course', '')")
    accounts = owed // RECORDS
    execute(
        """INSERT INTO accounts_user (id, username, email, password, first_name, last_name, role, status,
               employee_number, external_id, phone, job_title, language, timezone, email_state, rights, session_epoch)
           SELECT n, 'user' || n, '', '!', '', '', 'learner', 'active', '', '', '', '', 'en', 'UTC', 'unverified',
               '{}', 0 FROM generate_series(1, 2 * %s) n""",
        [accounts],
    )
    execute(
        """INSERT INTO learning_records_learningrecord (user_id, kind, course_id, title, completed_at, void_reason,
               origin, is_superseded, received_at)
           SELECT a, 'course', 1, '', now(), '', 'earned', FALSE, now() - interval '1 day'
           FROM generate_series(1, %s) a, generate_series(1, %s) ORDER BY 1""",
        [accounts, RECORDS],
    )
    execute(
        """INSERT INTO linking_link (id, account_id, other_id, generates_equivalencies, owed, told_at)
           SELECT n, n, n + %s, TRUE, %s, now() FROM generate_series(1, %s) n""",
        [accounts, RECORDS, accounts],
    )
    execute(
        """INSERT INTO linking_pair (link_id, account_id, counterpart_id)
           SELECT n, n, n + %s FROM generate_series(1, %s) n UNION ALL
           SELECT n, n + %s, n FROM generate_series(1, %s) n""",
        [accounts, accounts, accounts, accounts],
    )


def measured(prepare: Callable[[], Act], owed: int) -> Took:
    """Once, from nothing issued; that everything was issued is checked."""
    execute("SET session_replication_role = replica")  # nothing refers to them; looking for it takes minutes
    execute("DELETE FROM learning_records_learningrecord WHERE origin = 'equivalency'")
    execute("SET session_replication_role = DEFAULT")
    execute("UPDATE linking_pair SET finished_at = NULL, scanned_to = 0")
    settle()
    act = prepare()
    before = _processor()
    took = seconds(act)
    spent = _processor() - before
    ((count,),) = execute("SELECT count(*) FROM learning_records_learningrecord WHERE origin = 'equivalency'") or (
        (0,),
    )
    if count != owed:
        raise AssertionError(f"{count} equivalencies instead of {owed}")
    return Took(took, spent)


def _processor() -> float:
    """So far. A busy machine stretches the clock and hardly this."""
    ((backend,),) = execute("SELECT pg_backend_pid()") or ((0,),)
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in (os.getpid(), backend))


def two_workers() -> Act:
    """Two processes share the work; they run and are connected before, as workers are."""
    from django.db import connection

    connection.close()
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(3)
    workers = [fork.Process(target=_work, args=[start]) for _ in range(2)]
    for worker in workers:
        worker.start()

    def act() -> None:
        start.wait()
        for worker in workers:
            worker.join()

    return act


def _work(start: Barrier) -> None:
    from linking import services

    execute("SELECT 1")
    start.wait()
    services.issue_owed(seconds=3600)


def latencies() -> list[tuple[str, float, float]]:
    """What it is from, the median and the slowest but one percent, with a real Celery worker."""
    worker = start_worker()
    try:
        found = {"a committed record": record_latency(), f"a committed link, {RECORDS} old records": link_latency()}
    finally:
        worker.terminate()
        worker.wait()
    return [(what, middle(times), sorted(times)[int(len(times) * 0.99) - 1]) for what, times in found.items()]


def record_latency() -> list[float]:
    """From each record's commit and hint to its equivalency."""
    from django.utils import timezone

    from learning_records import services as learning

    make(2 * RECORDS)
    execute("TRUNCATE learning_records_learningrecord CASCADE")

    def arrive(_: int) -> dict[str, int]:
        entry = learning.NewRecord(user_id=1, course_id=1, completed_at=timezone.now())
        (record,) = learning.receive([entry], actor_id=None)
        return {"equivalent_of": record.pk}

    return _until_seen(arrive, 1)


def link_latency() -> list[float]:
    """From each link's commit and hint to the last equivalency of the old records."""
    from linking import services

    make((ARRIVALS + 1) * RECORDS)
    execute("TRUNCATE linking_link CASCADE")

    def click(number: int) -> dict[str, int]:
        other = number + ARRIVALS + 1
        services.link_accounts(caller_id=number, other_id=other, generate_equivalencies=True)
        return {"user": other}

    return _until_seen(click, RECORDS)


def _until_seen(act: Callable[[int], dict[str, int]], count: int) -> list[float]:
    """How long after an act begins so many of its equivalencies, which it says how to find, are there."""
    from learning_records.hints import hint_owed
    from learning_records.models import LearningRecord

    times: list[float] = []
    for number in range(1, ARRIVALS + 2):
        started = time.perf_counter()
        mine = LearningRecord.objects.filter(**act(number))
        hint_owed()
        while mine.all().count() < count:
            time.sleep(0.002)
        times.append(time.perf_counter() - started)
    return times[1:]  # the first waits for the worker to start


def start_worker() -> subprocess.Popen[bytes]:
    """A Celery worker on this benchmark's database and Redis."""
    from django.conf import settings
    from django.db import connection

    from launcher import where

    url = urlsplit(os.environ.get("DATABASE_URL") or where.database_url(settings.DATA_DIR))
    environment = {**os.environ, "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()}
    command = [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "--app",
        "lms",
        "worker",
        "--concurrency",
        "1",
        "--loglevel",
        "error",
    ]
    return subprocess.Popen([*command, "--without-gossip", "--without-mingle"], env=environment)


def execute(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]] | None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else None


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


def _row(owed: int, found: dict[str, list[Took]]) -> list[str]:
    raw, one, two = (middle([took.clock for took in found[way]]) for way in ("raw", "one", "two"))
    times = [f"{owed:,}", f"{raw:.2f} s", f"{one:.2f} s", f"{two:.2f} s"]
    used = [middle([took.processor for took in found[way]]) for way in ("one", "raw")]
    ratios = [f"{one / raw:.2f}", f"{two / raw:.2f}", f"{one / two:.2f}", f"{one / owed * 1e6:.0f}"]
    return [*times, *ratios, f"{used[0] / used[1]:.2f}"]


if __name__ == "__main__":
    with database():
        run({owed: 3 for owed in map(int, sys.argv[1:]) if owed} if sys.argv[1:] else None)

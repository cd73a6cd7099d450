"""Whatever breaks: workers are killed at any point, Redis loses everything, connections are cut. Nothing is lost or doubled.

FUZZ_EXAMPLES sets how many workers are killed; `make fuzz` kills hundreds.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection

from accounts.models import User
from launcher import where
from learning_records import services as learning
from learning_records.hints import hint_owed
from learning_records.models import Course, LearningRecord, PendingRecord
from linking import services
from linking.errors import LinkRefused
from linking.models import Pair
from linking.services import generation
from linking.tests.cast import course, differences, earn, link, person
from lms.celery import app
from tests.concurrency import forget_inherited_connection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
KILLS = int(os.environ.get("FUZZ_EXAMPLES", "40"))
PATIENCE = 120.0


class Life:
    """Records, voids, restores and links that keep coming, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.people: list[User] = []
        self.courses: list[Course] = [course(f"course {n}") for n in range(3)]
        self.records: list[int] = []
        self.grow()

    def grow(self) -> None:
        """Another person with three accounts, each with a history."""
        fresh = [person(f"p{len(self.people) + n}") for n in range(3)]
        self.people += fresh
        for user in fresh:
            self.records += [earn(user, self.chance.choice(self.courses)).pk for _ in range(4)]

    def step(self) -> None:
        roll = self.chance.random()
        if roll < 0.1:
            self.grow()
        elif roll < 0.3:
            first = 3 * self.chance.randrange(len(self.people) // 3)
            one, other = self.chance.sample(self.people[first : first + 3], 2)
            services.link_accounts(
                caller_id=one.pk, other_id=other.pk, generate_equivalencies=self.chance.random() < 0.7
            )
        elif roll < 0.5:
            record = LearningRecord.objects.get(pk=self.chance.choice(self.records))
            change = learning.restore_record if record.voided_at else learning.void_record
            change(record.pk, reason="because", actor_id=None)
        else:
            user = self.chance.choice(self.people)
            self.records += [earn(user, self.chance.choice(self.courses)).pk for _ in range(3)]


def work_forever() -> None:
    """A worker with small batches, so that every kill hits a different point."""
    forget_inherited_connection()
    generation.RECORDS = generation.OF_ONE_PAIR = generation.PAIRS = 3  # type: ignore[misc]
    while True:
        try:
            services.issue_owed(seconds=60)
        except OperationalError:  # its connection was cut; Celery's next task gets a new one
            connection.close()


def cut_connections() -> None:
    """What a restart of PostgreSQL does to everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def owed_now() -> list[object]:
    return [*differences(), *PendingRecord.objects.all(), *Pair.objects.filter(finished_at=None)]


def settle() -> None:
    """Work until nothing is left; the last victims' locks end with their backends."""
    ends = time.monotonic() + PATIENCE
    while owed_now() and time.monotonic() < ends:
        services.issue_owed()
        time.sleep(0.05)


def test_killed_workers_lose_and_double_nothing() -> None:
    life, chance = Life(1), random.Random(2)
    fork = multiprocessing.get_context("fork")
    for number in range(KILLS):
        connection.close()
        workers = [fork.Process(target=work_forever, daemon=True) for _ in range(2)]
        for worker in workers:
            worker.start()
        for _ in range(chance.randint(1, 3)):
            life.step()
        if number % 10 == 9:
            cut_connections()
        time.sleep(chance.random() * 0.05)
        for worker in workers:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
    issued_by_victims = LearningRecord.objects.filter(origin="equivalency").count()
    settle()
    assert owed_now() == []
    assert issued_by_victims > 0


@pytest.fixture
def celery_worker(tmp_path: Path) -> Iterator[list[psutil.Process]]:
    """A real worker with beat, as an operator runs it; the list holds the one that is alive."""
    alive = [start_worker(tmp_path)]
    yield alive
    for process in [*alive[0].children(recursive=True), alive[0]]:
        process.kill()
    psutil.wait_procs(alive, timeout=10)


def start_worker(folder: Path) -> psutil.Process:
    url = urlsplit(os.environ.get("DATABASE_URL") or where.database_url(settings.DATA_DIR))
    environment = {**os.environ, "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()}
    command = [sys.executable, "-m", "celery", "--app", "lms", "worker", "--beat", "--concurrency", "2"]
    command += ["--loglevel", "error", "--schedule", str(folder / "beat"), "--without-gossip", "--without-mingle"]
    return psutil.Process(subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment).pid)


def flush_broker() -> None:
    """Redis forgets all hints."""
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        assert isinstance(client, redis.Redis)
        client.flushdb()


def test_a_flushed_redis_and_killed_celery_workers_only_delay(
    celery_worker: list[psutil.Process], tmp_path: Path
) -> None:
    life, chance = Life(3), random.Random(4)
    wait_for_first(celery_worker, life)
    for number in range(12):
        for _ in range(3):
            life.step()
            hint_owed()
        flush_broker()
        for child in celery_worker[0].children():
            if chance.random() < 0.5:
                child.kill()
        if number == 6:
            celery_worker[0].kill()
            celery_worker[0] = start_worker(tmp_path)
        time.sleep(chance.random() * 0.3)
    ends = time.monotonic() + PATIENCE
    while owed_now() and time.monotonic() < ends:
        time.sleep(0.2)
    assert owed_now() == [], "the sweep alone finds everything"


def wait_for_first(celery_worker: list[psutil.Process], life: Life) -> None:
    """Until the worker works."""
    one, other = life.people[:2]
    try:
        link(one, other)
    except LinkRefused:
        pytest.fail("The first link was refused.")
    ends = time.monotonic() + PATIENCE
    while owed_now() and time.monotonic() < ends:
        assert celery_worker[0].is_running()
        time.sleep(0.2)
    assert owed_now() == []

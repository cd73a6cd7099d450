"""A hint goes out after the commit, and costs nobody anything when there is no broker."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

import hints
from hints import sending
from tests.brokers import Broker

pytestmark = pytest.mark.django_db(transaction=True)
TASK = "linking.tasks.issue_owed"
BREAKS: list[Callable[[Broker], None]] = [
    Broker.freeze,
    Broker.kill,
    Broker.fill,
    Broker.lose_its_disk,
    Broker.become_read_only,
]


def test_it_waits_for_the_commit(broker: Broker) -> None:
    with transaction.atomic():
        hints.send(TASK, 7)
        assert broker.hints() == []
    assert broker.hints() == [(TASK, [7])]


def test_it_is_not_sent_for_what_was_rolled_back(broker: Broker) -> None:
    with transaction.atomic():
        hints.send(TASK)
        transaction.set_rollback(True)
    assert broker.hints() == []


@pytest.mark.parametrize("fail", BREAKS)
def test_a_broker_that_fails_is_noted_and_left_alone_for_a_while(
    broker: Broker, fail: Callable[[Broker], None]
) -> None:
    fail(broker)
    with capture_logs() as lines:
        started = time.monotonic()
        for _ in range(200):
            hints.send(TASK, "jane@example.org")
        took = time.monotonic() - started
    assert [line["task"] for line in lines] == [TASK], "one try, one line"
    assert "jane" not in str(lines)
    assert took < 5, "200 tries of a frozen broker would take 20 seconds, with kombu's own patience 20 minutes"


@pytest.mark.parametrize("warm", [False, True])
def test_it_goes_on_once_the_broker_answers(broker: Broker, warm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.0)
    for _ in range(3 * warm):
        hints.send(TASK, 1)
    broker.freeze()
    hints.send(TASK, 2)
    broker.thaw()
    broker.client.delete("celery")
    hints.send(TASK, 3)
    assert broker.hints()[-1] == (TASK, [3])


def test_a_connection_that_died_after_the_commit_fails_nobody(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    with monkeypatch.context() as patch, capture_logs() as lines:
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        hints.send(TASK)
    assert [line["error"] for line in lines] == ["OperationalError"]


class TestBreaker:
    """While in doubt, one try per pause, whoever asks."""

    def test_it_lets_one_through_per_pause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = [100.0]
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        breaker = sending.Breaker()
        assert breaker.lets_through()
        breaker.note(failed=True)
        assert not breaker.lets_through()
        clock[0] += sending.PAUSE
        assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
        breaker.note(failed=False)
        assert breaker.lets_through()

"""A receiver outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.tests.receivers import Outside, receiver


@pytest.fixture
def outside(settings: Any) -> Iterator[Outside]:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with receiver() as server:
        yield server

"""CSV imports: seconds for a file of users that changes everybody, and the peak of memory while it is worked on."""

from __future__ import annotations

import io
import resource
from itertools import pairwise
from time import perf_counter

from accounts.models import User
from bulk import services
from bulk.models import Import

SIZES = (10_000, 100_000)


def run() -> None:
    """Print one line per size: upload, check and run in seconds, and how much the process grew in megabytes."""
    boss = User.objects.create_user("bench-boss", "bench-boss@example.org", role="superadmin")
    print(f"{'rows':>8} {'upload':>8} {'check':>8} {'run':>8} {'grew MB':>8}")
    for size in SIZES:
        User.objects.bulk_create(
            (User(username=f"csv-{size}-{n}", email=f"csv-{size}-{n}@example.org") for n in range(size)),
            batch_size=5000,
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = _import(boss, size)
        grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{size:>8} " + " ".join(f"{seconds:8.1f}" for seconds in times) + f" {grew:8.0f}")


def _import(boss: User, size: int) -> list[float]:
    text = "username,job_title,phone\n" + "".join(f"csv-{size}-{n},Engineer {n % 50},{n}\n" for n in range(size))
    data = text.encode()
    times = [perf_counter()]
    file = services.upload(actor=boss, kind="users", file=io.BytesIO(data), name="bench.csv", size=len(data))
    times.append(perf_counter())
    _work(file)
    times.append(perf_counter())
    services.confirm(actor=boss, import_id=file.pk)
    _work(file)
    times.append(perf_counter())
    file.refresh_from_db()
    if file.rows.filter(outcome="changed").count() != size:
        raise RuntimeError("The import didn't change every row.")
    return [later - earlier for earlier, later in pairwise(times)]


def _work(file: Import) -> None:
    while services.work(file.pk):
        pass

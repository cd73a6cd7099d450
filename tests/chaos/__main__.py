"""`make chaos`: rounds of faults against a portal of its own, with a ledger that is checked at the end."""

import argparse
import shutil
import sys
import time

from tests.chaos.faults import ALL, SHORT
from tests.chaos.portal import NotBack, Portal, fresh_folder
from tests.chaos.rounds import play


def main() -> int:
    """0 when nothing was lost or doubled and the portal always came back in time."""
    arguments = _arguments()
    folder = fresh_folder()
    portal = Portal(folder, groups=60, pairs=arguments.rounds * 20)
    print(f"Chaos in {folder} at port {portal.port}, seed {arguments.seed}", flush=True)
    try:
        portal.start()
        report = play(
            portal,
            SHORT if arguments.short else ALL,
            rounds=arguments.rounds,
            seconds=arguments.minutes * 60,
            back_within=arguments.back_within,
            seed=arguments.seed,
        )
    except NotBack as problem:
        print(problem)
        return 1
    finally:
        portal.stop()
    print("\n" + "\n".join(report.lines()))
    if report.is_good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"Kept for a look: {folder}")
    return 0 if report.is_good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="faults (50)")
    parser.add_argument("--minutes", type=float, default=60, help="no new fault after so many minutes (60)")
    parser.add_argument("--back-within", type=float, default=120, help="seconds that a recovery may take (120)")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000, help="repeats an order of faults")
    parser.add_argument("--short", action="store_true", help="the six faults of `make test` alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

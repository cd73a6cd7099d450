"""`make bench`: every benchmark there is, or those that are named."""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.setting import database


def main() -> None:
    """Run each module of this package that has a `run`."""
    named = sys.argv[1:]
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    with database():
        for name in named or names:
            module = importlib.import_module(f"benchmarks.{name}") if name != "__main__" else None
            if hasattr(module, "run"):
                module.run()  # type: ignore[union-attr]


if __name__ == "__main__":
    main()

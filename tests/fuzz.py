"""`make fuzz`: the property tests with many more examples. FUZZ_EXAMPLES says how many (10,000)."""

from __future__ import annotations

import os
import sys

import pytest

EXAMPLES = "10000"
PROPERTIES = ["tests/test_reference_model.py", "tests/test_histories.py"]


def main() -> int:
    """Run them; arguments name other tests, or are pytest's own."""
    os.environ.setdefault("FUZZ_EXAMPLES", EXAMPLES)
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    return int(pytest.main([*(named or PROPERTIES), "-p", "no:randomly", *options]))


if __name__ == "__main__":
    sys.exit(main())

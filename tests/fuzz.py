"""`make fuzz`: the property tests with many more examples, and schemathesis at length against the running REST.

FUZZ_EXAMPLES says how many random accounts (10,000), FUZZ_REST_EXAMPLES how many requests per operation (100).
"""

from __future__ import annotations

import os
import sys

import pytest

EXAMPLES = "10000"
REST_EXAMPLES = "100"
PROPERTIES = [
    "tests/test_reference_model.py",
    "tests/test_histories.py",
    "tests/test_rest_document.py",
    "tests/test_rest_bad_input.py",
]


def main() -> int:
    """Run them; arguments name other tests, or are pytest's own."""
    os.environ.setdefault("FUZZ_EXAMPLES", EXAMPLES)
    os.environ.setdefault("FUZZ_REST_EXAMPLES", REST_EXAMPLES)
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    return int(pytest.main([*(named or PROPERTIES), "-p", "no:randomly", *options]))


if __name__ == "__main__":
    sys.exit(main())

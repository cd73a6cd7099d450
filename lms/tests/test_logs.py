"""What the log says, and what it keeps to itself."""

import logging
import sys

import pytest

from lms.logs import configured


@pytest.mark.parametrize("form", ["json", "console"])
def test_it_logs_a_traceback_without_the_values_of_variables(form: str) -> None:
    formatter_settings = configured(form, "INFO")["formatters"]["lines"]
    formatter = formatter_settings.pop("()")(**formatter_settings)
    password = "".join(["correct ", "horse"])
    try:
        raise ValueError("it broke")
    except ValueError:
        record = logging.LogRecord("lms", logging.ERROR, __file__, 1, "oops", None, sys.exc_info())
    line = formatter.format(record)
    assert "it broke" in line
    assert password not in line

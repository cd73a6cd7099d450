"""What the log says, and what it keeps to itself."""

import logging
import sys

import pytest
from django.db import IntegrityError, transaction

from lms.logs import configured
from tests.factories import UserFactory


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


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "line", ["POST /reset-password/7/c0ffee-0badf00d/", "Gone: http://x/reset-password/7/c0ffee-0badf00d"]
)
def test_it_logs_no_live_reset_link(form: str, line: str) -> None:
    formatter_settings = configured(form, "INFO")["formatters"]["lines"]
    formatter = formatter_settings.pop("()")(**formatter_settings)
    logged = formatter.format(logging.LogRecord("lms", logging.INFO, __file__, 1, "%s", (line,), None))
    assert "/reset-password/7/" in logged
    assert "c0ffee" not in logged


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.django_db
def test_it_logs_no_value_that_stood_in_the_way(form: str) -> None:
    """PostgreSQL names the key; the error's chain repeats it."""
    name = "kanarie"
    UserFactory.create(username=name, email=f"{name}@example.com")
    formatter_settings = configured(form, "INFO")["formatters"]["lines"]
    formatter = formatter_settings.pop("()")(**formatter_settings)
    try:
        try:
            with transaction.atomic():
                UserFactory.create(username=name.title())
        except IntegrityError as error:
            raise ValueError(f"no '{name}' <{name}@example.com>, please") from error
    except ValueError as error:
        message = ("%r", (error.__cause__,))
        record = logging.LogRecord("lms", logging.ERROR, __file__, 1, *message, sys.exc_info())
    line = formatter.format(record)
    assert f"{name}@" not in line.lower()
    assert f"({name}" not in line.lower()
    assert f"'{name}'" not in line.lower()
    assert all(word in line for word in ("IntegrityError", "ValueError", "test_logs.py", "one_username"))

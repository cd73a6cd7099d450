"""Commands beside the portal reach the same data, also while it is stopped."""

import sys
from pathlib import Path

import pytest

from launcher import processes, servers, where
from launcher.command import needs_servers, servers_for
from launcher.tests.conftest import Starter


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("manage.py", False),
        ("manage.py help migrate", False),
        ("manage.py --version", False),
        ("manage.py migrate --help", False),
        ("manage.py check --deploy", False),
        ("manage.py check --database default", True),
        ("manage.py collectstatic", False),
        ("manage.py migrate", True),
        ("manage.py create_api_token admin", True),
        ("manage.py shell -c 1", True),
    ],
)
def test_it_knows_which_commands_open_the_database(line: str, needs: bool) -> None:
    assert needs_servers(line.split()) is needs


def test_manage_py_reaches_the_data_of_a_stopped_portal(start: Starter, data: Path) -> None:
    code = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT 40 + 2'); print(k.fetchone()[0])"
    command = start("manage.py", "shell", "--no-imports", "-c", code)
    said, aside = command.communicate()

    assert command.returncode == 0
    assert said == "42\n"
    assert "Starting PostgreSQL for this command" in aside
    assert processes.all_in(where.home(data) / "postgresql", "postgres") == []


def test_manage_py_leaves_the_servers_of_others_alone(start: Starter, data: Path) -> None:
    with servers.lease(data):
        command = start("manage.py", "showmigrations", "--list")
        _, aside = command.communicate()

        assert command.returncode == 0
        assert "Starting" not in aside
        assert processes.all_in(where.home(data) / "postgresql", "postgres")


def test_manage_py_says_why_it_cannot(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(data / "file"))

    with pytest.raises(SystemExit, match="can't be written"), servers_for(["manage.py", "migrate"]):
        raise AssertionError


def test_exec_runs_a_command_beside_the_servers(start: Starter, data: Path) -> None:
    code = "import os, psycopg2; print(psycopg2.connect(os.environ['DATABASE_URL']).server_version // 10000)"
    command = start("-m", "launcher", "exec", sys.executable, "-c", code)
    said, _ = command.communicate()

    assert command.returncode == 0
    assert said.splitlines()[-1] == "18"


def test_exec_ends_as_its_command_does(start: Starter) -> None:
    command = start("-m", "launcher", "exec", sys.executable, "-c", "raise SystemExit(7)")
    command.communicate()

    assert command.returncode == 7


def test_exec_brings_the_programs_for_a_backup(start: Starter) -> None:
    command = start("-m", "launcher", "exec", "sh", "-c", 'pg_dump --schema-only --dbname "$DATABASE_URL"')
    said, _ = command.communicate()

    assert command.returncode == 0
    assert "PostgreSQL database dump complete" in said


def test_exec_says_when_there_is_no_such_program(start: Starter) -> None:
    command = start("-m", "launcher", "exec", "no-such-program")
    _, complaint = command.communicate()

    assert command.returncode == 1
    assert "There is no program no-such-program" in complaint

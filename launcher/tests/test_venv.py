"""What `make` installs before anything is there."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import venv


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose requirements are empty, so that nothing is fetched."""
    monkeypatch.setattr(venv, "ROOT", tmp_path)
    for name in {name for names in venv.REQUIREMENTS.values() for name in names}:
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def test_it_makes_an_environment_once(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venv.install(checkout / ".venv", "dev")
    assert "Installing requirements-dev.txt" in capsys.readouterr().out
    assert venv.has_pip(checkout / ".venv")

    for what in ("dev", "run"):
        venv.install(checkout / ".venv", what)
    assert capsys.readouterr().out == ""

    (checkout / "requirements.txt").write_text("# something else\n")
    venv.install(checkout / ".venv", "run")
    assert "Installing requirements.txt" in capsys.readouterr().out


def test_it_makes_a_half_made_environment_anew(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")

    def make(folder: Path) -> None:
        (folder / "bin" / "python").unlink()
        (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / "bin" / "python").chmod(0o755)

    monkeypatch.setattr(venv, "make", make)
    venv.install(checkout / ".venv", "run")

    assert venv.has_pip(checkout / ".venv")


def test_it_says_which_package_debian_lacks(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SystemExit, match="apt install python3-venv"):
        venv.install(checkout / ".venv", "run")


def test_it_refuses_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["venv.py", "run"])
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))

    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed"):
        venv.main()


def test_it_leaves_a_linked_environment_to_its_owner(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["venv.py", "run"])
    (checkout / "theirs").mkdir()
    (checkout / ".venv").symlink_to(checkout / "theirs")

    venv.main()

    assert list((checkout / "theirs").iterdir()) == []


def test_it_needs_nothing_that_is_not_installed_yet() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", venv.__file__], capture_output=True, text=True, check=False, cwd="/"
    )
    assert "IndexError" in done.stderr
    assert "ImportError" not in done.stderr


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (venv.ROOT / name).read_text().splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
        assert wanted
        assert [line for line in wanted if "==" not in line] == []

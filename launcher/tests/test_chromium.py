"""The browser of the browser tests."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from launcher import chromium


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    return tmp_path


def add_program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_it_finds_the_one_of_the_machine(programs: Path) -> None:
    assert chromium.find() is None

    add_program(programs, "chromium-browser", "")
    assert chromium.find() == str(programs / "chromium-browser")


def test_it_takes_the_one_it_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/browser")

    assert chromium.find() == "/opt/browser"


def test_it_installs_one_as_root(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(programs, "apt-get", f'echo "$@" >> {programs}/calls; [ "$2" = update ] || echo > {programs}/chromium')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: (programs / name).exists() and str(programs / name))

    chromium.main()

    updated, installed = (programs / "calls").read_text().splitlines()
    assert updated.split()[1] == "update"
    assert "chromium" in installed.split()


def test_it_sees_that_the_driver_cannot_run(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(programs, "chromium", "")
    assert chromium.driver_runs()
    chromium.main()

    add_program(programs, "python", "echo libatomic.so.1: cannot open shared object file >&2; exit 127")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="libatomic1"):
        chromium.main()


def test_it_asks_for_one_otherwise(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SystemExit, match="sudo apt install chromium fonts-dejavu-core libatomic1"):
        chromium.main()


def test_it_fails_when_it_cannot_be_installed(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(programs, "apt-get", "exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(SystemExit, match="apt-get -qq update` failed"):
        chromium.main()

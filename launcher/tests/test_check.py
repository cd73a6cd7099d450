"""`make check` fails when something is wrong."""

import subprocess
from pathlib import Path

from launcher import check

CONTRACT = """[importlinter]
root_packages =
    above
    below
[importlinter:contract:order]
name = order
type = layers
layers =
    above
    below
"""


def test_its_look_at_imports_fails_for_one_that_goes_up(tmp_path: Path) -> None:
    for name, text in {"above": "", "below": "import above\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    (tmp_path / ".importlinter").write_text(CONTRACT)
    done = subprocess.run([check.PYTHON, *check.IMPORTS], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "below is not allowed to import above" in done.stdout

"""README says what is true: every variable, every sign-in, every prepared pair, every file it points to."""

import ast
import re
from pathlib import Path

import pytest

from lms.demo import signins
from lms.demo.stage import all_pairs

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", README))
WORDS = {word.strip() for code in CODE for word in re.split(r"[,|=]", code)}
READERS = {"str", "bool", "int", "list", "get"}  # of the environment


def variables(path: Path) -> set[str]:
    """The names that a module asks the environment for."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in READERS and node.args:
            owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            first = node.args[0]
            if owner in {"env", "os.environ"} and isinstance(first, ast.Constant):
                names.add(str(first.value))
    return names


def test_it_names_every_variable_of_the_settings() -> None:
    asked = variables(ROOT / "lms" / "settings.py")
    assert len(asked) > 20
    assert asked - WORDS == set()


def test_it_names_every_variable_of_the_processes() -> None:
    asked = set(re.findall(r"\$\{(\w+):-", (ROOT / "Procfile").read_text()))
    assert asked - WORDS == {"BIND_ADDRESS"}  # the launcher sets it, from PORT and BIND


def test_it_lists_the_prepared_pairs_in_their_order() -> None:
    listed = re.findall(r"^\| `([\w.-]+)` → `([\w.-]+)` \|", README, re.MULTILINE)
    assert listed == [(pair.source, pair.destination) for pair, _ in all_pairs()]


def test_it_lists_the_sign_ins_and_their_password() -> None:
    listed = re.findall(r"^\| `([\w.-]+)` \| ", README, re.MULTILINE)
    assert [name for name, _, _ in signins.SIGN_INS] == [name for name in listed if "." in name or name == "admin"]
    assert f"`{signins.PASSWORD}`" in README


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_it_points_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_it_has_a_picture_of_modest_size() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "docs" / "pictures").glob("*.png")]
    assert sizes
    assert max(sizes) <= 300_000


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_it_says_why_each_package_is_here(name: str) -> None:
    ours = (ROOT / name).read_text(encoding="utf-8").partition("# What these need.")[0]
    said = (ROOT / "docs" / "decisions" / "0006-dependencies.md").read_text(encoding="utf-8").lower()
    packages = [package.lower() for package in re.findall(r"^([\w.-]+)", ours, re.MULTILINE) if package != "-r"]
    short = {package: package.removeprefix("pytest") for package in packages if package.startswith("pytest-")}
    short |= {package: "types-*" for package in packages if package.startswith("types-")}
    short |= {"drf-spectacular-sidecar": "its sidecar"}
    assert [package for package in packages if short.get(package, package) not in said] == []

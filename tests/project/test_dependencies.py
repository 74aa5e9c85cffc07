"""What the kit depends on: each declared, locked with hashes, the same for conda, and used."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nvmelm_lab.doctor import locked_requirements

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")

# Where each dependency is imported ...
IMPORTED_UNDER = {
    "anywidget": "nvmelm_lab/views",
    "bitarray": "nvmelm_lab",
    "click": "nvmelm_lab",
    "ipywidgets": "nvmelm_lab",
    "jupyterlab": "nvmelm_lab",
    "networkx": "nvmelm_lab/views",
    "plotly": "nvmelm_lab/views",
    "rich": "nvmelm_lab",
    "hypothesis": "tests",
    "nbclient": "tests",
    "playwright": "tests",
    "pytest": "tests",
    "simpy": "benchmarks",
}
# ... or, if it is a tool, the file and the words that run it.
RUN_BY = {
    "hatchling": ("pyproject.toml", 'build-backend = "hatchling.build"'),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "pytest-xdist": ("Makefile", "$(BIN)/pytest -n 2"),
    "ruff": ("Makefile", "$(BIN)/ruff check"),
}
# Parts of a dependency that come under a name of their own, and the dependency that brings them.
COMES_WITH = {
    "IPython": "ipywidgets",
    "ipykernel": "jupyterlab",
    "jupyter_client": "nbclient",
    "jupyter_core": "jupyterlab",
    "nbconvert": "jupyterlab",
    "nbformat": "nbclient",
    "packaging": "jupyterlab",
    "traitlets": "ipywidgets",
}
OWN = {"nvmelm_lab", "tests", "benchmarks", "tools", *(path.stem for path in (ROOT / "tools").glob("*.py"))}


def declared() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    return [
        Requirement(line)
        for line in (*project["dependencies"], *(line for extra in extras for line in extra))
    ]


def names_in(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imported_in(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def imported_under(folder: str) -> set[str]:
    return {name for path in (ROOT / folder).rglob("*.py") for name in imported_in(path)}


def test_every_locked_package_has_one_exact_version_and_hashes() -> None:
    entries = [entry for entry in re.split(r"\n(?=\S)", LOCK) if not entry.startswith("#")]
    assert len(entries) == len(locked_requirements(LOCK)) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(\[[a-z-]+\])?==\S+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml"])
def test_the_pinned_files_name_no_place_to_fetch_from(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(index|extra|find|trusted)|git\+| @ ", text)


def test_the_pip_part_for_conda_is_the_lock_and_the_kit() -> None:
    pip_part = ENVIRONMENT.split("- pip:\n")[1].splitlines()
    assert [line.strip().removeprefix("- ") for line in pip_part] == [*locked_requirements(LOCK), "-e ."]


def test_conda_brings_a_python_that_the_kit_takes() -> None:
    (version,) = re.findall(r"- python=([\d.]+)$", ENVIRONMENT, re.MULTILINE)
    assert Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier.contains(version)


@pytest.mark.parametrize("need", declared(), ids=str)
def test_every_declared_dependency_is_locked_within_its_bounds(need: Requirement) -> None:
    locked = [Requirement(line) for line in locked_requirements(LOCK)]
    versions = [
        next(iter(line.specifier)).version for line in locked if line.name == canonicalize_name(need.name)
    ]
    assert versions
    assert all(need.specifier.contains(version) for version in versions)


def test_of_every_declared_dependency_it_is_said_where_it_is_used() -> None:
    assert IMPORTED_UNDER.keys() | RUN_BY.keys() == {need.name for need in declared()}


@pytest.mark.parametrize(("name", "folder"), IMPORTED_UNDER.items())
def test_every_library_is_imported_where_it_is_said_to_be(name: str, folder: str) -> None:
    assert name in imported_under(folder)


@pytest.mark.parametrize(("name", "file", "words"), [(name, *place) for name, place in RUN_BY.items()])
def test_every_tool_is_run_where_it_is_said_to_be(name: str, file: str, words: str) -> None:
    assert words in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["nvmelm_lab", "tests", "benchmarks", "tools"])
def test_nothing_is_imported_that_is_not_declared(folder: str) -> None:
    known = {*sys.stdlib_module_names, *OWN, *IMPORTED_UNDER, *COMES_WITH}
    assert not imported_under(folder) - known


@pytest.mark.parametrize(("name", "bringer"), COMES_WITH.items())
def test_what_comes_with_a_dependency_does(name: str, bringer: str) -> None:
    seen, waiting = set(), [bringer]
    while waiting:
        package = canonicalize_name(waiting.pop())
        if package not in seen:
            seen.add(package)
            needs = (Requirement(line) for line in metadata.requires(package) or [])
            waiting += [
                need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    assert canonicalize_name(name) in seen


def test_rfc3987_syntax_which_slows_every_notebook_is_neither_locked_nor_installed() -> None:
    assert "rfc3987-syntax" not in names_in(locked_requirements(LOCK))
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("rfc3987-syntax")


def test_the_environment_lacks_nothing_that_an_installed_package_needs() -> None:
    missing = []
    for line in locked_requirements(LOCK):
        locked = Requirement(line)
        if locked.marker and not locked.marker.evaluate():
            continue
        for text in metadata.requires(locked.name) or []:
            need = Requirement(text)
            extras = [{"extra": extra} for extra in (*locked.extras, "")]
            if need.marker and not any(need.marker.evaluate(extra) for extra in extras):
                continue
            if not need.specifier.contains(metadata.version(need.name), prereleases=True):
                missing.append(f"{locked.name} needs {text}")
    assert not missing

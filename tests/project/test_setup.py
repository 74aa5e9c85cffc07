"""`make lab` and `make test` on a bare machine: what is set up, when, and what is said when it cannot be.

The set-up script runs here for real, in a copy of the kit's folder, on a path where python3 is a small
program that writes down how it was called.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL_TOOLS = ("cat", "chmod", "cksum", "dirname", "mkdir", "rm", "sh", "cp")

FAKE_PYTHON = """\
#!/bin/sh
echo "$(basename "$0" 2>/dev/null) $*" >>"$CALLS"
case "$*" in
--version) echo "Python $FAKE_VERSION" ;;
*"sys.version_info < (3, 11)"*) [ "$FAKE_VERSION" != 3.9.2 ] ;;
*"import venv, ensurepip"*) [ -z "${NO_ENSUREPIP:-}" ] ;;
*"sys.version_info[:2]"*) echo 3.12 ;;
"-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"--require-hashes"*) [ -z "${NO_NETWORK:-}" ] ;;
esac
"""


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    kit = tmp_path / "kit"
    (kit / "tools").mkdir(parents=True)
    for name in ("tools/setup.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, kit / name)
    path = tmp_path / "bin"
    path.mkdir()
    for tool in SHELL_TOOLS:
        (path / tool).symlink_to(shutil.which(tool) or tool)
    put(path / "python3", FAKE_PYTHON)
    put(path / "id", "#!/bin/sh\necho 1000\n")
    return kit


def put(path: Path, program: str) -> None:
    path.write_text(program)
    path.chmod(0o755)


def set_up(kit: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = kit.parent / "bin"
    here = {"PATH": str(path), "CALLS": str(kit.parent / "calls"), "FAKE_VERSION": "3.12.1", **environment}
    return subprocess.run(
        [path / "sh", kit / "tools/setup.sh"], env=here, capture_output=True, text=True, check=False
    )


def calls(kit: Path) -> list[str]:
    """The calls of Python since the last look."""
    log = kit.parent / "calls"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def pip_calls(kit: Path) -> list[str]:
    return [line for line in calls(kit) if "-m pip" in line]


def test_the_first_call_installs_the_lock_by_its_hashes_and_then_the_kit_in_place(kit: Path) -> None:
    run = set_up(kit)
    assert run.returncode == 0, run.stderr
    lock, package = pip_calls(kit)
    assert "--require-hashes -r requirements.lock" in lock
    assert "--no-deps --no-build-isolation -e ." in package


def test_a_second_call_does_nothing(kit: Path) -> None:
    set_up(kit)
    calls(kit)
    run = set_up(kit)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert not pip_calls(kit)


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_file_is_installed_again(kit: Path, name: str) -> None:
    set_up(kit)
    calls(kit)
    with (kit / name).open("a") as file:
        file.write("# changed\n")
    set_up(kit)
    assert len(pip_calls(kit)) == 2


def test_a_folder_that_was_moved_is_set_up_again(kit: Path) -> None:
    set_up(kit)
    calls(kit)
    moved = kit.rename(kit.with_name("moved"))
    set_up(moved)
    assert len(pip_calls(moved)) == 2


def test_an_environment_whose_python_is_gone_is_made_again(kit: Path) -> None:
    set_up(kit)
    calls(kit)
    (kit / ".venv/bin/python").unlink()
    set_up(kit)
    assert any("-m venv --clear .venv" in line for line in calls(kit))


def test_an_old_python_is_named_and_a_newer_one_asked_for(kit: Path) -> None:
    run = set_up(kit, FAKE_VERSION="3.9.2")
    assert run.returncode == 1
    assert "Python 3.11 or newer is needed, and here is Python 3.9.2" in run.stderr
    assert not (kit / ".venv").exists()


def test_a_newer_python_under_another_name_is_found(kit: Path) -> None:
    put(kit.parent / "bin/python3", FAKE_PYTHON.replace("$FAKE_VERSION", "3.9.2"))
    put(kit.parent / "bin/python3.13", FAKE_PYTHON)
    run = set_up(kit)
    assert run.returncode == 0, run.stderr
    assert "Python 3.12.1" in run.stdout


def test_the_python_that_is_named_is_the_only_one_tried(kit: Path) -> None:
    run = set_up(kit, PYTHON="python3.10")
    assert run.returncode == 1
    assert "here is no python3.10" in run.stderr


def test_without_any_python_one_is_asked_for(kit: Path) -> None:
    (kit.parent / "bin/python3").unlink()
    run = set_up(kit)
    assert run.returncode == 1
    assert "Python 3.11 or newer is needed, and here is no python3" in run.stderr


def test_a_python_without_ensurepip_gets_the_command_that_mends_it(kit: Path) -> None:
    run = set_up(kit, NO_ENSUREPIP="1")
    assert run.returncode == 1
    assert "sudo apt-get install python3.12-venv" in run.stderr


def test_a_failed_installation_says_so_and_is_tried_again_by_the_next_call(kit: Path) -> None:
    run = set_up(kit, NO_NETWORK="1")
    assert run.returncode == 1
    assert "requirements.lock could not be installed" in run.stderr
    assert set_up(kit).returncode == 0


def run_make(*arguments: str) -> str:
    """What make would run, without running it."""
    make = ["make", "--dry-run", *arguments]
    # These tests may run under make themselves; what it tells its children is not for this one.
    here = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(make, cwd=ROOT, env=here, capture_output=True, text=True, check=True).stdout


def test_make_lab_sets_up_and_opens_the_first_notebook() -> None:
    lines = run_make("lab", "ARGS=--no-browser").splitlines()
    assert lines == ["sh tools/setup.sh", ".venv/bin/nvmelm lab --no-browser"]


def test_make_test_sets_up_and_runs_linter_formatter_type_checker_and_tests_with_all_they_need() -> None:
    lines = run_make("test").splitlines()
    assert lines[0] == "sh tools/setup.sh"
    programs = [line.strip().removeprefix(".venv/bin/") for line in lines[1:]]
    assert programs == [
        "ruff check",
        "ruff format --check",
        "mypy",
        "python tools/browser.py",
        "python tools/libnvme.py",
        "pytest -n 2",
    ]


def test_the_readme_names_the_two_commands_and_ci_ends_with_the_second() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n    make lab\n" in readme
    assert "\n    make test\n" in readme
    ci = ROOT / ".ci/run"
    assert ci.read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert os.access(ci, os.X_OK)


@pytest.mark.parametrize(("continuous", "same"), [("", False), ("export CI=true", True)])
def test_property_tests_have_no_deadline_and_draw_the_same_examples_in_ci(
    continuous: str, same: bool
) -> None:
    assert continuous in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    program = "import tests.conftest, hypothesis; s = hypothesis.settings(); print(s.deadline, s.derandomize)"
    here = {name: value for name, value in os.environ.items() if name != "CI"}
    run = subprocess.run(
        ["sh", "-c", f'{continuous}\n"$0" -c "$1"', sys.executable, program],
        cwd=ROOT, env=here, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == f"None {same}\n"

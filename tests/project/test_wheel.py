"""The built wheel in an empty environment: the kit starts there, far from its checkout, and lays its course.

Nothing is downloaded: the packages that the kit needs are those of the environment that runs the tests, and the kit
itself is not among them.  That they are the ones that pyproject.toml asks for is for test_dependencies.py to say.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel alone, and sees the packages of this one."""
    top = tmp_path_factory.mktemp("wheel")
    done(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", top / "dist", cwd=ROOT)
    (wheel,) = (top / "dist").iterdir()
    venv.create(top / "venv", symlinks=os.name != "nt")
    programs = top / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check")
    done(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    library = Path(
        done(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    (library / "packages.pth").write_text(sysconfig.get_path("purelib"))
    return programs


def done(*command: object, cwd: Path | None = None) -> str:
    run = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


LAY = """import sys, pathlib
from nvmelm_lab.lessons.course import lay, shipped
lay(pathlib.Path(sys.argv[1]), shipped())
"""


def test_it_brings_each_notebook_of_the_checkout_and_nothing_that_lies_beside_them(
    empty: Path, tmp_path: Path
) -> None:
    done(empty / "python", "-c", LAY, tmp_path, cwd=tmp_path)
    laid = {path.name: path.read_bytes() for path in (tmp_path / "notebooks").iterdir()}
    assert laid == {path.name: path.read_bytes() for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}


def test_it_is_the_wheel_that_runs_and_what_the_first_notebook_imports_is_there(
    empty: Path, tmp_path: Path
) -> None:
    cells = json.loads((ROOT / "notebooks/00_start_here.ipynb").read_text(encoding="utf-8"))["cells"]
    imports = next("".join(cell["source"]) for cell in cells if cell["id"] == "tools")
    program = f"{imports}\nimport nvmelm_lab\nprint(nvmelm_lab.__file__, watch())"
    printed = done(empty / "python", "-c", program, cwd=tmp_path)
    assert printed.startswith(str(empty.parent))
    assert "no write lost: good" in printed


def test_its_command_brings_a_notebook_back(empty: Path, tmp_path: Path) -> None:
    assert done(empty / "nvmelm", "lab", tmp_path, "--reset", "00", cwd=tmp_path) == (
        "notebooks/00_start_here.ipynb is as it was.\n"
    )
    assert (tmp_path / "notebooks/00_start_here.ipynb").is_file()

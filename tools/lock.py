"""Writes requirements.lock and environment.yml from pyproject.toml: `make lock`.

The lock names every package, at one version per Python and system, with the hashes of its files; it names no
place to fetch them from.  environment.yml repeats its names and versions for conda and Binder.  Nothing else
may edit either file.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from nvmelm_lab.doctor import locked_requirements

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
RESOLVER = "uv==0.13.9"

ENVIRONMENT_HEAD = """\
# Written by `make lock` from requirements.lock; edit pyproject.toml instead.
# The same environment for conda and Binder: conda env create -f environment.yml
name: nvmelm
channels:
  - conda-forge
dependencies:
  - python=3.13
  - pip
  - pip:
"""


def environment(lock: str) -> str:
    """Return environment.yml for a lock's text: its requirements, then the kit itself in place."""
    return ENVIRONMENT_HEAD + "".join(f"      - {line}\n" for line in [*locked_requirements(lock), "-e ."])


def write_lock(upgrade: bool) -> None:
    """Resolve pyproject.toml for every Python from 3.11 on and every system, into requirements.lock.

    Versions already in the lock stay unless `upgrade`.  The resolver lives in a throw-away environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        bin_folder = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([bin_folder / "python", "-m", "pip", "install", "--quiet", RESOLVER], check=True)
        subprocess.run(
            [
                *(bin_folder / "uv", "pip", "compile", "pyproject.toml", "--quiet"),
                *("--universal", "--python-version", "3.11", "--extra", "test"),
                *("--generate-hashes", "--no-strip-extras", "--no-annotate", "--no-emit-index-url"),
                *("--custom-compile-command", "make lock", "--output-file", LOCK.name),
                *(["--upgrade"] if upgrade else []),
            ],
            cwd=ROOT,
            check=True,
        )


def main() -> None:
    """Write both files; `--upgrade` raises every version to the newest that fits."""
    write_lock(upgrade="--upgrade" in sys.argv[1:])
    ENVIRONMENT.write_text(environment(LOCK.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

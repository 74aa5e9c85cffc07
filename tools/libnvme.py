"""Gets what the comparison of our layouts with libnvme's needs, a C compiler and libnvme's sources: `make libnvme`.

Nothing of libnvme becomes part of the kit, and the kit works without it.  Where it cannot be had the tests
concerned are skipped and say why; in CI that is an error.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PIN = Path(__file__).with_suffix(".txt")
VERSION = PIN.read_text(encoding="utf-8").split("==")[1].split()[0]
SOURCES = Path(sys.prefix) / f"libnvme-{VERSION}"
"""Where the sources are kept."""

COMPILERS = ("cc", "gcc", "clang")
COMPILER_COMMANDS = (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "gcc", "libc6-dev"])

# pip keeps a source archive only after its build system has named the package, and libnvme's would bring a whole
# tool chain to do that.  This one names it and builds nothing.
NAMES_ONLY = f"""
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name = "libnvme-{VERSION}.dist-info"
    (Path(folder) / name).mkdir()
    text = "Metadata-Version: 2.1\\nName: libnvme\\nVersion: {VERSION}\\n"
    (Path(folder) / name / "METADATA").write_text(text)
    return name
"""


def find_compiler() -> str | None:
    """The C compiler that is there, if any."""
    return next((path for name in COMPILERS if (path := shutil.which(name))), None)


def missing() -> str | None:
    """What the comparison lacks, in a sentence that says how to get it; None when nothing is missing."""
    if sys.platform != "linux":
        return "libnvme can be compiled on Linux only."
    if find_compiler() is None:
        return "There is no C compiler. On Debian and Ubuntu: sudo apt-get install gcc libc6-dev."
    if not SOURCES.is_dir():
        return "There are no sources of libnvme. With a network, make libnvme fetches them."
    return None


def install_compiler() -> None:
    """Install gcc from the packages of Debian or Ubuntu; raises CalledProcessError when that fails."""
    print("nvmelm: apt-get install gcc libc6-dev (the tests compile libnvme to compare layouts)", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in COMPILER_COMMANDS:
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


def fetch_sources() -> None:
    """Download the pinned source archive and unpack it; raises CalledProcessError when that fails."""
    print(
        f"nvmelm: fetching the sources of libnvme {VERSION} (the tests compare layouts with them)", flush=True
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mesonpy.py").write_text(NAMES_ONLY, encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        alone = ["--no-deps", "--no-binary", "libnvme", "--no-build-isolation", "--require-hashes"]
        subprocess.run(
            [*pip, *alone, "--requirement", str(PIN), "--dest", folder],
            check=True,
            env={**os.environ, "PYTHONPATH": folder},
        )
        shutil.unpack_archive(Path(folder, f"libnvme-{VERSION}.tar.gz"), folder)
        shutil.move(Path(folder, SOURCES.name), SOURCES)


def main() -> str | None:
    """Return None when all is there (now), or when it may be missing; else the sentence that says what is."""
    try:
        if find_compiler() is None and shutil.which("apt-get") and os.geteuid() == 0:
            install_compiler()
        if find_compiler() is not None and not SOURCES.is_dir():
            fetch_sources()
    except subprocess.CalledProcessError as error:
        print(f"nvmelm: {' '.join(error.cmd[:4])} ... failed; the reason stands above.", flush=True)
    lack = missing()
    if lack is None or "CI" in os.environ:
        return lack and f"nvmelm: the comparison of layouts with libnvme cannot be made. {lack}"
    print(f"nvmelm: the comparison of layouts with libnvme will be skipped. {lack}", flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main())

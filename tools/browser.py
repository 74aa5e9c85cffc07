"""Makes sure that there is a Chromium for the browser tests, or says what to install: `make browser`."""

import os
import shutil
import subprocess
import sys

from nvmelm_lab.doctor import find_browser

COMMANDS = (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "chromium"])


def install() -> None:
    """Install Chromium from the packages of Debian or Ubuntu; raises CalledProcessError when that fails."""
    print("nvmelm: apt-get install chromium (the browser tests drive it)", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in COMMANDS:
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


def main() -> str | None:
    """Return None when a browser is there (now), else the sentence that says what to do."""
    if find_browser():
        return None
    if shutil.which("apt-get") and os.geteuid() == 0:
        try:
            install()
        except subprocess.CalledProcessError as error:
            return f"nvmelm: {' '.join(error.cmd)} failed; install Chromium by hand, then make test again."
        if find_browser():
            return None
    return (
        "nvmelm: the browser tests need Chromium or Chrome, and there is none here. On Debian: sudo apt-get"
        " install chromium. Elsewhere: install Google Chrome, or .venv/bin/playwright install chromium."
    )


if __name__ == "__main__":
    sys.exit(main())

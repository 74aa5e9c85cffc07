"""`make lab` a second time: how long until JupyterLab answers.

Wall-clock time.  JupyterLab is started twice without a browser, as `make lab` does it, in a home of its own; the
second start counts.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.measure import Figure, Size
from nvmelm_lab.errors import KitError

ROOT = Path(__file__).parent.parent
TARGET_S = 10.0
PATIENCE_S = 180
ADDRESS = re.compile(r"http://[^\s]+token=\w+")


def measure(size: Size) -> list[Figure]:
    """Seconds from the command to the first answer; nothing when `size` leaves JupyterLab out."""
    if not size.jupyterlab:
        return []
    with tempfile.TemporaryDirectory() as home:
        _seconds_to_answer(Path(home))
        took = _seconds_to_answer(Path(home))
    return [Figure("make lab, the second time", took, "s", took, TARGET_S)]


def _seconds_to_answer(home: Path) -> float:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    log = home / "log"
    begin = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "lab", "ARGS=--no-browser"],
            cwd=ROOT,
            env=kept | {"HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while time.perf_counter() - begin < PATIENCE_S:
            if process.poll() is not None:
                raise KitError(f"make lab ended with {process.returncode}: {log.read_text().strip()}")
            address = ADDRESS.search(log.read_text())
            if address is not None and _answers(address.group()):
                return time.perf_counter() - begin
            time.sleep(0.05)
        raise KitError(f"JupyterLab did not answer within {PATIENCE_S} s: {log.read_text().strip()}")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False

"""Processes from start to finish: a migration on the command line, and what it takes to start at all.

Wall-clock time, as a user waits for it; on a machine that others use too, CPU time says more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import Figure, Peer, Size
from nvmelm_lab.errors import KitError

NVMELM = str(Path(sys.executable).with_name("nvmelm"))
TARGET_S = 1.5
LEAST_WRITES = 2_000
FULL_BLOCKS = 16_384

HEAVY = ("numpy", "plotly", "ipywidgets", "networkx")
IMPORT = f"import sys, nvmelm_lab; print([name for name in {HEAVY!r} if name in sys.modules])"


def measure(size: Size) -> list[Figure]:
    """Seconds of each process, the best of several."""
    migration = [NVMELM, "migrate", "--blocks", str(size.blocks), "--json"]
    _check_migration(size.blocks, _output(migration))
    imported = [sys.executable, "-c", IMPORT]
    if (found := _output(imported).strip()) != "[]":
        raise KitError(f"importing nvmelm_lab imports {found} too; none of them may be")
    wall, cpu = _times(migration, size.processes)
    bare, _ = _times([sys.executable, "-c", "pass"], size.processes)
    name = f"nvmelm migrate --blocks {size.blocks} --json"
    return [
        _figure(name, wall, TARGET_S),
        _figure(f"{name}: CPU time", cpu),
        _figure(
            "python -c 'import nvmelm_lab'",
            _times(imported, size.processes)[0],
            peer=Peer("python -c pass", min(bare)),
        ),
        _figure("nvmelm --help", _times([NVMELM, "--help"], size.processes)[0]),
    ]


def _figure(
    name: str, times: Sequence[float], target: float | None = None, peer: Peer | None = None
) -> Figure:
    return Figure(name, min(times), "s", median(times), target, peer)


def _check_migration(blocks: int, output: str) -> None:
    """The migration was a whole one: all properties judged and kept, and the guest wrote meanwhile."""
    result = json.loads(output)
    broken = [name for name, kept in result["properties"].items() if kept is not True]
    if result["verdict"] != "good" or broken:
        raise KitError(f"the migration of {blocks} LBAs is {result['verdict']!r}, broken: {broken}")
    if blocks >= FULL_BLOCKS and result["guest_writes"] < LEAST_WRITES:
        raise KitError(
            f"the guest wrote {result['guest_writes']} times, not {LEAST_WRITES}: no full migration"
        )


def _times(command: Sequence[str], count: int) -> tuple[list[float], list[float]]:
    """Wall-clock and CPU seconds of each of `count` runs."""
    wall, cpu = [], []
    for _ in range(count):
        begin, used = time.perf_counter(), _children_seconds()
        _output(command)
        wall.append(time.perf_counter() - begin)
        cpu.append(_children_seconds() - used)
    return wall, cpu


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KitError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout

"""``python -m benchmarks [NAME ...]``: measure all, or those that are named, and print one table.

The figures go to benchmarks/results.json as well, which is of this machine and this day, and not for the repository.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    command_line,
    door,
    hypothesis_peer,
    jupyterlab_start,
    race_search,
    random_migration,
    report,
    spin_peer,
    whole_door,
)
from benchmarks.measure import FULL, Figure, Size

RESULTS = Path(__file__).with_name("results.json")

BENCHMARKS: Mapping[str, Callable[[Size], list[Figure]]] = {
    "whole-door": whole_door.measure,
    "door": door.measure,
    "engine": random_migration.measure,
    "races": race_search.measure,
    "hypothesis": hypothesis_peer.measure,
    "spin": spin_peer.measure,
    "command-line": command_line.measure,
    "jupyterlab": jupyterlab_start.measure,
}


def main(names: Sequence[str]) -> int:
    """Run the benchmarks that are named, or all; gives the exit status: 2 for a name that is none."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name](FULL)
    print(report.table(figures))
    print(report.conditions())
    report.write(figures, RESULTS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

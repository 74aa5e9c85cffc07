"""`nvmelm doctor --faults`: the fault table, and every fault at every step of a small migration held against it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Any

import click

from nvmelm_lab.faults.matrix import Tally, as_text, sites, try_fault
from nvmelm_lab.faults.table import COLUMNS, ENDS, FAULTS


def examine(cores: int | None = None) -> Tally:
    """The whole matrix, a fault at a time, on as many cores as there are."""
    tally, steps = Tally(), sites()
    for each in _tried(steps, cores or os.cpu_count() or 1):
        tally.add(each)
    return tally


def _tried(steps: tuple[int, ...], cores: int) -> Iterator[Tally]:
    if cores == 1:
        yield from (try_fault(name, steps) for name in FAULTS)
        return
    with ProcessPoolExecutor(min(cores, len(FAULTS))) as pool:
        yield from pool.map(try_fault, FAULTS, [steps] * len(FAULTS))


def as_plain(tally: Tally) -> dict[str, Any]:
    """What `--json` prints."""
    rows = {
        name: {
            **asdict(row),
            "ends": {phase: sorted(row.allowed(phase)) for phase in COLUMNS},
            "cells": {phase: {end: tally.ends[name, phase, end] for end in ENDS} for phase in COLUMNS},
        }
        for name, row in FAULTS.items()
    }
    odd = [{"fault": text, "why": why} for text, why in tally.odd]
    return {"good": not odd, "runs": sum(tally.ends.values()), "faults": rows, "odd": odd}


def report(as_json: bool, echo: Callable[[str], None] = click.echo) -> bool:
    """Print table and matrix; gives whether every cell is as its row says."""
    if not as_json:
        echo(_table())
    tally = examine()
    echo(json.dumps(as_plain(tally), indent=2) if as_json else as_text(tally))
    return not tally.odd


def _table() -> str:
    parts = [
        f"{name}: {row.words}\n"
        f"  may be lost     {row.lost}\n"
        f"  recovers        {row.recovers}\n"
        f"  unreadable      {row.marked}\n"
        f"  source          can take over {row.takes_over}\n"
        for name, row in FAULTS.items()
    ]
    return "\n".join(parts)

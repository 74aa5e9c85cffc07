"""Figures as a table for people and as JSON for comparison."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Figure

_HEAD = ("what", "figure", "unit", "peer", "its figure", "ratio", "target", "met", "calibration")


def table(figures: Sequence[Figure]) -> str:
    """One line a figure."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def conditions() -> str:
    """What the figures were taken on, and whether they can be taken at their word."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    words = f"{platform.python_implementation()} {platform.python_version()}, {cores} cores, load {load:.1f}"
    if load <= cores / 2:
        return f"{words}."
    return f"{words}: others work here too, so read ratios; absolute targets are for a quiet machine."


def write(figures: Sequence[Figure], path: Path) -> None:
    """The figures, and what they were taken on, as JSON."""
    path.write_text(
        json.dumps({"conditions": conditions(), "figures": [_plain(each) for each in figures]}, indent=2)
        + "\n"
    )


def _row(figure: Figure) -> tuple[str, ...]:
    peer, ratio = figure.peer, figure.ratio
    return (
        figure.name,
        _number(figure.value),
        figure.unit,
        "" if peer is None else peer.name,
        "" if peer is None or peer.value is None else _number(peer.value),
        "" if ratio is None else f"{ratio:.2f}",
        _target(figure),
        {None: "", True: "yes", False: "NO"}[figure.is_met],
        f"{figure.calibration_ns:.1f} ns",
    )


def _target(figure: Figure) -> str:
    words = []
    if figure.target is not None:
        sign = "as before," if figure.exact else ">=" if figure.unit.endswith("/s") else "<="
        words.append(f"{sign} {_number(figure.target)}")
    if figure.peer is not None and figure.peer.least_ratio is not None:
        words.append(f"ratio >= {figure.peer.least_ratio:g}")
    return ", ".join(words)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.2f}"


def _plain(figure: Figure) -> dict[str, object]:
    peer = figure.peer
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "median": figure.middle,
        "target": figure.target,
        "peer": None
        if peer is None
        else {"name": peer.name, "value": peer.value, "least_ratio": peer.least_ratio},
        "ratio": figure.ratio,
        "met": figure.is_met,
        "calibration_ns": figure.calibration_ns,
    }

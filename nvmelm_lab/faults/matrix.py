"""The matrix fault x step: every fault at every step of the small migration, held against its row of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nvmelm_lab.engine import Random, Schedule, Timed
from nvmelm_lab.faults.fault import Fault
from nvmelm_lab.faults.small import SmallRun
from nvmelm_lab.faults.table import COLUMNS, ENDS, FAULTS, MOVED, STAYED


@dataclass(slots=True)
class Tally:
    """What came of one fault, or of several, at many sites.

    ends
        ``(fault, phase, "moved" or "stayed")`` -> how many runs ended so.
    odd
        Runs that did not end as their row says: the fault as the command line has it, and in a sentence why.
    """

    ends: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    odd: list[tuple[str, str]] = field(default_factory=list)

    def add(self, more: Tally) -> None:
        """Count in what came of others."""
        self.ends.update(more.ends)
        self.odd += more.odd

    def cell(self, name: str, phase: str) -> str:
        """The runs of one cell in short: ``12m 3s``, m for moved, s for stayed."""
        counts = [(self.ends[name, phase, end], end[0]) for end in ENDS]
        return " ".join(f"{count}{letter}" for count, letter in counts if count)


def sites(seed: int | None = None) -> tuple[int, ...]:
    """The steps of the small migration before which a fault can happen; with a seed, in a random order of steps."""
    end = SmallRun(schedule=_schedule(seed)()).finish()
    assert not end.wrong, end.wrong
    return end.asked


def try_fault(name: str, steps: Iterable[int], seed: int | None = None) -> Tally:
    """The small migration once for each of `steps`, with the fault there."""
    tally, schedule = Tally(), _schedule(seed)
    for step in steps:
        fault = Fault(name, step)
        end = SmallRun((fault,), schedule()).finish()
        how = MOVED if end.moved else STAYED
        phase = end.phase if end.happened else "After"
        tally.ends[name, phase, how] += 1
        wrong = end.wrong
        if not wrong and how not in FAULTS[name].allowed(phase):
            wrong = f"it ended {how} in {phase}"
        if wrong:
            tally.odd.append((fault.text, wrong))
    return tally


def _schedule(seed: int | None) -> Callable[[], Schedule]:
    return Timed if seed is None else lambda: Random(seed)


def as_text(tally: Tally) -> str:
    """The matrix for people: a row a fault, a column a phase."""
    rows: list[tuple[str, ...]] = [("", *COLUMNS)]
    rows += [(name, *(tally.cell(name, phase) for phase in COLUMNS)) for name in FAULTS]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines += ["", f"{sum(tally.ends.values())} runs; m: the guest moved, s: it stayed at the source"]
    lines += [f"{text} is not as its row says: {why}" for text, why in tally.odd]
    return "\n".join(lines)

"""What guests do all day: the built-in workloads, by name.  Recordings of real ones are in ``recordings.py``.

A workload never learns of the migration, and never asks for an LBA that its namespace does not have.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from nvmelm_lab.errors import InputError
from nvmelm_lab.host import workload_patterns as patterns
from nvmelm_lab.host.operation import Operation

Pattern = Callable[[int, int, int, int], Iterator[Operation]]
"""Namespace size in LBAs, seed, writes per second, LBAs per I/O -> operations."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What one guest will do."""

    name: str
    summary: str
    """One sentence for a learner."""
    operations: Callable[[], Iterator[Operation]]
    """A new iterator at each call, with the same operations each time; ``at_ns`` never decreases.
    It may be endless."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A row of the table of built-in workloads."""

    summary: str
    pattern: Pattern
    blocks_per_io: int
    """LBAs per I/O unless the caller says otherwise."""


WORKLOADS: Mapping[str, BuiltIn] = {
    "sequential": BuiltIn("Writes the namespace from end to end, over and over.", patterns.sequential, 8),
    "uniform": BuiltIn("Writes anywhere, every place equally often.", patterns.uniform, 1),
    "zipf": BuiltIn("Writes mostly to a few hot places, rarely to the many cold ones.", patterns.zipf, 1),
    "mixed": BuiltIn(
        "Reads, writes, deallocates, zeroes and flushes, mostly in a few hot places.", patterns.mixed, 1
    ),
    "ai-training": BuiltIn(
        "Reads its data set in order, now and then saves a checkpoint in one burst of writes, then rests.",
        patterns.ai_training,
        32,
    ),
    "diurnal": BuiltIn(
        "Reads and writes as the load of a day has it: quiet at night, busy at noon, the day compressed.",
        patterns.diurnal,
        1,
    ),
    "idle": BuiltIn("Does nothing: what the migration costs by itself.", patterns.idle, 1),
}

DEFAULT_WRITES_PER_SECOND = 30_000


def workload(
    name: str,
    *,
    blocks: int,
    seed: int,
    writes_per_second: int = DEFAULT_WRITES_PER_SECOND,
    blocks_per_io: int | None = None,
) -> Workload:
    """The built-in workload ``name`` for a namespace of ``blocks`` LBAs.

    ``writes_per_second`` counts write commands (for ai-training within a burst, for diurnal in the busiest
    hour); the time between two of them is rounded down to whole ns.  ``blocks_per_io`` is in LBAs; each
    workload has a usual one.  Two guests of one lab get different seeds.  InputError: an unknown name or an
    impossible number.
    """
    if name not in WORKLOADS:
        raise InputError(f"There is no workload {name!r}: {suggestion(name)}")
    built_in = WORKLOADS[name]
    per_io = built_in.blocks_per_io if blocks_per_io is None else blocks_per_io
    _require("blocks", blocks, 1, 1 << 64)
    _require("writes_per_second", writes_per_second, 1, patterns.SECOND_NS)
    _require("blocks_per_io", per_io, 1, 1 << 16)
    operations = partial(built_in.pattern, blocks, seed, writes_per_second, per_io)
    return Workload(name, built_in.summary, operations)


def suggestion(name: str) -> str:
    """What someone who asked for the unknown workload ``name`` can ask for instead: the end of a sentence."""
    near = difflib.get_close_matches(name.lower(), WORKLOADS, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{meant}the built-in ones are {', '.join(WORKLOADS)}."


def _require(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"A workload's {what} must be between {low} and {high}, and {value} is not.")

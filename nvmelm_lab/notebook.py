"""What a notebook imports: a migration to watch, one with knobs, and questions to think about first."""

import difflib
from dataclasses import fields
from typing import Any, Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views.bench import Bench
from nvmelm_lab.views.film import film
from nvmelm_lab.views.player import Player

__all__ = ["SMALL", "Bench", "Player", "bench", "watch"]

SMALL: Final = MigrationRun(
    blocks=176,
    filled=64,
    workload="zipf",
    seed=7,
    writes_per_second=10_000,
    depth=4,
    granularity=8,
    queue_entries=32,
    copy_tasks=2,
    chunk=8,
    rounds=3,
    downtime_budget_ns=30_000,
    lead_ns=100_000,
    after=8,
    trace="full",
)
"""The small lab of the notebooks: a namespace that fits on a map of 16 x 11 cells, one LBA a cell."""


def watch(step: int = 0, **knobs: Any) -> Player:
    """Run one migration of the small lab, any field of `MigrationRun` set by its name, and show its film.

    `step` (from 0) is where the film opens.  InputError for a field that there is not, or a value without sense.
    """
    return film(start(_spec(knobs)).finish(), step)


def bench(**knobs: Any) -> Bench:
    """A migration of the small lab with knobs around it: turn one, and it runs again."""
    return Bench(_spec(knobs))


def _spec(knobs: dict[str, Any]) -> MigrationRun:
    known = {field.name: getattr(SMALL, field.name) for field in fields(SMALL)}
    for name in knobs:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
            raise InputError(f"there is no knob {name!r}; {hint}")
    return MigrationRun(**{**known, **knobs})

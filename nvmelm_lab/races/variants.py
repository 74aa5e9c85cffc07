"""Variants of a case: the same search on SSDs of other habits, and with something that fails.

Habits and faults are chosen at the root, once a run, so that each variant is a search of its own, of about the size
of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.fault_sites import with_fault
from nvmelm_lab.ssd import FREEDOMS, Habits

COMBINATIONS = 4
"""Combinations of habits that are drawn, besides each freedom alone and all of them at once."""


def all_habits(combinations: int = COMBINATIONS) -> list[Habits]:
    """SSDs to search: the kit's own; one that differs in one freedom, for each; one that differs in all; and
    combinations, drawn by a fixed seed.
    """
    own = Habits()
    alone = [replace(own, **{each.name: option}) for each in FREEDOMS for option in each.options[1:]]
    others = replace(own, **{each.name: each.options[-1] for each in FREEDOMS})
    draw = stream(0, "races/habits").randrange
    drawn = [
        replace(own, **{each.name: each.options[draw(len(each.options))] for each in FREEDOMS})
        for _ in range(combinations)
    ]
    return list(dict.fromkeys([own, *alone, others, *drawn]))


def with_all_habits(cases: Sequence[Case]) -> list[Case]:
    """Each case with each SSD of `all_habits`."""
    return [
        replace(case, scenario=replace(case.scenario, habits=habits))
        for case in cases
        for habits in all_habits()
    ]


def with_faults(cases: Sequence[Case], names: Sequence[str]) -> list[Case]:
    """Each case as it is, and with each of these faults behind each step of the VMM."""
    found = []
    for case in cases:
        found.append(case)
        for name in names:
            found += [replace(case, scenario=each) for each in with_fault(case.scenario, name)]
    return found

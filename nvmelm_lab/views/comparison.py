"""Three ways to migrate one guest, in words: downtime, what its I/Os wait, what host software has to do.

`comparison_text` is the text twin of the figure that `comparison_figure` draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.methods import METHODS
from nvmelm_lab.runs import Observations, Outcome
from nvmelm_lab.views.text import grouped, short_duration

KINDS: Final = {"read": "Reads", "write": "Writes"}
"""Kinds of I/Os; a Write is whatever changes data, and a Flush."""


@dataclass(frozen=True, slots=True)
class Way:
    """One method's facts.

    begin_ns, end_ns
        Of the migration.
    medians
        Kind of an I/O, ``read`` or ``write``, -> what half of them waited at most.
    slow_ns, longest_ns
        What 99 of a hundred I/Os waited at most, and the longest.
    touched, commands
        I/Os of the guest that host software had to handle, and all of them.
    """

    name: str
    outcome: Outcome
    observed: Observations
    begin_ns: int
    end_ns: int
    medians: Mapping[str, int]
    slow_ns: int
    longest_ns: int
    touched: int
    commands: int


def ways(outcomes: Sequence[Outcome]) -> list[Way]:
    """The facts of observed runs.  InputError for a run that was not observed, had no clock, or an idle guest."""
    return [_way(outcome) for outcome in outcomes]


def _way(outcome: Outcome) -> Way:
    name, observed = METHODS[outcome.run.method], seen(outcome)
    waits = sorted(wait.ns for wait in observed.waits)
    kinds = {kind: sorted(wait.ns for wait in observed.waits if wait.kind == kind) for kind in KINDS}
    if not waits:
        raise InputError(f"the guest of the run {name!r} issued no I/O; take another workload")
    return Way(
        name,
        outcome,
        observed,
        outcome.phases[0].start_ns,
        outcome.phases[-1].end_ns,
        {kind: own[(len(own) - 1) // 2] for kind, own in kinds.items() if own},
        waits[len(waits) * 99 // 100],
        waits[-1],
        observed.touched,
        len(waits),
    )


def seen(outcome: Outcome) -> Observations:
    """What was seen of a run.  InputError when nobody looked, or no clock ran."""
    if outcome.observed is None:
        raise InputError("this run was not looked at closely; make it with start(..., observed=True)")
    if outcome.phases[0].start_ns < 0:
        raise InputError("no clock ran, so nothing has a duration; leave the schedule at 'timed'")
    return outcome.observed


def findings(found: Sequence[Way]) -> list[str]:
    """What is to be seen: downtime, waits, the work of the host; a sentence each."""
    stood = ", ".join(f"{short_duration(way.outcome.downtime_ns)} ({way.name})" for way in found)
    touched = ", ".join(
        f"{grouped(way.touched) if way.touched else 'none'} of {grouped(way.commands)} ({way.name})"
        for way in found
    )
    return [
        f"The VM stood still for {stood}.",
        *(_half(kind, found) for kind in KINDS if any(kind in way.medians for way in found)),
        f"I/Os that host software had to handle: {touched}.",
    ]


def _half(kind: str, found: Sequence[Way]) -> str:
    medians = (f"{short_duration(way.medians[kind])} ({way.name})" for way in found if kind in way.medians)
    return f"Half of its {KINDS[kind]} took no longer than {', '.join(medians)}."


def facts(way: Way) -> list[str]:
    """One method's numbers, a line each."""
    outcome = way.outcome
    return [
        f"VM stands still {short_duration(outcome.downtime_ns)}",
        *(f"half of the {KINDS[kind]} ≤ {short_duration(ns)}" for kind, ns in way.medians.items()),
        f"99 % ≤ {short_duration(way.slow_ns)}, longest {short_duration(way.longest_ns)}",
        f"by host software: {grouped(way.touched)} of {grouped(way.commands)} I/Os",
        f"work to learn of changes: {short_duration(outcome.host_ns)}",
    ]


def comparison_text(outcomes: Sequence[Outcome]) -> str:
    """The figure's facts in words.  InputError as for `ways`."""
    found = ways(outcomes)
    lines = ["One guest, migrated in different ways", *findings(found)]
    for way in found:
        ended = f"; it ended early: {way.outcome.failure}" if way.outcome.failure else ""
        lines.append(f"{way.name}: {'; '.join(facts(way))}{ended}.")
    return "\n".join(lines)

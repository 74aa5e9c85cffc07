"""Fault sites as choices at the root of a search: one scenario for each step behind which a fault can happen.

A site is named by an actor and the number of its step, which are the same in every order; so a search of each
scenario has no choice more than one without a fault, and sees every order of what comes before and after it.
"""

from __future__ import annotations

from dataclasses import replace

from nvmelm_lab.engine import WAIT, Actor, RunToBlock
from nvmelm_lab.races.scenario import Scenario, World, recovering

_NEVER = 1 << 30


class _Counting(RunToBlock):
    """Counts the steps of one actor that are sites: waits and choices are none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.steps = 0
        self._name = name

    def next(self) -> Actor | None:
        actor = super().next()
        if actor is not None and actor.name == self._name and actor.kind is not WAIT and not actor.kind.asks:
            self.steps += 1
        return actor


def with_fault(scenario: Scenario, name: str, actor: str = "VMM") -> list[Scenario]:
    """The scenario with the fault `name` behind each step that `actor` takes while nothing fails.

    The VMM is the reference that recovers: it takes more steps than one that reckons with no fault.
    """
    counting = _Counting(actor)
    world = World(replace(scenario, fault=f"{name}@{actor}#{_NEVER}"), recovering)
    world.begin(counting)
    world.engine.run()
    return [replace(scenario, fault=f"{name}@{actor}#{step}") for step in range(1, counting.steps + 1)]

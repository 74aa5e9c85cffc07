"""The explorer: runs a scenario under every order of steps that can make a difference.

Stateless: each execution starts from the beginning, led by a `Guide` along a `Path`.

Two reductions.  *Sleep sets* (Godefroid, 1996) skip an order that only swaps independent steps of one already
seen.  *Source-DPOR* (Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order reduction", 2014) moreover
tries only those actors whose going first reverses a race that was seen.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import Recorder, RunToBlock
from nvmelm_lab.races.guide import Guide
from nvmelm_lab.races.path import Path

if TYPE_CHECKING:
    from nvmelm_lab.races.scenario import World

BETWEEN_COLLECTIONS = 64
"""Executions after which the worlds left behind are given back; each is a knot of references, some 500 KiB."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An execution that broke a promise: the sentence, and the decisions at the points of choice."""

    sentence: str
    order: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What a search has seen so far.

    executions, redundant
        Executions that ran to their end, and those given up because all that could go was asleep.
    steps
        Steps taken, local ones included.
    finals
        Different outcomes, as the scenario's observer tells them.
    """

    executions: int = 0
    redundant: int = 0
    steps: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    finals: set[Any] = field(default_factory=set)


class Explorer:
    """Explores the worlds that `build` makes.

    reduction
        ``"source-dpor"`` or ``"sleep sets"``.
    observe
        Gives a hashable value of a world at its end, to compare searches by; None: the verdict alone.
    prefix
        Decisions that every execution begins with.  Searches of all that `branches` gives for a prefix see together
        what one search of that prefix sees, and none sees an order of another.
    """

    def __init__(
        self,
        build: Callable[[], World],
        *,
        reduction: str = "source-dpor",
        observe: Callable[[World], Any] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.build = build
        self.all_enabled = reduction == "sleep sets"
        self.observe = observe
        self.found = Found()
        self.is_over = False
        self._path = Path(prefix)

    def advance(self, budget: int) -> bool:
        """Run up to `budget` executions; True when every order that matters has been seen."""
        collects = gc.isenabled()
        gc.disable()
        try:
            for number in range(budget):
                if self.is_over:
                    break
                self._execute()
                self.is_over = not self._path.turn()
                if collects and number % BETWEEN_COLLECTIONS == BETWEEN_COLLECTIONS - 1:
                    gc.collect(1)
        finally:
            if collects:
                gc.enable()
        return self.is_over

    def run(self) -> Found:
        """Explore to the end."""
        while not self.advance(1024):
            pass
        return self.found

    def branches(self) -> list[tuple[str, ...]]:
        """Prefixes longer by one decision, which divide this search into smaller ones; none if it has one order only.

        To be asked before the search begins.
        """
        path = self._path
        self._lead()
        if len(path.nodes) <= len(path.prefix):
            return []
        node = path.nodes[len(path.prefix)]
        self._path = Path(path.prefix)
        return [(*path.prefix, decision) for decision in node.awake]

    def _execute(self) -> None:
        world, guide = self._lead()
        self.found.steps += world.engine.step_index + 1
        if guide.asleep:
            self.found.redundant += 1
            return
        self.found.executions += 1
        self._judge(world)

    def _lead(self) -> tuple[World, Guide]:
        world = self.build()
        guide = Guide(self._path, all_enabled=self.all_enabled)
        world.begin(guide, Recorder())
        world.engine.run()
        guide.settle()
        return world, guide

    def _judge(self, world: World) -> None:
        world.engine.use(RunToBlock())
        sentence = world.verdict()
        if sentence and sentence not in self.found.failures:
            self.found.failures[sentence] = Failure(sentence, self._path.order)
        self.found.finals.add(sentence if self.observe is None else (sentence, self.observe(world)))

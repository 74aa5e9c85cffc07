"""What a defect of the catalogue is: a name, words for people, and what makes a world defective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from nvmelm_lab.races.guarding import guarding
from nvmelm_lab.races.ladder import LADDER
from nvmelm_lab.races.matrix import FOUND, MATRIX
from nvmelm_lab.races.scenario import Scenario, Vmm, World
from nvmelm_lab.ssd import Habits, Parts

_reads = property
"""The builtin, for a class that has a field of that name."""

FAILS = "nothing lost on failure"
NEVER_ENDS = "each command once"


@dataclass(frozen=True, slots=True)
class Defect:
    """One deviation from what is right.

    name
        In kebab-case, as the command line takes it.
    kind
        Who is wrong: a VMM, the SSD's firmware, or a host without one of its safeguards.
    title
        What it does, in one sentence.
    property
        The promise that it breaks, a key of `nvmelm_lab.oracle.PROPERTIES`.
    look_for
        What a reader of the failing run should look for.
    slide
        Heading of the talk's slide that it belongs to.
    source_note
        Where it was met, if not thought up for the kit.
    habits
        Without these habits of the SSD it does no harm.
    guards
        The rung beside the ladder with what a missing safeguard guards against.
    vmm, parts, prepare
        What is wrong: the VMM (None: the one that is right on the rung), the SSD's parts, or the world.
    """

    name: str
    kind: Literal["VMM", "firmware", "safeguard"]
    title: str
    property: str
    look_for: str
    slide: str
    source_note: str = ""
    habits: Habits = field(default_factory=Habits)
    guards: Scenario | None = None
    vmm: Vmm | None = None
    parts: Parts | None = None
    prepare: Callable[[World], None] | None = None

    @_reads
    def climbs(self) -> tuple[Scenario, ...]:
        """The scenarios to look for it on, smallest first, on an SSD with the habits that it needs."""
        return tuple(map(self.on, LADDER if self.guards is None else (*LADDER, self.guards)))

    @_reads
    def rungs(self) -> tuple[str, ...]:
        """Names of those on which it is found; on the others it is proven absent."""
        cells = zip(self.climbs, MATRIX[self.name], strict=True)
        return tuple(scenario.name for scenario, cell in cells if cell == FOUND)

    @_reads
    def rung(self) -> str:
        """The smallest of them."""
        return self.rungs[0]

    def on(self, scenario: Scenario) -> Scenario:
        """The scenario on an SSD with the habits that it needs."""
        own = scenario.habits.plain() | self.habits.plain()
        return replace(scenario, habits=Habits(**own))

    def world(self, scenario: Scenario) -> World:
        """One execution of `scenario`, as it is, with this defect in it."""
        world = World(scenario, self.vmm or guarding(scenario), self.parts)
        if self.prepare is not None:
            self.prepare(world)
        return world


def property_of(sentence: str) -> str:
    """The promise that a verdict's sentence says is broken.

    A VMM that fails or never ends leaves the VM standing still; a guest that never ends waits for a command.
    """
    who = sentence.partition(" ")[0]
    if sentence.startswith((f"{who} never ends", f"{who} failed")):
        return FAILS if who == "VMM" else NEVER_ENDS
    return sentence.partition(":")[0]

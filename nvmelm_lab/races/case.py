"""A case: what is searched for races, as plain data: a scenario, and who drives the migration in it.

A case can be sent to another process, put into a token, and built anew for each execution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.races import catalogue
from nvmelm_lab.races.guarding import guarding
from nvmelm_lab.races.ladder import LADDER
from nvmelm_lab.races.rewind import Rewind
from nvmelm_lab.races.scenario import Scenario, Vmm, World
from nvmelm_lab.ssd import Habits


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario under the reference VMM, unless a defect of the catalogue or a learner's text is named."""

    scenario: Scenario = field(default=LADDER[0])
    defect: str = ""
    source: str = ""

    def world(self) -> World:
        """One execution, ready to begin."""
        if self.defect:
            return catalogue.defect(self.defect).world(self.scenario)
        return World(self.scenario, self.vmm())

    def worlds(self) -> Callable[[], World]:
        """Executions one after the other, each ready to begin; each is the end of the one before."""
        world = self.world()
        rewind = Rewind(world, world.engine)

        def again() -> World:
            rewind()
            return world

        return again

    def vmm(self) -> Vmm:
        """Who drives the migration.  Raises ProgramError when the text is no program of a learner."""
        if self.source:
            # Most cases have none.
            from nvmelm_lab.races.learner import compile_vmm

            return compile_vmm(self.source)
        wrong = catalogue.defect(self.defect).vmm if self.defect else None
        return wrong or guarding(self.scenario)

    def plain(self) -> dict[str, Any]:
        """The case as JSON values."""
        scenario = asdict(self.scenario) | {"habits": self.scenario.habits.plain()}
        return {"scenario": scenario, "defect": self.defect, "source": self.source}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Case:
        """The case that `plain` gave.  InputError for anything else."""
        try:
            scenario = dict(plain["scenario"])
            habits = Habits(**scenario.pop("habits"))
            return cls(
                Scenario(**scenario, habits=habits),
                str(plain.get("defect", "")),
                str(plain.get("source", "")),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"this is not a case of the race search: {error}") from error

"""What was set up once serves many executions: rewound, a world is as good as a new one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvmelm_lab.engine import Random, RunToBlock
from nvmelm_lab.errors import KitError
from nvmelm_lab.faults import FAULTS
from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Found, Scenario, World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.rewind import Rewind

SMALL = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS) if len(scenario.guest.split()) <= 2}


def told(found: Found) -> tuple[object, ...]:
    return found.executions, found.redundant, found.steps, found.finals, found.failures


@pytest.mark.parametrize("name", SMALL)
def test_a_search_of_rewound_worlds_sees_what_a_search_of_new_ones_sees(name: str) -> None:
    case = Case(SMALL[name])
    again = Explorer(case.worlds(), observe=World.content)
    anew = Explorer(case.world, observe=World.content)
    again.advance(300)
    anew.advance(300)
    assert told(again.found) == told(anew.found)


def _memory(world: World) -> list[dict[int, bytes]]:
    spaces = (
        world.lab.source_memory,
        world.lab.destination_memory,
        *world.lab.source_spaces.values(),
        *world.lab.destination_spaces.values(),
    )
    return [{page: space.read(page * 4096, 4096) for page in space.pages()} for space in spaces]


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_after_any_run_all_memory_is_as_it_was(fault: str) -> None:
    scenario = replace(SMALL["2 commands"], fault=f"{fault}@VMM#9" if fault else "")
    worlds = Case(scenario).worlds()
    before = _memory(worlds())
    for seed in range(4):
        world = worlds()
        world.begin(Random(seed))
        world.engine.run()
        world.engine.use(RunToBlock())
        world.verdict()
        assert _memory(world) != before
        assert _memory(worlds()) == before


def test_who_cannot_begin_anew_is_named() -> None:
    world = Case(Scenario("one", "w0", 1)).world()

    async def waits() -> None:
        await world.guest.queue.arrived.wait(1000)

    world.engine.spawn("a stranger", waits())
    with pytest.raises(KitError, match="a stranger cannot begin anew"):
        Rewind(world, world.engine)


def test_what_cannot_be_put_back_is_named() -> None:
    world = Case(Scenario("one", "w0", 1)).world()
    world.programs.append(iter("no guest"))  # type: ignore[arg-type]
    with pytest.raises(KitError, match="iterator cannot be put back"):
        Rewind(world, world.engine)

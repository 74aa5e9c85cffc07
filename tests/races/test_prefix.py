"""A search can be divided: the parts see together what the whole sees, and none sees what another does."""

from __future__ import annotations

import pytest

from nvmelm_lab.errors import KitError
from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Failure, Found, World
from nvmelm_lab.races.case import Case

BY_NAME = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS)}


def parts(case: Case, depth: int) -> list[Found]:
    """The search of `case`, divided at every point up to `depth`."""
    prefixes: list[tuple[str, ...]] = [()]
    for _ in range(depth):
        divided = [(each, Explorer(case.worlds(), prefix=each).branches()) for each in prefixes]
        prefixes = [part for each, branches in divided for part in branches or [each]]
    return [Explorer(case.worlds(), prefix=each, observe=World.content).run() for each in prefixes]


@pytest.mark.parametrize("name", ["one write, no round", "two writes", "2 commands", "two writes, one LBA"])
@pytest.mark.parametrize("depth", [1, 4, 9])
def test_the_parts_of_a_search_see_what_the_whole_sees_each_order_once(name: str, depth: int) -> None:
    case = Case(BY_NAME[name])
    whole = Explorer(case.worlds(), observe=World.content).run()
    found = parts(case, depth)
    assert sum(each.executions for each in found) == whole.executions
    assert set().union(*(each.finals for each in found)) == whole.finals


def test_a_part_begins_with_its_prefix() -> None:
    async def fails(migration: object) -> None:
        raise ValueError("as it was meant to")

    def world() -> World:
        return World(BY_NAME["two writes"], fails)

    for prefix in Explorer(world).branches():
        failures: list[Failure] = list(Explorer(world, prefix=prefix).run().failures.values())
        assert failures
        assert all(failure.order[:1] == prefix for failure in failures)


def test_a_prefix_that_nobody_can_take_is_our_error() -> None:
    case = Case(BY_NAME["two writes"])
    with pytest.raises(KitError, match="begins with nobody, but only"):
        Explorer(case.worlds(), prefix=("nobody",)).run()

"""What is chosen in place is a branch of the search, each option in each order; what is left open is a race."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from nvmelm_lab.engine import choose, passed
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.races import LADDER, Explorer, Found, Scenario, World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.scenario import Vmm
from nvmelm_lab.races.walk import Walk
from nvmelm_lab.ssd import FREEDOMS, Habits
from tests.races import habit_vmms

WRITE = next(scenario for scenario in LADDER if scenario.name == "one write, no round")


def explore(scenario: Scenario, vmm: Vmm | None = None, reduction: str = "source-dpor") -> Found:
    build = Case(scenario).worlds() if vmm is None else lambda: World(scenario, vmm)
    return Explorer(build, reduction=reduction, observe=World.content).run()


def choosing(*names: str) -> tuple[Vmm, set[tuple[object, ...]]]:
    """A VMM that only asks, and the answers that it got."""
    answers: set[tuple[object, ...]] = set()

    async def asks(migration: Migration) -> None:
        found: list[object] = []
        for name in names:
            question: Coroutine[Any, Any, object] = (
                passed(10) if name == "clock" else choose(name, ("one", "two", "three"))  # type: ignore[assignment]
            )
            found.append(await question)
        answers.add(tuple(found))

    return asks, answers


@pytest.mark.parametrize(("names", "count"), [(("a",), 3), (("a", "b"), 9), (("a", "clock"), 6)])
def test_all_options_are_tried_and_those_of_several_choices_in_all_combinations(
    names: tuple[str, ...], count: int
) -> None:
    vmm, answers = choosing(*names)
    found = explore(WRITE, vmm)
    assert len(answers) == count
    # The guest's own two orders are none: nothing races with a VMM that only asks.
    assert found.executions == count
    assert found.redundant == 0


@pytest.mark.parametrize("name", [freedom.name for freedom in FREEDOMS if freedom.scope == "timing"])
def test_with_a_freedom_left_open_sleep_sets_see_the_same(name: str) -> None:
    scenario = replace(WRITE, habits=Habits(**{name: "open"}))
    reduced, full = explore(scenario), explore(scenario, reduction="sleep sets")
    assert reduced.executions == full.executions
    assert reduced.finals == full.finals
    assert reduced.failures == full.failures == {}


def test_a_vmm_that_fails_under_one_order_of_entry_and_completion_fails_where_it_is_open() -> None:
    open_ = replace(WRITE, habits=Habits(entry_order="open"))
    found = explore(open_, habit_vmms.takes_a_completion_for_an_entry)
    (failure,) = found.failures.values()
    assert "no write lost: LBA 0" in failure.sentence
    completed = failure.order.index("Y.sq1#2.completion")
    assert "Y.sq1#2" in failure.order[completed:]
    world = World(open_, habit_vmms.takes_a_completion_for_an_entry)
    world.begin(Walk(failure.order))
    world.engine.run()
    assert world.verdict() == failure.sentence

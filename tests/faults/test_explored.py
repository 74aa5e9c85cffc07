"""Faults under the explorer: a site is chosen at the root, and every order around it is seen."""

from collections.abc import Callable

import pytest

from nvmelm_lab.engine import PCT, Random, Schedule
from nvmelm_lab.errors import InputError
from nvmelm_lab.races import LADDER, Explorer, Found, Scenario, World, with_fault
from nvmelm_lab.races.scenario import recovering, reference

SMALLEST = LADDER[0]
CHEAP = ("media-error", "queue-overflow", "cancel", "link-lost", "link-down", "slow-suspend", "vmm-crash")
WIDE = ("reset-x", "reset-y", "reset-g", "reset-h", "power-loss")
"""Faults after which drivers initialize controllers anew: many steps, and many orders of them."""


def outcome(world: World) -> object:
    return world.migration.progress.failure, world.content()


def explorer(scenario: Scenario, reduction: str = "source-dpor") -> Explorer:
    return Explorer(lambda: World(scenario, recovering), reduction=reduction, observe=outcome)


def explored(scenario: Scenario, reduction: str = "source-dpor") -> Found:
    return explorer(scenario, reduction).run()


@pytest.mark.parametrize("name", CHEAP)
def test_whatever_the_order_around_a_fault_nothing_is_lost(name: str) -> None:
    scenarios = with_fault(SMALLEST, name)
    assert len(scenarios) > 30
    for scenario in scenarios[::2]:
        found = explored(scenario)
        assert found.failures == {}, scenario.fault
        # A link that is up and comes up again moves a gate for nobody, and still races with who looked at it.
        assert found.redundant <= found.executions / 10, scenario.fault


@pytest.mark.parametrize("name", WIDE)
def test_the_first_orders_around_a_reset_lose_nothing_either(name: str) -> None:
    for scenario in with_fault(SMALLEST, name)[::4]:
        search = explorer(scenario)
        search.advance(15)
        assert search.found.failures == {}, scenario.fault


@pytest.mark.parametrize(
    ("fault", "executions"), [("reset-h@VMM#28", 70), ("reset-y@VMM#28", 70), ("reset-h@VMM#31", 55)]
)
def test_a_reset_at_the_end_of_the_move_in_every_order(fault: str, executions: int) -> None:
    scenario = next(each for each in with_fault(SMALLEST, fault.split("@")[0]) if each.fault == fault)
    found = explored(scenario)
    assert found.failures == {}
    assert (found.executions, found.redundant) == (executions, 0)


@pytest.mark.parametrize("name", CHEAP)
def test_source_dpor_sees_the_same_outcomes_as_sleep_sets_and_random_orders_add_none(name: str) -> None:
    for scenario in with_fault(SMALLEST, name)[5::25]:
        reduced, full = explored(scenario), explored(scenario, "sleep sets")
        assert (reduced.executions, reduced.finals) == (full.executions, full.finals)
        for seed in range(12):
            world = World(scenario, recovering)
            world.begin(Random(seed))
            world.engine.run()
            assert (world.verdict(), outcome(world)) in reduced.finals, (scenario.fault, seed)


@pytest.mark.parametrize("schedule", [Random, lambda seed: PCT(3, seed)], ids=["random", "pct"])
@pytest.mark.parametrize("name", [*CHEAP, *WIDE])
def test_every_site_holds_in_random_orders_too(name: str, schedule: Callable[[int], Schedule]) -> None:
    for seed, scenario in enumerate(with_fault(LADDER[1], name)):
        world = World(scenario, recovering)
        world.begin(schedule(seed))
        world.engine.run()
        assert world.verdict() == "", (scenario.fault, seed)


def test_a_vmm_that_crashes_before_the_vm_moved_leaves_it_at_the_source_in_every_order() -> None:
    before, *_, after = with_fault(SMALLEST, "vmm-crash")
    found = explored(before)
    words = {failure for _, (failure, _) in found.finals}
    assert words == {"the VMM crashed; the next one let the guest go on at the source"}
    # In orders in which more is to be copied, that step comes before the VM is started.
    assert {failure for _, (failure, _) in explored(after).finals} == {"", *words}


def test_a_link_that_comes_up_again_in_time_costs_nothing_and_else_the_migration() -> None:
    found = explored(
        next(each for each in with_fault(SMALLEST, "link-down") if each.fault == "link-down@VMM#1")
    )
    words = sorted(failure for _, (failure, _) in found.finals)
    assert words == ["", "the link was down 4 times in a row; migrate again when it is up"]


def test_a_vmm_without_a_way_back_is_found() -> None:
    found = [
        sentence
        for scenario in with_fault(SMALLEST, "link-lost")[::5]
        for sentence in Explorer(lambda scenario=scenario: World(scenario, reference)).run().failures
    ]
    assert any("VMM failed: the link was down" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("cancel@state", "is at no step of an actor; write cancel@ACTOR#STEP"),
        ("vmm-crash@state", "is at no step of an actor; write vmm-crash@ACTOR#STEP"),
    ],
)
def test_what_cannot_be_explored_is_refused(fault: str, message: str) -> None:
    from dataclasses import replace

    world = World(replace(SMALLEST, fault=fault), recovering)
    with pytest.raises(InputError, match=message):
        world.begin(Random(1))

"""VMMs in the learner's verbs under every order: the reference holds, in as many orders as the internal one."""

import inspect

import pytest

from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Found, Scenario, World, reference_vmm
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.learner import vmm_of
from nvmelm_lab.races.scenario import Vmm, reference

BY_NAME = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS)}

VERBS = vmm_of(reference_vmm.migrate)


def explore(name: str, vmm: Vmm) -> Found:
    scenario: Scenario = BY_NAME[name]
    return Explorer(lambda: World(scenario, vmm), observe=lambda world: world.content()).run()


@pytest.mark.parametrize("name", [each.name for each in LADDER[:-1]])
def test_the_reference_in_the_verbs_loses_nothing(name: str) -> None:
    assert explore(name, VERBS).failures == {}


@pytest.mark.parametrize("name", ["1 command", "2 commands", "two writes, one LBA"])
def test_it_has_as_many_orders_as_the_internal_reference_and_ends_as_that_does(name: str) -> None:
    ours, internal = explore(name, VERBS), explore(name, reference)
    assert ours.failures == {}
    assert ours.executions == internal.executions
    assert ours.finals == internal.finals


def test_asking_what_is_allocated_is_all_that_it_does_more() -> None:
    """Get LBA Status races with a deallocation; the internal reference takes every LBA instead."""
    scenario = Scenario("a write and a deallocation", "w0 d1", 2, depth=2)
    internal, ours = (
        Explorer(lambda vmm=vmm: World(scenario, vmm), observe=lambda world: world.content()).run()
        for vmm in (reference, VERBS)
    )
    assert internal.executions < ours.executions < internal.executions * 3 // 2
    assert ours.finals == internal.finals


def test_a_vm_that_is_never_paused_races_with_its_start_at_the_destination() -> None:
    """Whoever opens a gate that is open lets nobody go who waited: that is a race like any other."""
    text = inspect.getsource(reference_vmm).replace("    await vm.pause()\n", "")
    case = Case(LADDER[0], source=text)
    both = [
        Explorer(case.worlds(), reduction=reduction, observe=lambda world: world.content()).run()
        for reduction in ("source-dpor", "sleep sets")
    ]
    assert "guest never ends: it waits for completion 1 on guest" in both[0].failures
    assert both[0].finals == both[1].finals

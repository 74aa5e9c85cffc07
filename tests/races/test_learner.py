"""VMMs in the learner's verbs under every order: the reference holds, in as many orders as the internal one."""

import pytest

from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Found, Scenario, World, reference_vmm
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


@pytest.mark.parametrize(
    ("name", "executions", "prototype"),
    [("1 command", 13, 9), ("2 commands", 108, 85), ("3 commands, QD 2", 551, 477)],
)
def test_it_needs_about_as_many_orders_as_the_prototype_and_ends_as_the_internal_reference_does(
    name: str, executions: int, prototype: int
) -> None:
    ours, internal = explore(name, VERBS), explore(name, reference)
    assert ours.failures == {}
    assert ours.executions == executions <= prototype * 3 // 2
    assert ours.finals == internal.finals

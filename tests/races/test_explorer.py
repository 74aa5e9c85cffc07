"""The explorer: sees every order that matters, no order twice, and finds each mistake on a scenario of its size."""

from collections import Counter
from collections.abc import Callable

import pytest

from nvmelm_lab.engine import PCT, Actor
from nvmelm_lab.engine.schedules import PATIENCE
from nvmelm_lab.errors import KitError
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.port import Port
from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Found, Scenario, World
from nvmelm_lab.races.scenario import Vmm, reference
from nvmelm_lab.ssd import Controller
from nvmelm_lab.ssd.namespace import Namespace

from . import wrong_vmms

BY_NAME = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS)}

SMALL = ("one write, no round", "one write, one round", "one deallocation", "three blocks", "two writes")


def outcome(world: World) -> tuple[int, ...]:
    """What the destination holds in the end."""
    return world.content()


def explore(scenario: Scenario, vmm: Vmm = reference, reduction: str = "source-dpor") -> Found:
    return Explorer(lambda: World(scenario, vmm), reduction=reduction, observe=outcome).run()


@pytest.mark.parametrize(
    ("name", "executions"),
    [
        ("1 command", 13),
        ("2 commands", 124),
        ("3 commands, QD 2", 569),
        ("two writes, one LBA", 53),
        ("three blocks", 9),
        ("two writes", 29),
    ],
)
def test_the_reference_vmm_loses_nothing_in_exactly_this_many_orders(name: str, executions: int) -> None:
    found = explore(BY_NAME[name])
    assert found.failures == {}
    assert found.executions == executions
    assert found.redundant <= executions // 20


@pytest.mark.parametrize("name", [*SMALL, "2 commands", "two writes, one LBA"])
def test_source_dpor_sees_as_many_traces_and_the_same_outcomes_as_sleep_sets(name: str) -> None:
    reduced, full = explore(BY_NAME[name]), explore(BY_NAME[name], reduction="sleep sets")
    assert reduced.executions == full.executions
    assert reduced.finals == full.finals
    assert reduced.redundant < full.redundant


async def suspends_and_resumes(migration: Migration) -> None:
    await migration.move.source_side.suspend()
    await migration.move.source_side.resume()


async def does_so_twice_while_logging(migration: Migration) -> None:
    await migration.start_logging()
    for _ in range(2):
        await suspends_and_resumes(migration)


async def gives_up_the_queue(migration: Migration) -> None:
    await migration.start_logging()
    await migration.move.source_side.suspend_for_good()
    await migration.move.source_side.resume()


async def pauses_and_starts(migration: Migration) -> None:
    await migration.vm.pause()
    await migration.vm.start()


@pytest.mark.parametrize("name", ["one write, no round", "two writes", "two writes, one LBA"])
@pytest.mark.parametrize(
    "vmm", [suspends_and_resumes, does_so_twice_while_logging, gives_up_the_queue, pauses_and_starts]
)
def test_a_step_that_waits_for_a_gate_is_also_tried_before_the_gate_was_closed(vmm: Vmm, name: str) -> None:
    reduced, full = explore(BY_NAME[name], vmm), explore(BY_NAME[name], vmm, "sleep sets")
    assert reduced.executions == full.executions > 1
    assert reduced.finals == full.finals


FOUND_ON = [
    (wrong_vmms.copies_before_logging, "one write, no round", "no write lost: LBA 0"),
    (wrong_vmms.copies_before_track_send_completed, "one write, no round", "LBA 0"),
    (wrong_vmms.forgets_the_final_drain, "one write, no round", "LBA 0"),
    (wrong_vmms.takes_an_empty_queue_for_clean, "one write, no round", "LBA 0"),
    (wrong_vmms.fetches_the_state_before_the_suspend, "one write, no round", "guest"),
    (wrong_vmms.moves_memory_before_the_pause, "one write, no round", "guest"),
    (wrong_vmms.resumes_before_the_last_copy, "two writes, one LBA", "LBA 0"),
    (wrong_vmms.resumes_both, "one write, no round", "one controller runs: both Y and H"),
    (wrong_vmms.ignores_deallocations, "one deallocation", "nothing revived: LBA 0"),
    (wrong_vmms.does_not_join_its_copies, "two writes, one LBA", "LBA 0"),
]


@pytest.mark.parametrize(
    ("vmm", "name", "what"), FOUND_ON, ids=lambda value: getattr(value, "__name__", None)
)
def test_each_wrong_vmm_is_found_on_a_small_scenario(vmm: Vmm, name: str, what: str) -> None:
    found = explore(BY_NAME[name], vmm)
    assert any(what in sentence for sentence in found.failures), found.failures


@pytest.mark.parametrize(
    ("vmm", "name", "what"), FOUND_ON, ids=lambda value: getattr(value, "__name__", None)
)
def test_with_a_wrong_vmm_source_dpor_and_sleep_sets_agree_too(vmm: Vmm, name: str, what: str) -> None:
    reduced, full = explore(BY_NAME[name], vmm), explore(BY_NAME[name], vmm, "sleep sets")
    assert reduced.executions == full.executions
    assert reduced.finals == full.finals


async def _does_not_wait(self: Controller) -> None:
    return None


def _suspend_does_not_drain(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Controller, "drain", _does_not_wait)


def _interrupts_are_not_replayed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Port, "replay_interrupts", lambda self: None)


@pytest.mark.parametrize(
    ("defect", "name", "what"),
    [
        (_suspend_does_not_drain, "one write, no round", "guest never ends"),
        (_interrupts_are_not_replayed, "one write, no round", "guest never ends"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_defect_below_the_vmm_is_found_as_well(
    defect: Callable[[pytest.MonkeyPatch], None], name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect(monkeypatch)
    found = explore(BY_NAME[name])
    assert any(what in sentence for sentence in found.failures), found.failures


def test_a_step_that_touches_more_than_it_said_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Namespace, "writing", lambda self, slba, blocks: ((), ()))
    monkeypatch.setattr(
        Namespace,
        "write",
        lambda self, slba, stamps: (
            self._engine.recorder and self._engine.recorder.writes.add(("lba", "unsaid"))
        ),
    )
    with pytest.raises(KitError, match="without saying so"):
        explore(BY_NAME["one write, no round"])


def test_the_same_search_takes_the_same_steps_again() -> None:
    one, other = explore(BY_NAME["2 commands"]), explore(BY_NAME["2 commands"])
    assert (one.executions, one.redundant, one.steps) == (other.executions, other.redundant, other.steps)


def test_a_search_can_be_taken_in_slices() -> None:
    whole = explore(BY_NAME["2 commands"])
    explorer = Explorer(lambda: World(BY_NAME["2 commands"]))
    slices = 0
    while not explorer.advance(10):
        slices += 1
    assert slices == (whole.executions + whole.redundant) // 10
    assert explorer.found.executions == whole.executions


def test_a_failure_comes_with_the_order_that_shows_it_again() -> None:
    scenario = BY_NAME["one write, no round"]
    failure = next(iter(explore(scenario, wrong_vmms.forgets_the_final_drain).failures.values()))
    explorer = Explorer(lambda: World(scenario, wrong_vmms.forgets_the_final_drain))
    explorer.advance(1)
    assert failure.order
    assert "VMM" in {actor.split(".")[0] for actor in failure.order}


@pytest.mark.parametrize("name", BY_NAME)
def test_no_actor_of_a_scenario_takes_so_many_steps_that_pct_is_not_as_published(name: str) -> None:
    class Counting(PCT):
        def next(self) -> Actor | None:
            actor = super().next()
            taken.update([actor.name] if actor is not None else [])
            return actor

    for seed in range(5):
        taken: Counter[str] = Counter()
        world = World(BY_NAME[name])
        world.begin(Counting(3, seed))
        world.engine.run()
        assert world.verdict() == ""
        assert 10 < max(taken.values()) < PATIENCE


def test_unknown_commands_of_a_guest_are_refused() -> None:
    from nvmelm_lab.errors import InputError

    with pytest.raises(InputError, match="'x0' cannot be read"):
        Scenario("bad", "x0", 1).operations()

"""Scenarios: what their words mean, and who else takes part in them."""

import pytest

from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.errors import InputError
from nvmelm_lab.host import provision
from nvmelm_lab.host.guest import describe
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.races import Scenario, World
from nvmelm_lab.races.scenario import Vmm, read_commands, reference


def run(scenario: Scenario, vmm: Vmm = reference) -> World:
    world = World(scenario, vmm)
    world.begin(RunToBlock())
    world.engine.run()
    return world


async def ends_earlier_commands(migration: Migration) -> None:
    there = migration.move.destination
    await provision.bring_online(there.driver, there.cntlid)
    await reference(migration)


def test_commands_name_a_letter_and_one_lba_or_several() -> None:
    words = [describe(operation) for operation in read_commands("w0 d2 u1-3 d0,4-5 r7")]
    assert words == [
        "Write LBA 0",
        "Deallocate LBA 2",
        "Write Uncorrectable LBA 1–3",
        "Deallocate LBA 0, 4–5",
        "Read LBA 7",
    ]


@pytest.mark.parametrize("text", ["x0", "w", "w2-1", "w0,2", "d0,", "wA"])
def test_what_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=f"{text!r} cannot be read; write them like 'w0 d2"):
        read_commands(text)


def test_a_deallocation_may_have_several_ranges_and_the_guest_is_promised_zeros_in_each() -> None:
    world = run(Scenario("ranges", "d0,2", 3))
    disk = world.guest.disk
    assert [disk.ledger.allowed(lba) == {0} for lba in range(3)] == [True, False, True]
    assert world.verdict() == ""
    assert [bool(value) for value in world.content()] == [False, True, False]


def test_some_blocks_may_hold_nothing_at_first_and_the_baseline_may_be_what_is_allocated() -> None:
    world = run(Scenario("half full", "r0", 4, filled=2, whole_namespace=False, granularity=2))
    assert world.verdict() == ""
    assert world.migration.progress.initial_blocks == 2


def test_a_partner_writes_the_guests_namespace_through_its_own_controller() -> None:
    world = World(Scenario("shared", "w0", 2, partner="w1"))
    world.begin(RunToBlock())
    partner = next(actor for actor in world.actors if actor.name == "partner")
    world.engine.run(partner)
    (promised,) = world.guest.disk.ledger.allowed(1)
    assert promised >> 48 == world.lab.guests["partner"].disks[0].writer
    world.engine.run()
    assert world.verdict() == ""


def test_the_vmm_may_have_used_the_destinations_controller_before_and_then_resets_it() -> None:
    scenario = Scenario("before", "w0", 2, before="w1")
    assert run(scenario, ends_earlier_commands).verdict() == ""
    assert "Set State" in run(scenario).verdict() or "set state" in run(scenario).verdict()

"""Several VMs, several namespaces: whoever migrates arrives whole, whoever does not notices nothing."""

from collections.abc import Callable
from functools import partial
from itertools import islice

import pytest

from nvmelm_lab.engine import Random, RunToBlock, Schedule, Timed
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.oracle import Oracle

FIRST = GuestSpec("first", "Y", "H", (48, 17), filled=24)
SECOND = GuestSpec("second", "Z", "I", (9, 64), filled=9)


def two_vms(schedule: Schedule, *migrating: str, block_bytes: int = 4096) -> tuple[Lab, Oracle]:
    """Two VMs with two namespaces each, all of them in use."""
    lab = Lab(LabSpec(guests=(FIRST, SECOND), block_bytes=block_bytes, chunk=5, granularity=4))
    lab.begin(schedule)
    oracle = lab.oracle(*migrating)
    for number, spec in enumerate(lab.spec.guests):
        for disk, blocks in enumerate(spec.blocks):
            busy = workload("mixed", blocks=blocks, seed=2 * number + disk, writes_per_second=30_000)
            lab.run_workload(spec.name, islice(busy.operations(), 150), disk)
    return lab, oracle


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "timed": Timed,
    "run to block": RunToBlock,
    **{f"random {seed}": partial(Random, seed) for seed in range(6)},
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_one_of_two_vms_migrates_with_both_its_namespaces(schedule: Callable[[], Schedule]) -> None:
    lab, oracle = two_vms(schedule(), "second")
    lab.engine.spawn("VMM", lab.migration("second", Plan(queue_entries=16)).run())
    lab.engine.run()
    assert oracle.judge().broken == ()
    assert lab.guests["second"].vm.memory is lab.destination_spaces["second"]
    assert lab.guests["first"].vm.memory is lab.source_spaces["first"]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_both_vms_migrate_one_after_the_other(schedule: Callable[[], Schedule]) -> None:
    lab, oracle = two_vms(schedule(), "first", "second")

    async def both() -> None:
        await lab.migration("second", Plan(queue_entries=16)).run()
        await lab.migration("first", Plan(queue_entries=16)).run()

    lab.engine.spawn("VMM", both())
    lab.engine.run()
    assert oracle.judge().broken == ()


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_both_vms_migrate_at_the_same_time(schedule: Callable[[], Schedule]) -> None:
    lab, oracle = two_vms(schedule(), "first", "second")
    for name in ("first", "second"):
        lab.engine.spawn(f"VMM of {name}", lab.migration(name, Plan(queue_entries=16)).run())
    lab.engine.run()
    assert oracle.judge().broken == ()


def test_blocks_of_512_bytes_migrate_too() -> None:
    lab, oracle = two_vms(Timed(), "first", block_bytes=512)
    lab.engine.spawn("VMM", lab.migration("first").run())
    lab.engine.run()
    assert oracle.judge().broken == ()


def test_the_oracle_reads_the_second_namespace_too() -> None:
    lab, oracle = two_vms(Timed(), "first")
    migration = lab.migration("first")
    lab.engine.spawn("VMM", migration.run())
    lab.engine.run()
    ledger = lab.guests["first"].disks[1].ledger
    ledger.submitted(3, [77])
    ledger.acknowledged(3, [77])
    (found,) = oracle.judge().broken
    assert found.name == "no write lost"
    assert found.word.startswith("namespace 2, LBA 3: destination has ")


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (LabSpec(guests=(GuestSpec(), GuestSpec())), "two guests have the same name"),
        (LabSpec(guests=(GuestSpec(blocks=()),)), "at least one"),
        (LabSpec(guests=(GuestSpec(blocks=(0,)),)), "at least 1 LBA"),
        (LabSpec(guests=(GuestSpec(depth=16),)), "give 1 to 15"),
        (LabSpec(chunk=129), "give 1 to 128"),
        (LabSpec(block_bytes=1000), "give 512 or 4096"),
        (LabSpec(granularity=0), "give 1 or more"),
        (LabSpec(link_bytes_per_second=0), "give more than 0"),
    ],
)
def test_a_lab_that_cannot_be_is_refused_in_one_sentence(spec: LabSpec, word: str) -> None:
    with pytest.raises(InputError, match=word) as error:
        Lab(spec)
    assert "\n" not in str(error.value)


def test_a_guest_that_is_not_there_cannot_migrate() -> None:
    with pytest.raises(InputError, match="there are: guest, neighbour"):
        Lab().migration("gast")

"""The learner's verbs: a whole migration in them, and what each says when it is used wrongly."""

from collections.abc import Awaitable, Callable, Coroutine
from itertools import islice
from typing import Any

import pytest

from nvmelm_lab.engine import Actor
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.changes import Changes, Extent
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.ready_copy import ready_copy
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Data, Destination, QueueFull, Ranges, Source, Unreadable, Vm
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.races import reference_vmm
from nvmelm_lab.races.learner import vmm_of

Migrate = Callable[[Vm, Source, Destination, Tasks], Coroutine[Any, Any, None]]

NOTHING: list[Operation] = []


def migrated(
    migrate: Migrate,
    operations: list[Operation] = NOTHING,
    *,
    blocks: int = 16,
    filled: int = 4,
    plan: Plan | None = None,
) -> tuple[Lab, Any]:
    """A lab after `migrate` has ended there; raises what it raised, and asserts that nothing was lost."""
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(blocks,), filled=filled),), granularity=1, chunk=4))
    migration = lab.migration("guest", plan or Plan(queue_entries=32, copy_tasks=2, memory_tracking="none"))
    oracle = lab.oracle("guest")
    lab.begin()
    guest = lab.run_workload("guest", operations)
    _run(lab, migration.prepare_destination())
    _run(lab, vmm_of(migrate)(migration))
    guest.stop()
    lab.engine.run()
    assert oracle.judge().good
    return lab, migration


def busy(name: str, blocks: int, writes_per_second: int) -> list[Operation]:
    operations = workload(name, blocks=blocks, seed=7, writes_per_second=writes_per_second).operations()
    return list(islice(operations, 200))


def _run(lab: Lab, coroutine: Coroutine[Any, Any, Any]) -> None:
    actor: Actor = lab.engine.spawn("VMM", coroutine)
    actor.watched = True
    lab.engine.run(actor)
    if actor.error is not None:
        raise actor.error


def refused(body: Callable[[Vm, Source, Destination, Tasks], Awaitable[Any]]) -> str:
    """What a program is told whose verbs are used wrongly."""

    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        await body(vm, source, destination, tasks)

    with pytest.raises((InputError, AttributeError)) as caught:
        migrated(migrate)
    return str(caught.value)


async def moved(vm: Vm, source: Source, destination: Destination) -> None:
    """What is left of a migration when everything is copied and the VM is paused."""
    await source.suspend()
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)


# -- whole migrations ------------------------------------------------------------------------------------------


def test_the_reference_in_the_verbs_moves_a_busy_guest() -> None:
    operations = busy("zipf", 176, 20_000)
    _, migration = migrated(reference_vmm.migrate, operations, blocks=176, filled=64)
    assert migration.move.has_moved
    assert migration.progress.entries > 0
    assert " ".join(migration.progress.phases) == (
        "Prepare Start logging Initial copy Iterate Suspend State Resume"
    )


def test_the_listing_of_the_design_runs_as_it_stands_with_the_ready_made_copy() -> None:
    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        copy = ready_copy(source, destination, tasks)
        mq = await source.create_mq(entries=128)
        await source.track_send(mq, start=True)
        await copy(await source.lba_status())
        while True:
            changed = await mq.drain()
            await copy(changed)
            if changed.blocks < 4:
                break
        await vm.pause()
        await source.suspend()
        await copy(await mq.drain(until="suspended"))
        await vm.copy_memory()
        await destination.set_state(await source.get_state())
        await destination.resume()
        await vm.start(destination)

    migrated(migrate, busy("mixed", 16, 9_000))


async def copies_ready_made(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    await vm.pause()
    await source.suspend()
    await ready_copy(source, destination, tasks)(await source.whole())
    await moved(vm, source, destination)


@pytest.mark.parametrize("migrate", [reference_vmm.migrate, copies_ready_made])
def test_deallocated_and_unreadable_blocks_arrive_as_such(migrate: Migrate) -> None:
    operations = [
        Operation(OperationKind.UNCORRECTABLE, 2, 1, 0),
        Operation(OperationKind.TRIM, 0, 1, 0),
        Operation(OperationKind.WRITE, 9, 3, 0),
    ]
    _, migration = migrated(migrate, operations)
    assert migration.copier.unreadable >= 1


def test_a_queue_that_fills_up_is_told_of_and_a_new_baseline_saves_the_migration() -> None:
    operations = [Operation(OperationKind.WRITE, lba, 1, 30_000 * lba) for lba in range(12)]
    plan = Plan(queue_entries=4, copy_tasks=1, memory_tracking="none")
    seen: list[str] = []

    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        copy = ready_copy(source, destination, tasks)
        mq = await source.create_mq(entries=128)
        await source.track_send(mq, start=True)
        await copy(await source.whole())
        await vm.pause()
        await source.suspend()
        try:
            await copy(await mq.drain(until="suspended"))
        except QueueFull as full:
            seen.append(str(full))
            await copy(await source.whole())
        await moved(vm, source, destination)

    migrated(migrate, operations, plan=plan)
    assert seen
    assert "copy from a new baseline" in seen[0]


def test_without_tasks_one_extent_goes_after_the_other() -> None:
    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        await vm.pause()
        for extent in await source.whole():
            await destination.write(extent, await source.read(extent))
        await moved(vm, source, destination)

    migrated(migrate)


def test_the_program_reads_while_its_tasks_go_on_by_queues_of_its_own() -> None:
    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        await vm.pause()
        whole = list(await source.whole())

        async def carry(extent: Extent) -> None:
            await destination.write(extent, await source.read(extent))

        async with tasks() as group:
            for extent in whole:
                group.start(carry(extent))
            mine = [await source.read(extent) for extent in whole]
        assert mine == [await destination.read(extent) for extent in whole]
        await moved(vm, source, destination)

    migrated(migrate)


def test_at_most_as_many_tasks_go_on_at_once_as_the_limit_says() -> None:
    now: list[int] = [0, 0]

    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        async def carry(extent: Extent) -> None:
            now[0] += 1
            now[1] = max(now)
            await destination.write(extent, await source.read(extent))
            now[0] -= 1

        await vm.pause()
        async with tasks(limit=2) as group:
            for extent in await source.whole():
                group.start(carry(extent))
        await moved(vm, source, destination)

    migrated(migrate, plan=Plan(copy_tasks=4, memory_tracking="none"))
    assert now == [0, 2]


def test_what_ends_a_task_is_raised_where_the_group_ends() -> None:
    async def body(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        async def fails() -> None:
            await source.read(Extent(1, 400, 1, False))

        async with tasks() as group:
            group.start(fails())
            group.start(fails())
            group.start(fails())

    assert "no such LBAs" in refused(body)


def test_a_task_can_be_awaited_for_what_it_gives() -> None:
    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        whole = list(await source.whole())
        async with tasks(limit=2) as group:
            readings = [group.start(source.read(extent)) for extent in whole]
            assert [len(await reading) for reading in readings] == [extent.blocks for extent in whole]
            wrong = group.start(source.read(Extent(1, 400, 1, False)))
            with pytest.raises(InputError, match="no such LBAs"):
                await wrong

    with pytest.raises(InputError, match="no such LBAs"):
        migrated(migrate)


# -- ranges ----------------------------------------------------------------------------------------------------


def test_ranges_are_cut_into_what_one_copy_carries_and_the_last_word_counts() -> None:
    one, later = Changes({1: 16}), Changes({1: 16})
    one.add(1, 0, 6)
    later.add(1, 5, 1, deallocated=True)
    both = Ranges(one, 4) | Ranges(later, 4)
    assert list(both) == [Extent(1, 0, 4, False), Extent(1, 4, 1, False), Extent(1, 5, 1, True)]
    assert repr(both) == "Ranges(LBA 0 to 3, LBA 4, deallocated LBA 5)"
    assert (both.blocks, bool(both), bool(Ranges(Changes({1: 16}), 4))) == (5, True, False)


def test_halves_of_a_run_are_all_of_it() -> None:
    assert Extent(1, 4, 3, False).halves() == (Extent(1, 4, 1, False), Extent(1, 5, 2, False))


# -- wrong use -------------------------------------------------------------------------------------------------


async def _wrong_end(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await source.set_state(b"")


async def _other_wrong_end(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await destination.get_state()


async def _misspelt(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await source.suspended()


async def _unknown_marker(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    mq = await source.create_mq()
    await mq.drain(until="paused")


async def _marker_too_early(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    mq = await source.create_mq()
    await mq.drain(until="stopped")


async def _no_queue(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await source.track_send(7, start=True)


async def _tiny_queue(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await source.create_mq(entries=1)


async def _no_extent(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await source.read(await source.whole())


async def _no_data(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await destination.write(Extent(1, 0, 2, False), Data((1,)))


async def _no_coroutine(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    async with tasks() as group:
        group.start(len)


async def _closed_group(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    async with tasks() as group:
        pass
    group.start(source.suspend())


async def _tasks_of_a_task(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    async def inner() -> None:
        async with tasks():
            pass

    async with tasks() as group:
        group.start(inner())


async def _no_limit(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    tasks(limit=-1)


async def _nowhere(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await vm.start("destination")


async def _two_drains(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    mq = await source.create_mq()
    await source.track_send(mq, start=True)
    async with tasks() as group:
        group.start(mq.drain())
        group.start(mq.drain())


async def _no_state(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    await destination.set_state(None)


async def _does_nothing(vm: Vm, source: Any, destination: Any, tasks: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (_wrong_end, "did you mean destination.set_state(...)?"),
        (_other_wrong_end, "did you mean source.get_state(...)?"),
        (_misspelt, "did you mean source.suspend(...)?"),
        (_unknown_marker, "until 'paused'; leave it out, or give 'suspended' or 'stopped'"),
        (_marker_too_early, "ran empty before its 'stopped' marker was found"),
        (_no_queue, "the queue that source.create_mq() gave; this is 7"),
        (_tiny_queue, "cannot have 1 entries"),
        (_no_extent, "takes one extent"),
        (_no_data, "what was read of its 2 LBAs"),
        (_no_coroutine, "start takes a coroutine"),
        (_closed_group, "this group of tasks is not open"),
        (_tasks_of_a_task, "a task cannot open tasks of its own"),
        (_no_limit, "the limit -1"),
        (_nowhere, "start takes `destination` or `source`"),
        (_two_drains, "two tasks drain one Migration Queue at once"),
        (_no_state, "takes what source.get_state() gave"),
        (_does_nothing, "the VM does not run at the destination"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_wrong_use_is_told_in_one_sentence(body: Any, words: str) -> None:
    said = refused(body)
    assert words in said
    assert "\n" not in said


def test_an_unreadable_block_is_told_of_by_an_error_of_its_own() -> None:
    async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
        with pytest.raises(Unreadable, match="LBA 0, 4 blocks"):
            await source.read(Extent(1, 0, 4, False))
        await reference_vmm.migrate(vm, source, destination, tasks)

    lab_operations = [Operation(OperationKind.UNCORRECTABLE, 1, 1, 0)]
    migrated(migrate, lab_operations)

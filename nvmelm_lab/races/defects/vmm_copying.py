"""VMMs that copy wrongly: before logging, twice at once, too little, or what they have already forgotten."""

from __future__ import annotations

from nvmelm_lab.host.changes import Extent
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, Source, Unreadable, Vm
from nvmelm_lab.races.defects.steps import (
    changes,
    copy,
    copy_one,
    hand_over,
    last_changes,
    logged_and_copied,
    stop_and_copy,
)


async def copies_before_logging(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The first copy is made before logging starts."""
    mq = await source.create_mq()
    await copy(source, destination, tasks, await source.lba_status())
    await source.track_send(mq, start=True)
    await stop_and_copy(vm, source, destination, tasks, mq)
    await hand_over(vm, source, destination)


async def copies_while_logging_starts(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Track Send is under way, and the first copy does not wait for its completion."""
    mq = await source.create_mq()
    allocated = await source.lba_status()
    async with tasks(limit=2) as group:
        group.start(source.track_send(mq, start=True))
        for extent in allocated:
            group.start(copy_one(source, destination, extent))
    await stop_and_copy(vm, source, destination, tasks, mq)
    await hand_over(vm, source, destination)


async def does_not_join_its_copies(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """A block is copied again while its copy of the round before may be under way."""
    mq = await logged_and_copied(source, destination, tasks)
    async with tasks(limit=2) as group:
        for extent in await changes(source, mq):
            group.start(copy_one(source, destination, extent))
        await vm.pause()
        await source.suspend()
        for extent in await last_changes(source, mq):
            group.start(copy_one(source, destination, extent))
    await hand_over(vm, source, destination)


async def forgets_after_copying(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Marks of changed blocks are cleared when the copy has ended, so what changed meanwhile is forgotten too."""
    mq = await logged_and_copied(source, destination, tasks)
    marked = list(await changes(source, mq))
    async with tasks(limit=2) as group:
        for extent in marked:
            group.start(copy_one(source, destination, extent))
        meanwhile = await changes(source, mq)
    await copy(source, destination, tasks, [extent for extent in meanwhile if extent not in marked])
    await stop_and_copy(vm, source, destination, tasks, mq)
    await hand_over(vm, source, destination)


async def ignores_deallocations(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Entries that tell of a deallocation are passed over: there is nothing to copy."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await source.suspend()
    async with tasks(limit=2) as group:
        for extent in await last_changes(source, mq):
            if not extent.deallocated:
                group.start(copy_one(source, destination, extent))
    await hand_over(vm, source, destination)


async def skips_unreadable_blocks(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """A block whose Read fails is left as it is at the destination."""

    async def copy_readable(extent: Extent) -> None:
        try:
            await copy_one(source, destination, extent) if extent.deallocated else await destination.write(
                extent, await source.read(extent)
            )
        except Unreadable:
            if extent.blocks > 1:
                for half in extent.halves():
                    await copy_readable(half)

    mq = await source.create_mq()
    await source.track_send(mq, start=True)
    async with tasks(limit=2) as group:
        for extent in await source.lba_status():
            group.start(copy_readable(extent))
    await vm.pause()
    await source.suspend()
    async with tasks(limit=2) as group:
        for extent in await last_changes(source, mq):
            group.start(copy_readable(extent))
    await hand_over(vm, source, destination)


GRANULE = 2


async def rounds_down_to_granules(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Changes are kept by granules of two LBAs, as many as the LBAs fill, from the one on in which they begin."""

    def widened(extent: Extent) -> Extent:
        granules = -(-extent.blocks // GRANULE)
        return extent._replace(slba=extent.slba - extent.slba % GRANULE, blocks=granules * GRANULE)

    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await source.suspend()
    async with tasks(limit=2) as group:
        for extent in await last_changes(source, mq):
            fits = not extent.deallocated and extent.blocks % GRANULE == 0
            group.start(copy_one(source, destination, widened(extent) if fits else extent))
    await hand_over(vm, source, destination)

"""What the wrong VMMs of the catalogue do right, in the verbs: copying, taking changes, handing over.

Each of them writes down what it does otherwise, and calls these for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from nvmelm_lab.host.changes import Extent
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, Mq, QueueFull, Ranges, Source, Unreadable, Vm


async def copy(source: Source, destination: Destination, tasks: Tasks, ranges: Iterable[Extent]) -> None:
    """Copy `ranges`, two runs at a time; ends when all are copied."""
    async with tasks(limit=2) as group:
        for extent in ranges:
            group.start(copy_one(source, destination, extent))


async def copy_one(source: Source, destination: Destination, extent: Extent) -> None:
    """Copy one run: its data, that it is deallocated, or that it cannot be read."""
    if extent.deallocated:
        await destination.deallocate(extent)
        return
    try:
        data = await source.read(extent)
    except Unreadable:
        if extent.blocks == 1:
            await destination.write_uncorrectable(extent)
            return
        for half in extent.halves():
            await copy_one(source, destination, half)
        return
    await destination.write(extent, data)


async def logged_and_copied(source: Source, destination: Destination, tasks: Tasks) -> Mq:
    """Start logging, then copy what is allocated; gives the Migration Queue."""
    mq = await source.create_mq()
    await source.track_send(mq, start=True)
    await copy(source, destination, tasks, await source.lba_status())
    return mq


async def changes(source: Source, mq: Mq) -> Ranges:
    """What has changed; after an overflow that is everything, and logging starts again before."""
    try:
        return await mq.drain()
    except QueueFull:
        await source.track_send(mq, start=True)
        return await source.whole()


async def last_changes(source: Source, mq: Mq) -> Ranges:
    """What changed up to the Suspend; after an overflow that is everything."""
    try:
        return await mq.drain(until="suspended")
    except QueueFull:
        return await source.whole()


async def stop_and_copy(vm: Vm, source: Source, destination: Destination, tasks: Tasks, mq: Mq) -> None:
    """Pause, suspend, and copy the last changes."""
    await vm.pause()
    await source.suspend()
    await copy(source, destination, tasks, await last_changes(source, mq))


async def hand_over(vm: Vm, source: Source, destination: Destination) -> None:
    """Move memory and state, resume the destination's controller, start the VM there."""
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)

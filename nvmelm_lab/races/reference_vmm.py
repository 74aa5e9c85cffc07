"""The reference VMM as a learner would write it: a whole live migration in the verbs."""

from nvmelm_lab.host.changes import Extent
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, QueueFull, Ranges, Source, Unreadable, Vm

SMALL = 8
"""LBAs that may be left to copy while the VM stands still."""


async def migrate(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Copy while the VM runs, follow what changes, then move it."""

    async def copy(ranges: Ranges) -> None:
        async with tasks(limit=4) as group:
            for extent in ranges:
                group.start(copy_one(extent))

    async def copy_one(extent: Extent) -> None:
        if extent.deallocated:
            await destination.deallocate(extent)
            return
        try:
            data = await source.read(extent)
        except Unreadable:
            await copy_around(extent)
            return
        await destination.write(extent, data)

    async def copy_around(extent: Extent) -> None:
        # Halve the run until the LBA that cannot be read is alone.
        if extent.blocks == 1:
            await destination.write_uncorrectable(extent)
            return
        for half in extent.halves():
            await copy_one(half)

    async def changes() -> Ranges:
        try:
            return await mq.drain()
        except QueueFull:
            # Later changes were told to nobody: log again, then begin anew with everything.
            await source.track_send(mq, start=True)
            return await source.whole()

    mq = await source.create_mq(entries=128)
    await source.track_send(mq, start=True)
    await copy(await source.lba_status())
    while True:
        changed = await changes()
        await copy(changed)
        if changed.blocks <= SMALL:
            break
    await vm.pause()
    await source.suspend()
    try:
        await copy(await mq.drain(until="suspended"))
    except QueueFull:
        await copy(await source.whole())
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)

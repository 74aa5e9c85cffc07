"""A copy for VMMs of learners that are about something else, written in the same verbs as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nvmelm_lab.host.changes import Extent
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, Ranges, Source, Unreadable


def ready_copy(source: Source, destination: Destination, tasks: Tasks) -> Callable[[Ranges], Awaitable[None]]:
    """``copy = ready_copy(source, destination, tasks)``: then ``await copy(ranges)`` returns when all is copied."""

    async def copy(ranges: Ranges) -> None:
        async with tasks() as group:
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
        """Halve the run until the LBA that cannot be read is alone, and mark that one."""
        if extent.blocks == 1:
            await destination.write_uncorrectable(extent)
            return
        for half in extent.halves():
            await copy_one(half)

    return copy

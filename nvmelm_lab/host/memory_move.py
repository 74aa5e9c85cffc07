"""Moving a guest's memory to the other host.

Where nobody tells what devices write, every page goes while the guest stands still.  Where an IOMMU or the SSD does,
pages go ahead of time, and those written since (by processors or devices) go again; the last of them while the
guest stands still.  Either way SQEs and CQEs that lie on the guest's rings arrive with the pages that hold them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nvmelm_lab.host.link import Link, MemoryPages
from nvmelm_lab.host.memory_tracking import DeviceWrites, Iommu
from nvmelm_lab.memory import AddressSpace

PAGES_AT_ONCE = 64


class MemoryMove:
    """Moves the memory `source` of a guest into `destination`.

    devices
        Who tells what devices write: an IOMMU unless somebody else is given.
    begun
        Whether pages go ahead of time: only those written since are still to be moved.
    moved
        Pages that went over the link.
    """

    def __init__(self, link: Link, source: AddressSpace, destination: AddressSpace) -> None:
        self.link = link
        self.source = source
        self.destination = destination
        self.devices: DeviceWrites = Iommu(source)
        self.begun = False
        self.moved = 0

    async def begin(self, between: Callable[[], Awaitable[object]] | None = None) -> None:
        """Move all pages while the guest runs, and track what is written meanwhile.

        `between` is called between portions, for what must not wait until all of them are over there.
        Right only where every writer is seen: processors always are, devices by `devices`.
        """
        self.begun = True
        self.source.processor_dirty = set()
        await self.devices.start()
        await self._send(self.source.pages(), between)

    async def round(self) -> int:
        """Move the pages that were written since; returns how many."""
        pages = self._take_dirty(await self.devices.take())
        await self._send(pages)
        return len(pages)

    async def finish(self) -> None:
        """Move what is still to be moved; the guest stands still and its controller is suspended."""
        if self.begun:
            await self._send(self._take_dirty(await self.devices.take_last()))
        else:
            await self._send(self.source.pages())
        self.source.processor_dirty = None

    async def end(self) -> None:
        """See no writes any more: all has moved, or nothing is to move."""
        self.source.processor_dirty = None
        if self.begun:
            await self.devices.stop()

    def _take_dirty(self, written: set[int]) -> list[int]:
        """The pages that devices have written, and those of the processors."""
        dirty = written | (self.source.processor_dirty or set())
        self.source.processor_dirty = set()
        return sorted(dirty)

    async def _send(self, pages: list[int], between: Callable[[], Awaitable[object]] | None = None) -> None:
        for at in range(0, len(pages), PAGES_AT_ONCE):
            if at and between is not None:
                await between()
            part = tuple(pages[at : at + PAGES_AT_ONCE])
            self.moved += len(part)
            await self.link.send_pages(MemoryPages(self.source, self.destination, part))

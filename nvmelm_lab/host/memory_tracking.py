"""Who tells a hypervisor which pages of a guest's memory devices have written: an IOMMU, or the SSD itself.

Both can be asked again and again; what was told is not told again.
Sources for the SSD: Base 2.1, sections 5.1.27.1.2 (Track Memory Changes) and 5.1.26 (Track Receive).
"""

from __future__ import annotations

from typing import Protocol

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.driver import check, status_of
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Cns
from nvmelm_lab.nvme.identify import TRATTR_THMCS, IdentifyController
from nvmelm_lab.nvme.memory_tracking import (
    GRANULE_BYTES,
    MemoryRange,
    pack_tracking_request,
    unpack_changes_report,
)
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Cqe


class DeviceWrites(Protocol):
    """Tells of the pages that devices have written, by their numbers."""

    async def start(self) -> None:
        """From now on see what is written."""

    async def take(self) -> set[int]:
        """The pages that were written since the last time."""

    async def take_last(self) -> set[int]:
        """The same, where no device writes any more."""

    async def stop(self) -> None:
        """See nothing any more; no harm if it saw nothing before."""


class Iommu:
    """An IOMMU that marks the pages of `space` that devices write."""

    def __init__(self, space: AddressSpace) -> None:
        self._space = space

    async def start(self) -> None:
        """See `DeviceWrites`."""
        self._space.device_dirty = set()

    async def take(self) -> set[int]:
        """See `DeviceWrites`."""
        dirty, self._space.device_dirty = self._space.device_dirty or set(), set()
        return dirty

    async def take_last(self) -> set[int]:
        """See `DeviceWrites`."""
        dirty = await self.take()
        await self.stop()
        return dirty

    async def stop(self) -> None:
        """See `DeviceWrites`."""
        self._space.device_dirty = None


class SsdTracking:
    """The MMC of the SSD that `target` belongs to tells of the writes of that controller, all of them to `space`."""

    def __init__(self, target: ManagedController, space: AddressSpace) -> None:
        self._target = target
        self._driver = target.driver
        self._pages = space.size // PAGE_BYTES
        self._buffer = self._driver.pages.buffer(PAGE_BYTES)

    async def start(self) -> None:
        """Track all memory, as finely as the SSD can.

        Raises InputError when it cannot track host memory, and CommandFailed when it will not.
        """
        controller = await self._identify()
        if not TRATTR_THMCS.get(controller.trattr):
            raise InputError(f"{self._target.mmc} cannot track host memory; give another way of tracking it")
        exponent = controller.minmrtg
        cqe = await self._track(exponent)
        if status_of(cqe) == Status.INVALID_CONTROLLER_IDENTIFIER:
            # Somebody has left it on.
            await self.stop()
            cqe = await self._track(exponent)
        while status_of(cqe) == Status.NOT_ENOUGH_RESOURCES and exponent < cqe.dw0 & 0xFFFF:
            exponent = cqe.dw0 & 0xFFFF
            cqe = await self._track(exponent)
        check("Track Send (track memory changes)", cqe)

    async def take(self) -> set[int]:
        """See `DeviceWrites`: reports until nothing more is to be told (MTR)."""
        return (await self._reports())[0]

    async def take_last(self) -> set[int]:
        """See `DeviceWrites`: the SSD must say that all is told until the target resumes (SUSP)."""
        pages, suspended = await self._reports()
        if not suspended:
            raise InputError(f"{self._target.name} is not suspended: it may still write to memory")
        return pages

    async def stop(self) -> None:
        """See `DeviceWrites`."""
        sqe = lm.track_memory(0, self._target.cntlid, False)
        await self._driver.command("Track Send (stop tracking memory)", sqe)

    # -- inside --------------------------------------------------------------------------------------------

    async def _track(self, exponent: int) -> Cqe:
        request = pack_tracking_request(exponent, self._ranges(exponent))
        self._driver.space.write(self._buffer.address, request)
        return await self._driver.admin.run(
            lm.track_memory(0, self._target.cntlid, True, self._buffer.address)
        )

    async def _identify(self) -> IdentifyController:
        sqe = commands.identify(0, Cns.CONTROLLER, self._buffer.address)
        await self._driver.command("Identify", sqe)
        return unpack_page(IdentifyController, self._driver.space.read(self._buffer.address, PAGE_BYTES))

    def _ranges(self, exponent: int) -> list[MemoryRange]:
        """All memory in granules of that size, in ranges whose lengths are powers of two, as some SSDs want them."""
        size = GRANULE_BYTES << exponent
        granules, rest = divmod(self._pages * PAGE_BYTES, size)
        if rest:
            raise InputError(
                f"{self._target.mmc} can track memory in granules of {size} bytes, and {self._pages * PAGE_BYTES} "
                "are no multiple of that; give another way of tracking it"
            )
        ranges: list[MemoryRange] = []
        done = 0
        while done < granules:
            length = 1 << (granules - done).bit_length() - 1
            ranges.append(MemoryRange(done * size, length))
            done += length
        return ranges

    async def _reports(self) -> tuple[set[int], bool]:
        pages: set[int] = set()
        while True:
            sqe = lm.track_receive(0, self._target.cntlid, PAGE_BYTES // 4, self._buffer.address)
            await self._driver.command("Track Receive", sqe)
            report = unpack_changes_report(self._driver.space.read(self._buffer.address, PAGE_BYTES))
            size = (GRANULE_BYTES << report.exponent) // PAGE_BYTES
            for address, granules in report.ranges:
                first = address // PAGE_BYTES
                pages.update(range(first, min(first + granules * size, self._pages)))
            if not report.more:
                return pages, report.suspended

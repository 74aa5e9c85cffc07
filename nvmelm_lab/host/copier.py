"""Copying blocks from one SSD to the other: a Read of the source, the link, a Write to the destination.

A copier has `lanes` tasks; each has queue pairs, buffers and command ids of its own on both sides, so that
independent tasks never touch the same thing.  User data go through the MMCs' own I/O queues, to namespaces
that are attached to both the MMC and the migratable controller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from struct import Struct

from nvmelm_lab.engine import Engine, Signal
from nvmelm_lab.host.buffers import Buffer
from nvmelm_lab.host.changes import Extent
from nvmelm_lab.host.driver import Driver, check, status_of
from nvmelm_lab.host.link import Blocks, Link
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.status import Status

_RANGE = Struct("<IIQ")
QUEUE_ENTRIES = 4


class Lane:
    """One task's queue pairs and buffers."""

    __slots__ = ("destination", "destination_buffer", "source", "source_buffer")

    def __init__(
        self, source: QueuePair, source_buffer: Buffer, destination: QueuePair, destination_buffer: Buffer
    ) -> None:
        self.source = source
        self.source_buffer = source_buffer
        self.destination = destination
        self.destination_buffer = destination_buffer


class Copier:
    """Copies LBAs of the source's namespaces to the destination's.

    name
        Whose blocks it copies; names its tasks.
    nsids
        NSID at the source -> NSID at the destination.
    chunk
        LBAs that one Read and one Write carry at most.
    copied
        LBAs copied so far; `unreadable`: LBAs that were marked unreadable at the destination.
    finished
        Signal: extents dealt with since it was made.
    """

    def __init__(
        self, engine: Engine, name: str, link: Link, nsids: dict[int, int], block_bytes: int, chunk: int
    ) -> None:
        self.engine = engine
        self.name = name
        self.link = link
        self.nsids = nsids
        self.block_bytes = block_bytes
        self.chunk = chunk
        self.copied = 0
        self.unreadable = 0
        self.finished = Signal(engine, f"blocks of {name} copied")
        self._lanes: list[Lane] = []
        self._rounds = 0
        self._ends_early = False

    async def open_lane(self, source: Driver, destination: Driver) -> Lane:
        """Make one more lane: a queue pair and a buffer on each side."""
        number = len(self._lanes) + 1
        length = max(self.chunk * self.block_bytes, 4096)
        lane = Lane(
            await source.create_queue_pair(QUEUE_ENTRIES, f"copy task {number}"),
            source.pages.buffer(length),
            await destination.create_queue_pair(QUEUE_ENTRIES, f"copy task {number}"),
            destination.pages.buffer(length),
        )
        self._lanes.append(lane)
        return lane

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that were made so far."""
        return tuple(self._lanes)

    @property
    def destination_queue(self) -> QueuePair:
        """A queue pair to the destination, for reading back while no copy is under way."""
        return self._lanes[0].destination

    async def copy(
        self, extents: Sequence[Extent], every: int = 0, meanwhile: Callable[[], Awaitable[int]] | None = None
    ) -> int:
        """Copy `extents`, which do not overlap; gives how many LBAs when all tasks have ended.

        Each time `every` more extents have been copied, `meanwhile` is called while the tasks go on; it says after
        how many more it wants to be called again, and ends the copy where it is by 0.
        Raises what ended the first task that failed.
        """
        self._rounds += 1
        self._ends_early = False
        lanes = self._lanes[: len(extents)]
        before = self.finished.level
        workers = [
            self.engine.spawn(
                f"copy {self.name} {self._rounds}.{n + 1}", self._work(lane, extents[n :: len(lanes)])
            )
            for n, lane in enumerate(lanes)
        ]
        for worker in workers:
            worker.watched = True
        at = every
        while meanwhile is not None and at < len(extents) and not self._ends_early:
            await self.finished.wait(before + at)
            more = await meanwhile()
            self._ends_early = not more
            at = max(at, self.finished.level - before) + more
        for worker in workers:
            await worker.done.wait()
        for worker in workers:
            if worker.error is not None:
                raise worker.error
        return sum(worker.result for worker in workers)

    async def _work(self, lane: Lane, extents: Sequence[Extent]) -> int:
        blocks = left = 0
        try:
            for left, extent in zip(range(len(extents), 0, -1), extents, strict=True):
                if self._ends_early:
                    break
                if extent.deallocated:
                    await self.deallocate(lane, extent)
                else:
                    await self._copy(lane, extent.nsid, extent.slba, extent.blocks)
                blocks += extent.blocks
                self.finished.raise_to(self.finished.level + 1)
                left -= 1
        finally:
            # Who waits for a number of extents must not wait for those that will never be copied.
            self.finished.raise_to(self.finished.level + left)
        return blocks

    async def _copy(self, lane: Lane, nsid: int, slba: int, blocks: int) -> None:
        length = blocks * self.block_bytes
        cqe = await lane.source.run(commands.read(0, nsid, slba, blocks, *lane.source_buffer.prp(length)))
        if status_of(cqe) == Status.UNRECOVERED_READ_ERROR:
            await self._copy_around_error(lane, nsid, slba, blocks)
            return
        check(f"Read of LBA {slba}, {blocks} blocks", cqe)
        await self.link.send_blocks(
            Blocks(
                lane.source.port.space,
                lane.source_buffer.address,
                lane.destination.port.space,
                lane.destination_buffer.address,
                blocks,
            )
        )
        prp = lane.destination_buffer.prp(length)
        cqe = await lane.destination.run(commands.write(0, self.nsids[nsid], slba, blocks, *prp))
        check(f"Write of LBA {slba}, {blocks} blocks", cqe)
        self.copied += blocks

    async def _copy_around_error(self, lane: Lane, nsid: int, slba: int, blocks: int) -> None:
        """Halve the range until the unreadable block is alone; it is marked unreadable at the destination."""
        if blocks > 1:
            half = blocks // 2
            await self._copy(lane, nsid, slba, half)
            await self._copy(lane, nsid, slba + half, blocks - half)
            return
        cqe = await lane.destination.run(commands.write_uncorrectable(0, self.nsids[nsid], slba, 1))
        check(f"Write Uncorrectable of LBA {slba}", cqe)
        self.unreadable += 1

    async def deallocate(self, lane: Lane, extent: Extent) -> None:
        """Deallocate the LBAs of `extent` at the destination."""
        lane.destination.port.space.write(
            lane.destination_buffer.address, _RANGE.pack(0, extent.blocks, extent.slba)
        )
        sqe = commands.dataset_management(
            0, self.nsids[extent.nsid], 1, lane.destination_buffer.address, deallocate=True
        )
        check(f"Deallocate of LBA {extent.slba}, {extent.blocks} blocks", await lane.destination.run(sqe))

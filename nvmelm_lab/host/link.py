"""The link between the two hosts: one transfer at a time, with a bandwidth and a latency."""

from __future__ import annotations

from typing import NamedTuple

from nvmelm_lab.engine import Engine, Kind, Resource, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace


class Blocks(NamedTuple):
    """Blocks that cross the link: from one host's buffer to the other's, `blocks` LBAs."""

    source: AddressSpace
    source_address: int
    destination: AddressSpace
    destination_address: int
    blocks: int


class MemoryPages(NamedTuple):
    """Pages of guest memory that cross the link."""

    source: AddressSpace
    destination: AddressSpace
    pages: tuple[int, ...]


class Link:
    """`bytes_per_second` and `latency_ns`; `sent` counts the bytes that crossed it."""

    def __init__(
        self, engine: Engine, *, bytes_per_second: int = 3_000_000_000, latency_ns: int = 20_000
    ) -> None:
        if bytes_per_second <= 0:
            raise InputError(
                f"a link of {bytes_per_second} bytes per second carries nothing; give more than 0"
            )
        self.bytes_per_second = bytes_per_second
        self.latency_ns = latency_ns
        self.sent = 0
        self._engine = engine
        self._resource = Resource("link")
        self._blocks = Kind(
            "link",
            self._move_blocks,
            uses=lambda job: self._uses(job.blocks * job.source.stamps.block_bytes),
            label=lambda job: f"the link carries {job.blocks} block{'s' * (job.blocks != 1)}",
        )
        self._pages = Kind(
            "memory",
            self._move_pages,
            uses=lambda job: self._uses(len(job.pages) * PAGE_BYTES),
            label=lambda job: (
                f"the link carries {len(job.pages)} page{'s' * (len(job.pages) != 1)} of guest memory"
            ),
        )

    async def send_blocks(self, job: Blocks) -> None:
        """Carry blocks to the other host."""
        await do(self._blocks, job)

    async def send_pages(self, job: MemoryPages) -> None:
        """Carry pages of guest memory to the other host."""
        await do(self._pages, job)

    def time_for(self, length: int) -> int:
        """How long `length` bytes take, in ns, without waiting."""
        return length * 1_000_000_000 // self.bytes_per_second + self.latency_ns

    def _uses(self, length: int) -> tuple[Resource, int, int]:
        return self._resource, length * 1_000_000_000 // self.bytes_per_second, self.latency_ns

    def _move_blocks(self, job: Blocks) -> None:
        self.sent += job.blocks * job.source.stamps.block_bytes
        job.destination.write_stamps(
            job.destination_address, job.source.read_stamps(job.source_address, job.blocks)
        )

    def _move_pages(self, job: MemoryPages) -> None:
        self.sent += len(job.pages) * PAGE_BYTES
        self._engine.emit(("memory moved", len(job.pages)))
        for page in job.pages:
            job.source.copy_page(page, job.destination)

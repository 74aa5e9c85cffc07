"""The link between the two hosts: one transfer at a time, with a bandwidth and a latency."""

from __future__ import annotations

from typing import NamedTuple

from nvmelm_lab.engine import Engine, Kind, Resource, do, until
from nvmelm_lab.engine.cells import Key
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


TRIES = 4
"""How often a transfer is tried before it counts as failed."""

RETRY_NS = 200_000
"""How long a transfer that failed waits for the link to come up, in ns."""


UP: tuple[Key, ...] = (("link", "up"),)
"""The cell "is the link up?"."""


class LinkDown(InputError):
    """The link was down for longer than a transfer waits."""


class Link:
    """`bytes_per_second` and `latency_ns`; `sent` counts the bytes that crossed it, `is_up` whether anything can.

    It carries blocks and guest memory.  What the hosts' VMMs say to each other goes by another network.
    """

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
        self.is_up = True
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
        """Carry blocks to the other host.  Raises LinkDown when it cannot."""
        await self._send(self._blocks, job)

    async def send_pages(self, job: MemoryPages) -> None:
        """Carry pages of guest memory to the other host.  Raises LinkDown when it cannot."""
        await self._send(self._pages, job)

    def reckon_with_faults(self) -> None:
        """From now on its steps say that they depend on whether it is up, for who explores their orders."""
        self._blocks.touches = self._pages.touches = lambda _: (UP, ())

    def go(self, *, is_up: bool) -> None:
        """From now on transfers succeed, or fail."""
        self.is_up = is_up
        self._engine.emit(("link", "up" if is_up else "down"))

    async def _send(self, kind: Kind, job: Blocks | MemoryPages) -> None:
        for _ in range(TRIES):
            if await do(kind, job):
                return
            await until(self._engine.now + RETRY_NS)
        raise LinkDown(f"the link was down {TRIES} times in a row; migrate again when it is up")

    def time_for(self, length: int) -> int:
        """How long `length` bytes take, in ns, without waiting."""
        return length * 1_000_000_000 // self.bytes_per_second + self.latency_ns

    def _uses(self, length: int) -> tuple[Resource, int, int]:
        return self._resource, length * 1_000_000_000 // self.bytes_per_second, self.latency_ns

    def _move_blocks(self, job: Blocks) -> bool:
        if not self.is_up:
            self._engine.emit(("not sent",))
            return False
        self.sent += job.blocks * job.source.stamps.block_bytes
        job.destination.write_stamps(
            job.destination_address, job.source.read_stamps(job.source_address, job.blocks)
        )
        return True

    def _move_pages(self, job: MemoryPages) -> bool:
        if not self.is_up:
            self._engine.emit(("not sent",))
            return False
        self.sent += len(job.pages) * PAGE_BYTES
        self._engine.emit(("memory moved", len(job.pages)))
        for page in job.pages:
            job.source.copy_page(page, job.destination)
        return True

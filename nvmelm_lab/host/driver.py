"""A driver: brings a controller up through its properties, and makes I/O queue pairs by admin commands.

Source: Base 2.1, section 3.5.1 (controller initialization).
"""

from __future__ import annotations

from nvmelm_lab.engine import Engine, Gate, Kind, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.buffers import Pages
from nvmelm_lab.host.port import Port
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.host.turn import Turn
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import CSTS_RDY, Property
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Cqe

ADMIN_ENTRIES = 32

BURSTS = (1, 2, 4, 8, 16, 32, 64)
"""How many commands a controller may take from a queue at once (Base 2.1, section 5.1.25.1.1)."""

# CC: enabled, I/O SQEs of 2^6 and CQEs of 2^4 bytes, pages of 4 KiB, NVM command set.
_ENABLED = 1 | 6 << 16 | 4 << 20


class CommandFailed(InputError):
    """A command ended with an error status; `status` is it."""

    def __init__(self, what: str, status: Status) -> None:
        super().__init__(f"{what} ended with status {int(status):03X}h: {status.sentence}")
        self.status = status


def status_of(cqe: Cqe) -> Status:
    """The status that a CQE tells of, without phase tag and DNR."""
    return Status(cqe.status_word >> 1 & 0x7FF)


class Driver:
    """What a host knows of one controller.

    name
        Who speaks: "VMM on X", "guest a".
    gate
        Held closed while its owner stands still.
    turn
        For commands that nobody else's may come between.
    """

    def __init__(
        self, engine: Engine, name: str, port: Port, pages: Pages, *, gate: Gate | None = None
    ) -> None:
        self.engine = engine
        self.name = name
        self.port = port
        self.pages = pages
        self.gate = gate
        self.admin = QueuePair(
            engine,
            name,
            port,
            0,
            ADMIN_ENTRIES,
            pages.take(ADMIN_ENTRIES * 64),
            pages.take(ADMIN_ENTRIES * 16),
            gate=gate,
        )
        self.turn = Turn(engine, name)
        self._queues = 0
        self._write = Kind(
            "property",
            lambda pair: port.write_property(*pair),
            gate=gate,
            takes=200,
            touches=lambda pair: port.property_touches(pair[0]),
            label=lambda pair: f"{name} writes property {Property(pair[0]).name}",
        )

    @property
    def space(self) -> AddressSpace:
        """The memory that it shares with the controller."""
        return self.port.space

    async def enable(self) -> None:
        """Set up the admin queue and enable the controller."""
        size = ADMIN_ENTRIES - 1
        await do(self._write, (Property.AQA, size << 16 | size))
        await do(self._write, (Property.ASQ, self.admin.sq_base))
        await do(self._write, (Property.ACQ, self.admin.cq_base))
        await do(self._write, (Property.CC, _ENABLED))
        if not CSTS_RDY.get(self.port.read_property(Property.CSTS)):
            raise InputError(f"{self.name}: the controller did not become ready; is it online?")

    async def command(self, what: str, sqe: bytes) -> Cqe:
        """Run one admin command.  Raises CommandFailed, `what` naming the command, when it ends with an error."""
        cqe = await self.admin.run(sqe)
        check(what, cqe)
        return cqe

    async def set_arbitration_burst(self, burst: int) -> None:
        """Let the controller take up to `burst` commands from a queue at once (Set Features 01h).

        Raises InputError as `check_burst` does.
        """
        check_burst(burst)
        await self.command("Set Features 01h", commands.set_arbitration(0, BURSTS.index(burst)))

    async def create_queue_pair(self, entries: int, name: str | None = None) -> QueuePair:
        """One more I/O queue pair of `entries` slots."""
        self._queues += 1
        qid = self._queues
        sq_base, cq_base = self.pages.take(entries * 64), self.pages.take(entries * 16)
        await self.command("Create I/O CQ", commands.create_io_cq(0, cq_base, qid, entries))
        await self.command("Create I/O SQ", commands.create_io_sq(0, sq_base, qid, entries, qid))
        return QueuePair(
            self.engine, name or self.name, self.port, qid, entries, sq_base, cq_base, gate=self.gate
        )


def check_burst(burst: int) -> None:
    """Raises InputError when a controller cannot take that many commands at once."""
    if burst not in BURSTS:
        raise InputError(f"an arbitration burst cannot be {burst}; give {', '.join(map(str, BURSTS))}")


def check(what: str, cqe: Cqe) -> None:
    """Raises CommandFailed when `cqe` tells of an error."""
    if cqe.status_word >> 1 & 0x7FF:
        raise CommandFailed(what, status_of(cqe))

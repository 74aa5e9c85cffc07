"""A driver: brings a controller up through its properties, and makes I/O queue pairs by admin commands.

Source: Base 2.1, section 3.5.1 (controller initialization).
"""

from __future__ import annotations

from nvmelm_lab.engine import Engine, Gate, Kind, Signal, Touches, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.buffers import Pages
from nvmelm_lab.host.port import Port
from nvmelm_lab.host.queue_pair import RING_NS, QueuePair
from nvmelm_lab.host.turn import Turn
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import CSTS_CFS, CSTS_RDY, Property
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
    functions
        CNTIDs of the secondary controllers that are to be online behind a primary one.
    losses, revived
        How often its controller was found reset, and a signal: how often it was brought up again.
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
        self.functions: set[int] = set()
        self.losses = 0
        self.revived = Signal(engine, f"the controller of {name} serves again")
        self._queues = 0
        self._burst = 0
        self._write = Kind(
            "property",
            lambda pair: port.write_property(*pair),
            gate=gate,
            takes=200,
            touches=lambda pair: port.property_touches(pair[0]),
            label=lambda pair: f"{name} writes property {Property(pair[0]).name}",
        )
        self._disable = Kind(
            "property",
            self._begin_disabled,
            gate=gate,
            takes=200,
            touches=lambda _: self._disabling(),
            label=lambda _: f"{name} disables its controller",
        )
        self._ask = Kind(
            "ask",
            lambda _: self.losses,
            touches=lambda _: (port.cells, ()),
            label=lambda _: f"{name} asks whether its controller was lost",
        )
        self._begin = Kind(
            "begin anew",
            QueuePair.come_up,
            gate=gate,
            takes=RING_NS,
            touches=lambda _: port.reviving_touches(),
            label=lambda queue: f"{name} begins anew with queue pair {queue.qid}",
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
        """Run one admin command.  Raises CommandFailed, `what` naming the command, when it ends with an error.

        While the controller is brought up again it waits: what is to be online behind it is not yet.
        """
        await self.is_back()
        return await self.command_at_once(what, sqe)

    async def command_at_once(self, what: str, sqe: bytes) -> Cqe:
        """The same for who brings the controller up."""
        cqe = await self.admin.run(sqe)
        check(what, cqe)
        return cqe

    async def set_arbitration_burst(self, burst: int) -> None:
        """Let the controller take up to `burst` commands from a queue at once (Set Features 01h).

        Raises InputError as `check_burst` does.
        """
        check_burst(burst)
        self._burst = burst
        await self._set_burst()

    async def _set_burst(self) -> None:
        sqe = commands.set_arbitration(0, BURSTS.index(self._burst))
        await self.command_at_once("Set Features 01h", sqe)

    async def create_queue_pair(self, entries: int, name: str | None = None) -> QueuePair:
        """One more I/O queue pair of `entries` slots."""
        self._queues += 1
        qid = self._queues
        sq_base, cq_base = self.pages.take(entries * 64), self.pages.take(entries * 16)
        await self.is_back()
        await self._create(qid, entries, sq_base, cq_base)
        return QueuePair(
            self.engine, name or self.name, self.port, qid, entries, sq_base, cq_base, gate=self.gate
        )

    async def _create(self, qid: int, entries: int, sq_base: int, cq_base: int) -> None:
        await self.command_at_once("Create I/O CQ", commands.create_io_cq(0, cq_base, qid, entries))
        await self.command_at_once("Create I/O SQ", commands.create_io_sq(0, sq_base, qid, entries, qid))

    # -- when the controller was reset ---------------------------------------------------------------------

    def serves(self) -> bool:
        """Whether the controller behind the port is ready; one that was reset or is offline is not."""
        csts = self.port.read_property(Property.CSTS)
        return bool(CSTS_RDY.get(csts)) and not CSTS_CFS.get(csts)

    def lose(self) -> None:
        """The controller was reset: all that is under way ends with Command Aborted By Host."""
        self.losses += 1
        for queue in self.port.queues.values():
            queue.go_down()
        self.engine.emit(("controller lost", self.name))

    def _disabling(self) -> Touches:
        reads, writes = self.port.property_touches(Property.CC)
        return reads, (*writes, *self.port.cells)

    def _begin_disabled(self, _subject: None) -> None:
        """Begin from a controller that knows nothing, and from queues that are down."""
        for queue in self.port.queues.values():
            queue.go_down()
        self.port.write_property(Property.CC, 0)

    async def revive(self) -> None:
        """Initialize the controller anew, and make its I/O queues where they were (Base 2.1, section 3.5.1).

        Raises InputError when it does not become ready, as an offline one, and CommandFailed when it is reset again.
        """
        await do(self._disable)
        await self.enable()
        await do(self._begin, self.admin)
        if self._burst:
            await self._set_burst()
        for qid, queue in sorted(self.port.queues.items()):
            if qid:
                await self._create(qid, queue.entries, queue.sq_base, queue.cq_base)
                await do(self._begin, queue)

    def has_revived(self, losses: int) -> None:
        """All that the controller served before it was lost for the time `losses` is served again."""
        self.engine.emit(("controller back", self.name))
        self.revived.raise_to(losses)

    async def is_back(self) -> None:
        """Wait until the controller, should it have been lost, serves again."""
        if self.port.cells:
            await self.revived.wait(await do(self._ask))
        elif self.revived.level < self.losses:
            await self.revived.wait(self.losses)


def check_burst(burst: int) -> None:
    """Raises InputError when a controller cannot take that many commands at once."""
    if burst not in BURSTS:
        raise InputError(f"an arbitration burst cannot be {burst}; give {', '.join(map(str, BURSTS))}")


def check(what: str, cqe: Cqe) -> None:
    """Raises CommandFailed when `cqe` tells of an error."""
    if cqe.status_word >> 1 & 0x7FF:
        raise CommandFailed(what, status_of(cqe))

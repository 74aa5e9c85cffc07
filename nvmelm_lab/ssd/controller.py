"""A controller: properties, doorbells, queues, and the life of a fetched command.

Primary controllers (MMC) and secondary ones (MC) are the same machine; what sets the primary apart is the admin
commands that it accepts (see `admin.py`).  The host's only door is `read_property` and `write_property` (the
doorbells among them), and the rings in its own memory.  Source: Base 2.1, sections 3.1.4 and 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import Engine, Gate, Kind, Resource, Signal, Touches, choose, do
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, PrpError, data_pointers
from nvmelm_lab.nvme.codes import DOORBELLS, EntrySpecial, Property
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import admin, admin_log, change_log, io_commands
from nvmelm_lab.ssd.command import Command, Refused, prp_status
from nvmelm_lab.ssd.rings import CQE_BYTES, SQE_BYTES, CompletionQueue, SubmissionQueue, ring_pages

if TYPE_CHECKING:
    from nvmelm_lab.ssd.migration_queue import MigrationQueue
    from nvmelm_lab.ssd.subsystem import Subsystem

MAX_QUEUE_ENTRIES = 1024
VERSION = 0x0002_0100
_DNR = 1 << 14

# CAP: MQES, contiguous queues required, 2 s to become ready, NVM command set, pages of 4 KiB.
_CAPABILITIES = (MAX_QUEUE_ENTRIES - 1) | 1 << 16 | 4 << 24 | 1 << 37


class Controller:
    """One controller of a subsystem.

    name, cntlid
        "X", "Y", ... as in the talk, and its Controller Identifier.
    space
        The memory that its DMA reaches: a host's for a primary, a guest's for a secondary controller.
    interrupt
        Called with ``(cqid, sqid, cid)`` when a CQE has become visible to the host.
    online
        False: an offline secondary controller (Base 2.1, section 8.2.6.3).
    fetch_gate
        Closed while the controller is suspended.
    fetched, finished
        Commands ever fetched, and a signal that counts those of which nothing is to be posted any more.
    migration_queue
        The UDMQ that tells of changes made through this controller, or None.
    incoming
        Controller state received and not yet committed, or None.
    """

    def __init__(
        self, subsystem: Subsystem, name: str, cntlid: int, space: AddressSpace, *, primary: bool
    ) -> None:
        self.subsystem = subsystem
        self.engine: Engine = subsystem.engine
        self.name = name
        self.cntlid = cntlid
        self.space = space
        self.primary = primary
        self.interrupt: Callable[[int, int, int], None] | None = None
        self.online = primary
        self.queue_resources = 0
        self.interrupt_resources = 0
        self.suspended = False
        self.suspended_by: Controller | None = None
        self.fetch_gate = Gate(self.engine, f"fetch of {name}")
        self.migration_queue: MigrationQueue | None = None
        self.incoming: bytearray | None = None
        self.max_queue_entries = MAX_QUEUE_ENTRIES
        self.cc = 0
        self.csts = 0
        self.aqa = 0
        self.asq = 0
        self.acq = 0
        self.sqs: dict[int, SubmissionQueue] = {}
        self.cqs: dict[int, CompletionQueue] = {}
        self.in_flight: dict[Command, None] = {}
        self.fetched = 0
        self.finished = Signal(self.engine, f"the commands of {name}")
        timing = subsystem.timing
        self.post_marker = Kind(
            "marker",
            self._post_marker,
            takes=timing.post,
            touches=lambda marker: marker[0].posting(),
            label=lambda marker: f"Ctlr {name} posted the marker: {marker[1].meaning}",
        )
        self.log_key = ("log", name)
        self.start_after_drain = Kind(
            "start logging",
            self._start_after_drain,
            touches=lambda subject: ((), (subject[2].fetch_gate.key, *subject[1].starting()[1])),
            label=lambda subject: (
                f"Ctlr {name} starts logging, now that {subject[2].name} has nothing in flight"
            ),
        )
        self.delete_queue = Kind(
            "delete queue",
            lambda queue: subsystem.delete_migration_queue(queue.cdqid),
            touches=lambda queue: ((), queue.deleting()),
            label=lambda _: f"Ctlr {name} deletes the Migration Queue",
        )
        # Nobody can ask for the state of a primary controller, nor suspend it: that needs no cell.
        self._moving: Touches = ((), ()) if primary else ((("state", name),), ())
        self.fetch = Kind(
            "fetch",
            self._fetch,
            gate=None if primary else self.fetch_gate,
            takes=timing.fetch,
            touches=lambda _: self._moving,
            label=lambda queue: f"Ctlr {name} fetches a command from SQ {queue.qid}",
        )
        self.execute = Kind(
            "execute",
            self._execute,
            uses=self._execute_uses,
            touches=self._execute_touches,
            label=lambda command: f"Ctlr {name} executed {io_commands.describe(command)}",
        )
        self.execute_admin = Kind(
            "execute",
            self._execute_admin,
            takes=timing.admin,
            touches=self._execute_admin_touches,
            label=lambda command: f"Ctlr {name} executed {admin.describe(command)}",
        )
        self.post_entries = Kind(
            "entry",
            self._post_entries,
            takes=timing.post,
            touches=lambda command: change_log.posting(self, command),
            label=lambda command: (
                f"Ctlr {subsystem.primary.name} posted the entry for {io_commands.describe(command)}"
            ),
        )
        self.complete = Kind(
            "complete",
            self._complete,
            takes=timing.post,
            touches=lambda _: self._moving,
            label=lambda command: f"Ctlr {name} posted the completion of {self.describe(command)}",
        )

    # -- the door ------------------------------------------------------------------------------------------

    def write_property(self, offset: int, value: int) -> None:
        """The host writes a property or a doorbell.  Nonsense is ignored, as hardware would.

        Properties: Base 2.1, section 3.1.4; doorbells: NVMe over PCIe Transport 1.1, section 3.1.2.
        """
        if offset >= DOORBELLS:
            self._doorbell((offset - DOORBELLS) >> 2, value)
            return
        if not self.online:
            return
        if offset == Property.CC:
            self._configure(value)
        elif self.cc & 1:
            return
        elif offset == Property.AQA:
            self.aqa = value & 0x0FFF0FFF
        elif offset == Property.ASQ:
            self.asq = value & ~(PAGE_BYTES - 1)
        elif offset == Property.ACQ:
            self.acq = value & ~(PAGE_BYTES - 1)

    def read_property(self, offset: int) -> int:
        """The host reads a property; an offline secondary controller shows CSTS.CFS alone."""
        if not self.online:
            return 2 if offset == Property.CSTS else 0
        values = {
            Property.CAP: _CAPABILITIES,
            Property.VS: VERSION,
            Property.CC: self.cc,
            Property.CSTS: self.csts,
            Property.AQA: self.aqa,
            Property.ASQ: self.asq,
            Property.ACQ: self.acq,
        }
        return values.get(Property(offset), 0) if offset in values else 0

    def doorbell_touches(self) -> Touches:
        """What a doorbell write touches: the queues' positions, which Migration Receive reads."""
        return self._moving

    def state_touches(self) -> Touches:
        """What reading or replacing the queues' positions touches.

        Fetches, completions and doorbells move positions and commute with each other; only against this do they
        race.  Hence they count as reading the cell, and this as writing it.
        """
        return (), self._moving[0]

    def reset_touches(self) -> Touches:
        """What a reset touches: positions, the gate, and whether changes are told of."""
        return (), (*self._moving[0], self.fetch_gate.key, self.log_key)

    # -- life cycle ----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Controller Level Reset: queues and commands are gone, properties but AQA, ASQ, ACQ are cleared.

        Source: Base 2.1, section 3.7.2; for suspension and queues of migration section 8.1.12.
        """
        for command in list(self.in_flight):
            self.engine.stop(command.name)
        self.in_flight.clear()
        self.finished.raise_to(self.fetched)
        for qid in list(self.sqs):
            self.delete_sq(qid)
        self.cqs.clear()
        self.cc = 0
        self.csts = 0
        self.incoming = None
        # In this order, lest the end of its suspension look as if it served its host again.
        self.engine.emit(("reset", self.name))
        if self.suspended:
            self.set_suspended(False)
        if self.primary:
            self.subsystem.primary_was_reset()

    def set_suspended(self, suspended: bool, by: Controller | None = None) -> None:
        """Stop or restart fetching."""
        self.suspended = suspended
        self.suspended_by = by
        if suspended:
            self.fetch_gate.close()
        else:
            self.fetch_gate.open()
        self.engine.emit(("suspended" if suspended else "resumed", self.name))

    def set_online(self, online: bool) -> None:
        """Bring a secondary controller online, or take it offline (which resets it)."""
        if not online:
            self.reset()
            self.queue_resources = 0
            self.interrupt_resources = 0
        self.online = online

    def create_sq(self, queue: SubmissionQueue) -> None:
        """Add a Submission Queue and start fetching from it."""
        self.sqs[queue.qid] = queue
        queue.fetcher = self.engine.spawn(queue.name, self._fetch_from(queue))

    def delete_sq(self, qid: int) -> None:
        """Stop fetching from a Submission Queue and forget it."""
        queue = self.sqs.pop(qid)
        self.engine.stop(queue.name)

    @property
    def interrupt_limit(self) -> int:
        """How many interrupt vectors it has."""
        return 64 if self.primary else self.interrupt_resources

    def abort_commands(self, queue: SubmissionQueue) -> None:
        """End the commands in flight from `queue` with Command Aborted due to SQ Deletion, as far as they go."""
        for command in [command for command in self.in_flight if command.queue is queue]:
            self.engine.stop(command.name)
            command.status = Status.ABORTED_SQ_DELETION
            self.engine.spawn(f"{command.name} aborted", self._abort(command))

    async def _abort(self, command: Command) -> None:
        if command.log is not None and not command.told:
            await do(self.post_entries, command)
        if not command.completed:
            await do(self.complete, command)

    async def drain(self) -> None:
        """Wait until the commands fetched so far are done, entries included; nothing may be fetched meanwhile."""
        await self.finished.wait(self.fetched)

    # -- data ----------------------------------------------------------------------------------------------

    def get_data(self, command: Command, length: int) -> bytes:
        """`length` bytes of the command's data buffer."""
        try:
            pieces = data_pointers(self.space, command.sqe.prp1, command.sqe.prp2, length)
        except PrpError as error:
            raise Refused(prp_status(error)) from error
        return b"".join(self.space.read(address, part) for address, part in pieces)

    def put_data(self, command: Command, data: bytes) -> None:
        """Fill the command's data buffer with `data`."""
        try:
            pieces = data_pointers(self.space, command.sqe.prp1, command.sqe.prp2, len(data))
        except PrpError as error:
            raise Refused(prp_status(error)) from error
        done = 0
        for address, part in pieces:
            self.space.dma_write(address, data[done : done + part])
            done += part

    def describe(self, command: Command) -> str:
        """The command in words."""
        return io_commands.describe(command) if command.queue.qid else admin.describe(command)

    # -- the life of a command -----------------------------------------------------------------------------

    async def _fetch_from(self, queue: SubmissionQueue) -> None:
        cq = queue.cq
        while True:
            await queue.visible.wait(queue.fetched + 1)
            if cq.claimed - cq.consumed.level >= cq.entries - 1:
                await cq.consumed.wait(cq.claimed - cq.entries + 2)
            await do(self.fetch, queue)

    def _fetch(self, queue: SubmissionQueue) -> None:
        if self.engine.recorder is not None:
            self.engine.recorder.reads.update(self._moving[0])
        sqe, address = queue.next_sqe()
        queue.cq.claimed += 1
        command = Command(queue, queue.fetched, sqe)
        self.in_flight[command] = None
        self.fetched += 1
        if self.engine.tracing:
            raw, offset = queue.space.look(address)
            self.engine.emit(
                (
                    "fetched",
                    self.name,
                    queue.qid,
                    queue.head,
                    command.name,
                    bytes(raw[offset : offset + SQE_BYTES]),
                )
            )
        life = self._io_command(command) if queue.qid else self._admin_command(command)
        self.engine.spawn(command.name, life)

    async def _io_command(self, command: Command) -> None:
        await do(self.execute, command)
        if command.log is None:
            await do(self.complete, command)
            return
        order = self.subsystem.habits.entry_order
        if order == "open":
            order = await choose("entry or completion first", ("entry first", "completion first"))
        if order == "entry first":
            await do(self.post_entries, command)
            await do(self.complete, command)
        else:
            await do(self.complete, command)
            await do(self.post_entries, command)

    async def _admin_command(self, command: Command) -> None:
        then: Callable[[Controller, Command], Coroutine[Any, Any, None]] | None
        then = await do(self.execute_admin, command)
        if then is not None:
            await then(self, command)
        await do(self.complete, command)

    def _execute(self, command: Command) -> None:
        try:
            handler = io_commands.HANDLERS.get(command.sqe.opcode)
            if handler is None:
                raise Refused(Status.INVALID_OPCODE)
            handler.act(self, command)
        except Refused as refused:
            command.status = refused.status
        except PrpError as error:
            command.status = prp_status(error)
        if command.changes:
            change_log.decide(self, command)

    def _execute_uses(self, command: Command) -> tuple[Resource, int, int]:
        return io_commands.service(self, command)

    def _execute_touches(self, command: Command) -> Touches:
        handler = io_commands.HANDLERS.get(command.sqe.opcode)
        if handler is None:
            return (), ()
        reads, writes = handler.touches(self, command)
        return ((*reads, self.log_key), writes) if handler.changes else (reads, writes)

    def _execute_admin(self, command: Command) -> Any:
        try:
            return admin.execute(self, command)
        except Refused as refused:
            command.status = refused.status
            return None

    def _execute_admin_touches(self, command: Command) -> Touches:
        return admin.touches(self, command)

    def _post_entries(self, command: Command) -> None:
        change_log.post(self, command)
        self._finish(command)

    def _post_marker(self, marker: tuple[MigrationQueue, EntrySpecial]) -> None:
        queue, esa = marker
        queue.post(esa=esa)

    def _start_after_drain(self, subject: tuple[Command, MigrationQueue, Controller]) -> None:
        command, queue, target = subject
        if target.suspended:
            command.status = Status.CONTROLLER_SUSPENDED
            return
        admin_log.start_logging(self, queue)
        target.fetch_gate.open()

    def _complete(self, command: Command) -> None:
        if self.engine.recorder is not None:
            self.engine.recorder.reads.update(self._moving[0])
        command.completed = True
        queue = command.queue
        cq = queue.cq
        status = int(command.status)
        address = cq.post(
            command.dw0, command.dw1, queue.head, queue.qid, command.sqe.cid, status | _DNR if status else 0
        )
        if self.engine.tracing:
            raw, offset = cq.space.look(address)
            cqe = bytes(raw[offset : offset + CQE_BYTES])
            self.engine.emit(("completed", self.name, cq.qid, command.name, status, cqe))
        if self.interrupt is not None:
            self.interrupt(cq.qid, queue.qid, command.sqe.cid)
        self._finish(command)

    def _finish(self, command: Command) -> None:
        """One of the things that the command still had to post is posted."""
        command.owed -= 1
        if command.owed == 0:
            del self.in_flight[command]
            self.finished.raise_to(self.finished.level + 1)

    # -- properties ----------------------------------------------------------------------------------------

    def _doorbell(self, index: int, value: int) -> None:
        if self.engine.recorder is not None:
            self.engine.recorder.reads.update(self._moving[0])
        qid = index >> 1
        if index & 1:
            cq = self.cqs.get(qid)
            good = cq is not None and cq.move_head(value)
        else:
            sq = self.sqs.get(qid)
            good = sq is not None and sq.move_tail(value)
        if self.engine.tracing:
            self.engine.emit(("doorbell", self.name, "CQ" if index & 1 else "SQ", qid, value, good))

    def _configure(self, value: int) -> None:
        """Write CC: bit 0 enables or resets, bits 15:14 shut down."""
        enable = value & 1
        if self.cc & 1 and not enable:
            self.reset()
            return
        self.engine.emit(("configured", self.name, value))
        if enable and not self.cc & 1:
            self.enable(value)
        self.cc = value
        if value >> 14 & 3:
            self.csts = self.csts & ~0xC | 2 << 2

    def enable(self, value: int) -> None:
        """Set CC.EN: make the admin queues and become ready; a bad configuration is a fatal status (CFS)."""
        self.cc = value
        sq_entries, cq_entries = (self.aqa & 0xFFF) + 1, (self.aqa >> 16 & 0xFFF) + 1
        room = self.space.contains
        fits = room(self.asq, sq_entries * SQE_BYTES) and room(self.acq, cq_entries * CQE_BYTES)
        if value >> 7 & 0xF or value >> 4 & 7 or sq_entries < 2 or cq_entries < 2 or not fits:
            self.csts |= 2
            return
        cq = CompletionQueue(self, 0, self.acq, ring_pages(self.acq, cq_entries * CQE_BYTES), cq_entries)
        self.cqs[0] = cq
        pages = ring_pages(self.asq, sq_entries * SQE_BYTES)
        self.create_sq(SubmissionQueue(self, 0, cq, self.asq, pages, sq_entries))
        self.csts |= 1

"""A host shim: software that stands between a guest and its SSD, and sees each I/O.

The guest's doorbell does not reach the SSD.  The shim fetches the SQE from the guest's ring, brings the data
to buffers of its own, sends the command through its own queue pair, brings the data back, and posts a CQE
into the guest's ring.  So it knows what the guest changes, without any help from the SSD; and no device ever
writes to the guest's memory, so processors alone dirty its pages.  The price is a core of the host and a
longer way for every I/O, migration or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nvmelm_lab.engine import Actor, Engine, Gate, Kind, Resource, Signal, Touches, do
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.buffers import Buffer
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.queue_pair import RING_NS, QueuePair
from nvmelm_lab.host.shim_controller import ShimController
from nvmelm_lab.host.shim_errand import TAKE_NS, Errand
from nvmelm_lab.host.shim_events import COMMANDS as EVENT_COMMANDS
from nvmelm_lab.host.work import HostWork
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme.codes import BROADCAST_NSID, AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_queues import COMMANDS as QUEUE_COMMANDS
from nvmelm_lab.ssd.command import UNSUPPORTED_FLAGS, Refused
from nvmelm_lab.ssd.entries import take_command
from nvmelm_lab.ssd.io_commands import describe
from nvmelm_lab.ssd.rings import MAX_QUEUE_ENTRIES, SubmissionQueue
from nvmelm_lab.ssd.state_transfer import put_state, take_state

_OWN_COMMANDS = {**QUEUE_COMMANDS, **EVENT_COMMANDS}
"""Admin commands that go no further than the shim."""

MANAGE_NS = 2_000
"""Processor time of whatever is not the way of a command; that is in `shim_errand`."""


class Shim:
    """The shim before the controller that `driver` drives, for a guest whose memory is `space`.

    controller
        What the guest's VM is plugged into.
    work
        What it has cost the host so far, over all commands of the guest.
    served
        Signal: commands of the guest that have completed.
    """

    def __init__(
        self, engine: Engine, name: str, space: AddressSpace, driver: Driver, block_bytes: int
    ) -> None:
        self.engine = engine
        self.name = name
        self.driver = driver
        self.block_bytes = block_bytes
        self.controller = ShimController(engine, name, space, self._take_from)
        self.work = HostWork()
        self.served = Signal(engine, f"the commands under way in {name}")
        self._idle: list[QueuePair] = []
        self._buffers: list[Buffer] = []
        self._dirty: Changes | None = None
        self._dirty_key = ("dirty", name)
        self._gate = Gate(engine, f"intake of {name}")
        core = Resource(f"core of {name}")
        self._take = Kind(
            "take",
            self._fetch,
            gate=self._gate,
            uses=lambda _: (core, TAKE_NS, 0),
            touches=lambda _: self.controller.doorbell_touches(),
            label=lambda where: f"{name} takes a command out of the guest's SQ {where[0].qid}",
        )
        self._forward = Kind(
            "forward",
            self._send,
            uses=lambda errand: (core, errand.forward_ns(), 0),
            label=lambda errand: f"{name} sends on {_words(errand)}",
        )
        self._manage = Kind(
            "manage",
            self._manage_queues,
            uses=lambda _: (core, MANAGE_NS, 0),
            touches=lambda _: ((), (self.controller.state_key,)),
            label=lambda errand: f"{name} carries out {_words(errand)}",
        )
        self._give = Kind(
            "give",
            self._finish,
            uses=lambda errand: (core, errand.give_ns(), 0),
            touches=self._giving,
            label=lambda errand: f"{name} tells the guest that {_words(errand)} has completed",
        )
        state = self.controller.state_key
        self._track = self._verb("notes changes from now on", self._start_tracking, self._dirty_key)
        self._hand_over = self._verb("hands over what changed", lambda _: self._swap_dirty(), self._dirty_key)
        self._suspend = self._verb("takes no more commands", lambda _: self._close_gate(), self._gate.key)
        self._resume = self._verb("takes commands again", lambda _: self._open_gate(), self._gate.key)
        self._get_state = self._verb("gives its queues' state", lambda _: self._take_state(), state)
        self._set_state = self._verb("takes over queues", self._put_state, state)
        self._close = self._verb("serves the guest no more", lambda _: self.controller.reset(), state)

    # -- what a VMM asks of it -----------------------------------------------------------------------------

    async def open(self, queue_pairs: int = 0) -> None:
        """Enable the controller behind, and make queue pairs for that many I/O queues of the guest."""
        await self.driver.enable()
        for _ in range(queue_pairs):
            self._idle.append(await self.driver.create_queue_pair(MAX_QUEUE_ENTRIES))

    async def track(self, nsids: dict[int, int]) -> None:
        """From now on note which LBAs of these namespaces (NSID -> LBAs) the guest changes."""
        await do(self._track, nsids)

    async def take_changes(self) -> Changes:
        """What changed since tracking began, or since this was last asked."""
        changes: Changes = await do(self._hand_over)
        return changes

    async def suspend(self) -> None:
        """Take no further command from the guest; those under way have completed when this returns."""
        await self.served.wait(await do(self._suspend))

    async def resume(self) -> None:
        """Take commands again."""
        await do(self._resume)

    async def get_state(self) -> bytes:
        """Where the guest's queues lie and how far they are, in the format of a controller's state."""
        state: bytes = await do(self._get_state)
        return state

    async def set_state(self, state: bytes) -> None:
        """Go on where the shim stood that gave this state.  InputError when that cannot be."""
        await do(self._set_state, state)

    async def close(self) -> None:
        """Serve the guest no more: it is somewhere else."""
        await do(self._close)

    # -- the way of a command ------------------------------------------------------------------------------

    async def _take_from(self, queue: SubmissionQueue) -> None:
        backend = self.driver.admin if queue.qid == 0 else await self._backend()
        cq = queue.cq
        try:
            while True:
                await queue.visible.wait(queue.fetched + 1)
                if cq.room <= 0:
                    await cq.consumed.wait(cq.claimed - cq.entries + 2)
                errand: Actor | None = await do(self._take, (queue, backend))
                if errand is not None and queue.qid == 0:
                    # One at a time, for the admin queue behind is the shim's own too.
                    await errand.join()
        finally:
            if queue.qid:
                self._idle.append(backend)

    async def _backend(self) -> QueuePair:
        """A queue pair for one queue of the guest: as long as a guest's longest, so never the fuller one."""
        for number, backend in enumerate(self._idle):
            if not backend.pending:
                return self._idle.pop(number)
        return await self.driver.create_queue_pair(MAX_QUEUE_ENTRIES)

    async def _serve(self, errand: Errand) -> None:
        if errand.command.queue.qid == 0 and errand.command.sqe.opcode in _OWN_COMMANDS:
            await do(self._manage, errand)
        else:
            await do(self._forward, errand)
        if errand.pending is not None:
            await do(errand.backend.ring)
            await errand.pending.visible.wait()
        await do(self._give, errand)

    def _fetch(self, where: tuple[SubmissionQueue, QueuePair]) -> Actor | None:
        self.controller.record_positions()
        self.work.add(1, TAKE_NS)
        queue, backend = where
        command = take_command(self.controller, queue)
        if command is None:
            # Another SQ of the same CQ was faster.
            return None
        return self.engine.spawn(command.name, self._serve(Errand(command, backend, self.block_bytes)))

    def _send(self, errand: Errand) -> None:
        """Put the command into the shim's own queue; the doorbell follows, and its work is counted here."""
        self.work.add(2, errand.forward_ns() + RING_NS)
        try:
            sqe = errand.sqe_behind(self.controller.space, self.driver.pages, self._buffers)
        except Refused as refused:
            errand.refuse(refused.status)
            return
        errand.pending = errand.backend.submit(sqe)

    def _manage_queues(self, errand: Errand) -> None:
        """Carry out what is about queues and commands of the guest: the SSD behind has others."""
        self._record_writing(self.controller.state_key)
        self.work.add(1, MANAGE_NS)
        try:
            if errand.command.sqe.flags & UNSUPPORTED_FLAGS:
                raise Refused(Status.INVALID_FIELD)
            _OWN_COMMANDS[errand.command.sqe.opcode](self.controller, errand.command)
        except Refused as refused:
            errand.refuse(refused.status)

    def _finish(self, errand: Errand) -> None:
        """Note what changed, bring the data back, and tell the guest."""
        self.work.add(1, errand.give_ns())
        command, pending = errand.command, errand.pending
        if pending is not None:
            errand.backend.reap_until(pending)
            cqe = pending.cqe
            assert cqe is not None
            errand.status = cqe.status_word >> 1
            command.dw0, command.dw1 = cqe.dw0, cqe.dw1
        self._note(errand)
        if not command.completed and command not in self.controller.event_requests:
            errand.bring_back(self.controller.space, self.driver.pages)
            self.controller.post(command, errand.status)
        if errand.buffer is not None:
            self._buffers.append(errand.buffer)
        del self.controller.in_flight[command]
        self.served.raise_to(self.served.level + 1)

    def _giving(self, errand: Errand) -> Touches:
        reads, writes = errand.backend.reap_touches()
        return (*reads, self.controller.state_key, self._dirty_key), writes

    # -- the dirty bitmap ----------------------------------------------------------------------------------

    def _start_tracking(self, nsids: dict[int, int]) -> None:
        self._record_writing(self._dirty_key)
        self._dirty = Changes(nsids)

    def _note(self, errand: Errand) -> None:
        """Mark what a command changed, whatever its status.

        Not earlier: a mark that is taken, and its LBAs copied, before the change takes effect would be lost.
        A deallocation is a change like others: completions may come in another order than the changes did.
        """
        if self.engine.recorder is not None:
            self.engine.recorder.reads.add(self._dirty_key)
        if self._dirty is None or not errand.ranges:
            return
        nsid = errand.command.sqe.nsid
        changed = [each for each in self._dirty.nsids if nsid in (each, BROADCAST_NSID)]
        for each in changed:
            for slba, blocks in errand.ranges:
                self._dirty.add(each, slba, blocks)
        self._dirty.entries += bool(changed)

    def _swap_dirty(self) -> Changes:
        self._record_writing(self._dirty_key)
        self.work.add(1, MANAGE_NS)
        assert self._dirty is not None
        changes, self._dirty = self._dirty, Changes(self._dirty.nsids)
        return changes

    # -- suspend, state ------------------------------------------------------------------------------------

    def _close_gate(self) -> int:
        """Gives how many commands will have been served when all are."""
        self.controller.suspended = True
        self._gate.close()
        self.engine.emit(("suspended", self.name))
        return self.controller.fetched

    def _open_gate(self) -> None:
        self.controller.suspended = False
        self._gate.open()
        self.engine.emit(("resumed", self.name))

    def _take_state(self) -> bytes:
        self._record_writing(self.controller.state_key)
        consistent = self.controller.suspended
        state = take_state(self.controller, consistent=consistent, queues=True, vendor=True)
        self.engine.emit(("state taken", self.name, state, consistent))
        return state

    def _put_state(self, state: bytes) -> None:
        self._record_writing(self.controller.state_key)
        try:
            put_state(self.controller, state, queues=True, vendor=True)
        except Refused as refused:
            why = refused.status.sentence
            raise InputError(f"{self.name} cannot go on from this state: {why}") from refused
        self.engine.emit(("state set", self.name, state))

    def _record_writing(self, key: Key) -> None:
        if self.engine.recorder is not None:
            self.engine.recorder.writes.add(key)

    def _verb(self, words: str, act: Callable[[Any], Any], key: Key) -> Kind:
        """A step that a VMM takes in the shim."""
        return Kind(
            "shim",
            act,
            takes=MANAGE_NS,
            touches=lambda _: ((), (key,)),
            label=lambda _: f"{self.name} {words}",
        )


def _words(errand: Errand) -> str:
    """The guest's command in words."""
    command = errand.command
    if command.queue.qid:
        return describe(command)
    known = {int(opcode): opcode.meaning for opcode in AdminOpcode}
    return known.get(command.sqe.opcode, f"an admin command with opcode {command.sqe.opcode:02X}h")

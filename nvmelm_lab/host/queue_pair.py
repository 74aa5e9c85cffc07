"""A queue pair as a driver keeps it: SQEs in, doorbell, CQEs out.  It speaks only through rings and doorbells.

Source: Base 2.1, section 3.3.1; the phase tag tells a new CQE from the last lap's.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from nvmelm_lab.engine import Engine, Gate, Kind, Signal, Touches, do
from nvmelm_lab.errors import KitError
from nvmelm_lab.host.port import Port
from nvmelm_lab.memory import Ring
from nvmelm_lab.nvme.codes import cq_head_doorbell, sq_tail_doorbell
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import CQE, Cqe

SUBMIT_NS = 400
RING_NS = 150
REAP_NS = 400

_put_sqe = Struct("64s").pack_into
_put_cid = Struct("<H").pack_into
_get_cqe = CQE.unpack_from
_CID, _WORD = Cqe._fields.index("cid"), Cqe._fields.index("status_word")

_NO_CELLS: Touches = ((), ())


class Pending:
    """A command that was submitted: its CID, and the fields of its CQE once that is reaped, as they were read."""

    __slots__ = ("cid", "fields", "queue", "signal")

    def __init__(self, queue: QueuePair, cid: int) -> None:
        self.queue = queue
        self.cid = cid
        self.fields: tuple[int, ...] | None = None
        self.signal: Signal | None = None

    @property
    def cqe(self) -> Cqe | None:
        """Its CQE once that is reaped."""
        return None if self.fields is None else Cqe._make(self.fields)

    @property
    def status(self) -> int:
        """Status Code and its type, once its CQE is reaped."""
        assert self.fields is not None
        return self.fields[_WORD] >> 1 & 0x7FF

    @property
    def visible(self) -> Signal:
        """Signal: the CQE is visible.  It is made when somebody first asks, for of most commands nobody does."""
        signal = self.signal
        if signal is None:
            signal = self._make_signal()
            signal.level = int(self.fields is not None or self.queue.has_noticed(self.cid))
        return signal

    def noticed(self) -> None:
        """The CQE has become visible; who records or traces wants to know by which step, whoever asks later."""
        if self.signal is not None or self.queue.engine.watched:
            (self.signal or self._make_signal()).set()

    def _make_signal(self) -> Signal:
        self.signal = Signal(self.queue.engine, f"completion {self.cid} on {self.queue.name}")
        self.queue.is_awaited = True
        return self.signal


class Unexpected(NamedTuple):
    """A CQE that answers no command: what a host sees when a command completes twice."""

    cid: int
    sqid: int


class QueuePair:
    """SQ and CQ number `qid` with `entries` slots each, at `sq_base` and `cq_base` in the port's memory.

    gate
        Held closed while whoever uses the pair stands still (a paused VM).
    arrived
        Signal: CQEs of which it was noticed that they lie on the ring, since the pair was made.
    is_awaited
        Whether anybody ever waited for a single command.
    unexpected
        CQEs that answered no command.
    ask
        Step: 0 when the controller has the queues, else the level of `arrived` from which on it may have them again.
    is_shared
        Whether several actors submit here, so that it can be told who came first.
    is_down
        Its controller was reset and has no such queues any more: what is submitted ends at once, see `go_down`.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        port: Port,
        qid: int,
        entries: int,
        sq_base: int,
        cq_base: int,
        *,
        gate: Gate | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.port = port
        self.qid = qid
        self.entries = entries
        self.sq_base = sq_base
        self.cq_base = cq_base
        self.gate = gate
        self.arrived = Signal(engine, f"a completion on {name}")
        self.is_awaited = False
        self.is_shared = False
        self.unexpected: list[Unexpected] = []
        self.pending: dict[int, Pending] = {}
        self.is_down = False
        self._room = entries - 1
        # Ended without anybody having reaped them.
        self._ended: list[Pending] = []
        # Completions that were noticed before the ring began anew.
        self._before = 0
        self.map()
        self._submitted = 0
        self._reaped = 0
        self._told = 0
        self._next_cid = 0
        self._sq_doorbell = sq_tail_doorbell(qid)
        self._cq_doorbell = cq_head_doorbell(qid)
        self._write = Kind(
            "submit",
            self.submit,
            gate=gate,
            takes=SUBMIT_NS,
            label=lambda _: f"{name} puts a command into SQ {qid}",
        )
        self._write_in_turn = Kind(
            "submit",
            self.submit,
            gate=gate,
            takes=SUBMIT_NS,
            touches=lambda _: ((), (("submit", name, qid),)),
            label=lambda _: f"{name} puts a command into SQ {qid}",
        )
        self.ring = Kind(
            "doorbell",
            self._ring_doorbell,
            gate=gate,
            takes=RING_NS,
            touches=lambda _: port.doorbell_touches(),
            label=lambda _: f"{name} rings the doorbell of SQ {qid}",
        )
        self.ask = Kind(
            "ask",
            lambda _: self.arrived.level + 1 if self.is_down else 0,
            gate=gate,
            touches=lambda _: (port.cells, ()),
            label=lambda _: f"{name} asks whether SQ {qid} is there",
        )
        self._reap = Kind(
            "reap",
            self.reap_until,
            gate=gate,
            takes=REAP_NS,
            touches=lambda _: self.reap_touches(),
            label=lambda _: f"{name} reads a completion from CQ {qid}",
        )
        port.queues[qid] = self

    def map(self) -> None:
        """Find the rings in the port's memory, which becomes another one when a VM moves."""
        space = self.port.space
        self._sq = Ring(space, self.sq_base, self.entries, 64)
        self._cq = Ring(space, self.cq_base, self.entries, 16)

    @property
    def has_room(self) -> bool:
        """Whether one more command fits: an SQ with n slots holds n - 1."""
        return len(self.pending) < self._room

    async def issue(self, sqe: bytes) -> Pending:
        """Submit an SQE (64 bytes; the pair gives it its CID) and ring the doorbell.

        Raises KitError when the ring is full: look at `has_room` first.
        """
        pending: Pending = await do(self._write_in_turn if self.is_shared else self._write, sqe)
        await do(self.ring)
        return pending

    async def completion(self, pending: Pending) -> Cqe:
        """Wait until the command has completed; gives its CQE."""
        if pending.fields is None:
            await pending.visible.wait()
        while pending.fields is None:
            seen = self.arrived.level
            await do(self._reap, pending)
            if pending.fields is None:
                await self.arrived.wait(seen + 1)
        return Cqe._make(pending.fields)

    async def run(self, sqe: bytes) -> Cqe:
        """Submit one command and wait for its CQE."""
        return await self.completion(await self.issue(sqe))

    def interrupted(self, cids: Sequence[int]) -> None:
        """The CQEs of the commands `cids` have become visible."""
        if self.is_awaited or self.engine.watched:
            for cid in cids:
                pending = self.pending.get(cid)
                if pending is not None:
                    pending.noticed()
        self.arrived.raise_to(self.arrived.level + len(cids))

    def look(self) -> None:
        """An interrupt that names no command: notice what lies on the ring."""
        while (fields := self._cqe_at(self.arrived.level - self._before)) is not None:
            self.interrupted((fields[_CID],))

    def has_noticed(self, cid: int) -> bool:
        """Whether the CQE of command `cid` lies on the ring and was noticed."""
        noticed = map(self._cqe_at, range(self._reaped, self.arrived.level - self._before))
        return any(fields is not None and fields[_CID] == cid for fields in noticed)

    # -- when the controller was reset ---------------------------------------------------------------------

    def go_down(self) -> None:
        """The controller has forgotten the queues: what is under way ends with Command Aborted By Host.

        CQEs that lie on the ring still count.  What is submitted until the pair has come up ends the same way; a
        guest finds no room meanwhile.
        """
        self.is_down = True
        self._room = 0
        self._ended += self._take(None)
        self._cancel()

    def come_up(self) -> None:
        """The controller has made the queues anew: both rings begin at slot 0, and no CQE lies there yet."""
        self._cancel()
        self.port.space.write(self.cq_base, bytes(16 * self.entries))
        self._submitted = self._reaped = self._told = 0
        self.is_down = False
        self._room = self.entries - 1
        # Wakes who waits for room.
        self.arrived.count()
        self._before = self.arrived.level

    def _cancel(self) -> None:
        """End what is under way, as a driver does whose controller is gone."""
        cancelled, self.pending = list(self.pending.values()), {}
        for pending in cancelled:
            pending.fields = Cqe(0, 0, 0, self.qid, pending.cid, Status.ABORTED_BY_HOST << 1)
            pending.noticed()
        self._ended += cancelled
        if cancelled:
            self.engine.emit(("cancelled", self.name, self.qid, tuple(each.cid for each in cancelled)))
            self.arrived.raise_to(self.arrived.level + len(cancelled))

    # -- what steps do; a guest makes steps of its own of them ---------------------------------------------

    def submit(self, sqe: bytes) -> Pending:
        """Write an SQE into the ring; nobody sees it before the doorbell."""
        under_way, entries, position = self.pending, self.entries, self._submitted
        if len(under_way) >= entries - 1:
            raise KitError(f"SQ {self.qid} of {self.name} is full with {entries - 1} commands")
        cid = self._next_cid
        while cid in under_way:
            cid = cid + 1 & 0xFFFF
        self._next_cid = cid + 1 & 0xFFFF
        ring, slot = self._sq, position % entries
        page, offset = ring.slots[slot]
        if ring.space.watched:
            ring.space.has_written(ring.address(slot))
        # Assigning to a slice would take three times as long.
        _put_sqe(page, offset, sqe)
        _put_cid(page, offset + 2, cid)
        self._submitted = position + 1
        pending = under_way[cid] = Pending(self, cid)
        if self.engine.telling:
            self.engine.emit(("submitted", self.name, self.qid, cid, bytes(page[offset : offset + 64])))
        return pending

    def _ring_doorbell(self, _subject: None) -> None:
        if self.is_down:
            self._cancel()
            return
        self.port.write_property(self._sq_doorbell, self._submitted % self.entries)

    def reap_touches(self) -> Touches:
        """The cells that reaping touches: those of the head doorbell, if it might be due."""
        may_tell = self._reaped + len(self.pending) - self._told >= self.entries // 2
        return self.port.doorbell_touches() if may_tell else _NO_CELLS

    def reap_until(self, pending: Pending) -> list[Pending]:
        """Read CQEs until that of `pending` is found, or until no more are there; gives their commands."""
        done = self._take(pending) if pending.fields is None else []
        self._tell_head()
        return self._with_ended(done)

    def reap_visible(self) -> list[Pending]:
        """Read all CQEs that are there; gives their commands."""
        done = self._take(None)
        self._tell_head()
        return self._with_ended(done)

    def _with_ended(self, done: list[Pending]) -> list[Pending]:
        """And those that ended when the controller was lost."""
        if self._ended:
            done += self._ended
            self._ended = []
        return done

    def _take(self, wanted: Pending | None) -> list[Pending]:
        """Take CQEs at the head as long as their phase tags say that they are new, `wanted` being the last."""
        done: list[Pending] = []
        under_way, ring, entries = self.pending, self._cq, self.entries
        position = self._reaped
        while True:
            page, offset = ring.slots[position % entries]
            if ring.space.watched:
                ring.space.has_read(ring.address(position % entries))
            fields = _get_cqe(page, offset)
            if not fields[_WORD] + position // entries & 1:
                break
            position += 1
            cid = fields[_CID]
            pending = under_way.pop(cid, None)
            if pending is None:
                self.unexpected.append(Unexpected(cid, Cqe._make(fields).sqid))
                pending = Pending(self, cid)
            else:
                pending.fields = fields
                if self.engine.telling:
                    self.engine.emit(("reaped", self.name, self.qid, cid, CQE.pack(*fields)))
            done.append(pending)
            if pending is wanted:
                break
        self._reaped = position
        return done

    def _cqe_at(self, position: int) -> tuple[int, ...] | None:
        """The fields of the CQE at a position counted from the queue's creation, if that is a new one.

        Its phase tag tells: 1 on the first lap, then inverted at each wrap.
        """
        entries = self.entries
        ring, slot = self._cq, position % entries
        page, offset = ring.slots[slot]
        if ring.space.watched:
            ring.space.has_read(ring.address(slot))
        fields = _get_cqe(page, offset)
        return fields if fields[_WORD] + position // entries & 1 else None

    def _tell_head(self) -> None:
        """Write the head doorbell when half of the ring is read; before that the controller has room anyway."""
        if self._reaped - self._told >= self.entries // 2:
            self._told = self._reaped
            self.port.write_property(self._cq_doorbell, self._reaped % self.entries)

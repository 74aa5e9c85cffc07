"""Submission and Completion Queues as the controller keeps them.  Source: Base 2.1, section 3.3.1.

Both are rings in host memory.  Positions are counted from the queue's creation and never wrap here; the slot is
the count modulo the number of entries.  An SQ is *empty* when head and tail are equal and *full* when one more
entry would make them so; the phase tag of a CQE tells a new entry from the last lap's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from nvmelm_lab.engine import Actor, Engine, Signal
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, Ring
from nvmelm_lab.nvme.codes import AQA_ACQS, AQA_ASQS

if TYPE_CHECKING:
    from nvmelm_lab.ssd.command import Command

SQE_BYTES = 64
CQE_BYTES = 16

MAX_QUEUE_ENTRIES = 1024
"""Slots of the longest I/O queue (CAP.MQES says so)."""


class QueueKeeper(Protocol):
    """Who keeps properties and rings on the device's side: a controller, or software that stands for one.

    See `Controller` for what each of these is.
    """

    engine: Engine
    name: str
    space: AddressSpace
    has_written: Callable[[int], None]
    interrupt: Callable[[int, Sequence[int]], None] | None
    primary: bool
    online: bool
    suspended: bool
    queue_resources: int
    max_queue_entries: int
    cc: int
    csts: int
    aqa: int
    asq: int
    acq: int
    arbitration: int
    sqs: dict[int, SubmissionQueue]
    cqs: dict[int, CompletionQueue]
    in_flight: dict[Command, None]
    event_requests: dict[Command, None]
    fetched: int

    @property
    def interrupt_limit(self) -> int:
        """How many interrupt vectors it has."""

    def create_sq(self, queue: SubmissionQueue) -> None:
        """Add a Submission Queue and start fetching from it."""

    def delete_sq(self, qid: int) -> None:
        """Stop fetching from a Submission Queue and forget it."""

    def abort_commands(self, queue: SubmissionQueue) -> None:
        """End the commands in flight from `queue` with Command Aborted due to SQ Deletion."""

    def reset(self) -> None:
        """Controller Level Reset: queues and commands are gone."""

    def became_ready(self) -> None:
        """CSTS.RDY has been set."""

    def was_shut_down(self) -> None:
        """CC.SHN has been written, and the shutdown is complete."""


class CompletionQueue:
    """A Completion Queue of `entries` slots.

    base
        PRP1 of its creation.
    ring
        Its slots in memory, `has_written` what to call while that is watched.
    posted
        CQEs ever posted; tail slot and phase tag follow from it.
    consumed
        Signal: how far the host's head doorbell has come, in CQEs.
    claimed
        CQEs that fetched commands will need.  A command is fetched only when its CQE has a slot, so a host that
        does not reap can never keep a command in flight, nor a suspend waiting.
    sharers
        Submission Queues that complete to it.
    """

    __slots__ = (
        "base",
        "claimed",
        "consumed",
        "entries",
        "has_written",
        "interrupts",
        "posted",
        "qid",
        "ring",
        "sharers",
        "vector",
    )

    def __init__(
        self,
        keeper: QueueKeeper,
        qid: int,
        base: int,
        entries: int,
        *,
        interrupts: bool = True,
        vector: int = 0,
    ) -> None:
        self.qid = qid
        self.base = base
        self.entries = entries
        self.interrupts = interrupts
        self.vector = vector
        self.ring = Ring(keeper.space, base, entries, CQE_BYTES)
        self.has_written = keeper.has_written
        self.posted = 0
        self.claimed = 0
        self.sharers = 0
        self.consumed = Signal(keeper.engine, f"room in {keeper.name} CQ {qid}")

    @property
    def room(self) -> int:
        """How many more commands may be fetched: a queue of n slots holds n - 1 CQEs."""
        return self.entries - 1 - self.claimed + self.consumed.level

    @property
    def phase(self) -> int:
        """Phase tag of the next CQE: 1 on the first lap, then inverted at each wrap."""
        return 1 - (self.posted // self.entries & 1)

    def move_head(self, head: int) -> bool:
        """The head doorbell was written; False when `head` is no slot or no entry lies before it."""
        moved = (head - self.consumed.level) % self.entries
        if not 0 <= head < self.entries or moved > self.posted - self.consumed.level:
            return False
        self.consumed.raise_to(self.consumed.level + moved)
        return True


class SubmissionQueue:
    """A Submission Queue of `entries` slots whose completions go to `cq`; its slots in memory are `ring`.

    visible
        Signal: how far the host's tail doorbell has come, in SQEs.
    fetched
        SQEs ever fetched; the head slot follows from it.
    fetcher
        The actor that fetches from it.
    """

    __slots__ = ("base", "cq", "entries", "fetched", "fetcher", "name", "priority", "qid", "ring", "visible")

    def __init__(
        self,
        keeper: QueueKeeper,
        qid: int,
        cq: CompletionQueue,
        base: int,
        entries: int,
        *,
        priority: int = 0,
    ) -> None:
        self.qid = qid
        self.cq = cq
        self.base = base
        self.entries = entries
        self.priority = priority
        self.ring = Ring(keeper.space, base, entries, SQE_BYTES)
        self.name = f"{keeper.name}.sq{qid}"
        self.visible = Signal(keeper.engine, f"doorbell of {keeper.name} SQ {qid}")
        self.fetched = 0
        self.fetcher: Actor | None = None

    @property
    def head(self) -> int:
        """The slot to fetch next."""
        return self.fetched % self.entries

    @property
    def tail(self) -> int:
        """The slot that the host fills next."""
        return self.visible.level % self.entries

    def move_tail(self, tail: int) -> bool:
        """The tail doorbell was written; False when `tail` is no slot or would overtake the head."""
        added = (tail - self.visible.level) % self.entries
        if not 0 <= tail < self.entries or self.visible.level + added - self.fetched >= self.entries:
            return False
        self.visible.raise_to(self.visible.level + added)
        return True


def write_doorbell(keeper: QueueKeeper, offset: int, value: int) -> None:
    """The host writes the doorbell `offset` bytes behind the first: tail of SQ 0, head of CQ 0, tail of SQ 1 ...

    What is no doorbell, or no position that the ring can have, changes nothing.
    Source: NVMe over PCIe Transport 1.1, section 3.1.2.
    """
    if offset & 3:
        return
    qid = offset >> 3
    if offset & 4:
        cq = keeper.cqs.get(qid)
        good = cq is not None and cq.move_head(value)
    else:
        sq = keeper.sqs.get(qid)
        good = sq is not None and sq.move_tail(value)
    if keeper.engine.telling:
        keeper.engine.emit(("doorbell", keeper.name, "CQ" if offset & 4 else "SQ", qid, value, good))


def ring_pages(base: int, length: int) -> list[int]:
    """The page addresses of a contiguous ring of `length` bytes at the page boundary `base`."""
    return list(range(base, base + length, PAGE_BYTES))


def ring_fits(space: AddressSpace, base: int, entries: int, entry_bytes: int) -> bool:
    """Whether a contiguous ring of at least 2 entries can lie at `base`."""
    return entries >= 2 and base % PAGE_BYTES == 0 and space.contains(base, entries * entry_bytes)


def admin_entries(aqa: int) -> tuple[int, int]:
    """Slots of the Admin Submission and the Admin Completion Queue that AQA asks for."""
    return AQA_ASQS.get(aqa) + 1, AQA_ACQS.get(aqa) + 1

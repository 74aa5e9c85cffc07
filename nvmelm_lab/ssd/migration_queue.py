"""The Migration Queue (MQ): a Controller Data Queue of type 0, the User Data Migration Queue.

A ring of 32-byte entries (MQE) in the memory of the managing host.  The controller writes entries at the tail;
the host learns of them from the phase tag alone, and says how far it has read with Set Features 21h.  There is
no doorbell.  Sources: Base 2.1, sections 8.1.6 and 5.1.4; NVM Command Set 1.2, section 5.6.

Positions are counted from the queue's creation and never wrap here; the slot is the count modulo `slots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine import Engine, Signal, Touches
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme.codes import EntrySpecial, LbaChange, OneShotEvent
from nvmelm_lab.nvme.structs import pack_mqe

if TYPE_CHECKING:
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.memory import AddressSpace
    from nvmelm_lab.ssd.events import Events

MQE_BYTES = 32


class MigrationQueue:
    """The queue `cdqid` of the MMC `owner` that tells of changes made through the controller `target`.

    log_key
        The cell "is the target logged?".
    pages
        Addresses of its pages in `space`, the managing host's memory.
    tail, head
        Entries ever posted, and ever consumed.
    events
        Those of the MMC: the Tail Pointer event, and the Full Error.
    trigger
        Slot whose next entry raises the Tail Pointer event, or None (Set Features 21h).  It belongs to the head's cell.
    logging
        Whether changes that take effect now are to be told of.
    is_open
        Whether entries may still come: from the start of logging to its last entry, ESA 010b or 111b.  Between the
        end of `logging` and that entry come those of changes that took effect before.
    first_due
        The next entry carries ESA 001b.
    suspension_told
        The marker ESA 011b is posted, and the target has not resumed since.
    decided, told
        Commands whose changes were decided to be logged, and a signal that counts those whose entries are posted.
    """

    __slots__ = (
        "_engine",
        "_key",
        "cdqid",
        "decided",
        "events",
        "first_due",
        "head",
        "is_open",
        "log_key",
        "logging",
        "owner",
        "pages",
        "slots",
        "space",
        "suspension_told",
        "tail",
        "target",
        "told",
        "trigger",
    )

    def __init__(
        self,
        engine: Engine,
        owner: str,
        events: Events,
        target: int,
        log_key: Key,
        cdqid: int,
        space: AddressSpace,
        pages: list[int],
        slots: int,
    ) -> None:
        self._engine = engine
        self.owner = owner
        self.events = events
        self.target = target
        self.log_key = log_key
        self.cdqid = cdqid
        self.space = space
        self.pages = pages
        self.slots = slots
        self.tail = 0
        self.head = 0
        self.trigger: int | None = None
        self.logging = False
        self.is_open = False
        self.first_due = False
        self.suspension_told = False
        self.decided = 0
        self.told = Signal(engine, f"the entries of queue {cdqid}")
        self._key = (owner, cdqid)

    @property
    def used(self) -> int:
        """Entries that wait for the host, of at most ``slots - 1``."""
        return self.tail - self.head

    @property
    def is_full(self) -> bool:
        """Whether one more entry would make the queue look empty."""
        return self.tail - self.head >= self.slots - 1

    @property
    def phase(self) -> int:
        """Phase tag (CDQP) of the next entry: 1 on the first lap, then inverted at each wrap to slot 0."""
        return 1 - (self.tail // self.slots & 1)

    # -- cells ---------------------------------------------------------------------------------------------

    def posting(self, entries: int = 1) -> Touches:
        """The cells that posting `entries` entries touches: the head matters only where the queue may fill.

        Whether the queue takes any is decided by what starts and stops logging, so that cell is read either way.
        """
        if not self.is_open:
            return (self.log_key,), ()
        head, tail = ("head", self._key), ("tail", self._key)
        writes: tuple[Key, ...] = (tail, *(("slot", self._key, self.tail + n) for n in range(entries)))
        if self._reaches_trigger(entries):
            writes += (head, self.events.key)
        if self.tail + entries < self.slots - 1:
            return (self.log_key,), writes
        if self.used + entries < self.slots - 1:
            return (self.log_key, head), writes
        return (head,), (*writes, self.log_key, self.events.key)

    def _reaches_trigger(self, entries: int) -> bool:
        """Whether one of the next `entries` slots is the trigger's."""
        return self.trigger is not None and (self.trigger - self.tail) % self.slots < entries

    def marking(self, esa: EntrySpecial) -> Touches:
        """The cells that `mark` touches; ESA 010b closes the queue."""
        reads, writes = self.posting()
        if esa == EntrySpecial.STOPPED and self.is_open:
            return reads, (*writes, self.log_key)
        return (*reads, self.log_key), writes

    def starting(self) -> Touches:
        """The cells that starting or stopping touches; a full queue is seen from its head."""
        may_be_full = self.tail + 1 >= self.slots
        cleared = self.events.clearing(self.cdqid, OneShotEvent.QUEUE_FULL)
        return ((("head", self._key),) if may_be_full else ()), (self.log_key, *cleared)

    def resuming(self) -> Touches:
        """The cells that the target's resumption touches: it marks the next entry, if there is to be one."""
        return (self.log_key,), ((("tail", self._key),) if self.logging else ())

    def deleting(self) -> tuple[Key, ...]:
        """The cells that deleting the queue writes."""
        return ("tail", self._key), self.log_key, *self.events.clearing(self.cdqid, *OneShotEvent)

    def moving_head(self, head: int, *, arms: bool = False) -> Touches:
        """The cells that Set Features 21h touches: the entries that it gives up, and the head.

        `arms`: it sets a trigger, too, which entries that are posted later will meet.
        """
        count, tail = (head - self.head) % self.slots, (("tail", self._key),)
        if count > self.used:
            return tail, (("head", self._key),)
        entries = tuple(("slot", self._key, self.head + n) for n in range(count))
        cleared = self.events.clearing(self.cdqid, OneShotEvent.TAIL_POINTER)
        return (*entries, *(tail if arms else ())), (("head", self._key), *cleared)

    def reading_head(self) -> Touches:
        """The cells that Get Features 21h touches: head and trigger move together."""
        return (("head", self._key),), ()

    # -- what the controller does --------------------------------------------------------------------------

    def post(
        self,
        nsid: int = 0,
        slba: int = 0,
        blocks: int = 0,
        *,
        esa: EntrySpecial = EntrySpecial.ORDINARY,
        deallocated: bool = False,
        as_whole: bool = False,
    ) -> None:
        """Post one entry; `blocks` 0 makes it a marker without a range.

        `as_whole`: say that all LBs of the namespace changed, where the entry may (facts F-4: not with ESA 000b).

        The entry that fills the queue carries ESA 111b, whatever else it was to say, and ends logging (facts D.6,
        F-8).  A queue that is full already, or whose last entry was posted, takes none, even if the host makes room.
        """
        if self._engine.recorder is not None:
            self._record(self.posting())
        if not self.is_open or self.is_full:
            return
        if esa == EntrySpecial.ORDINARY and self.first_due:
            esa = EntrySpecial.FIRST
        self.first_due = False
        if self.used + 1 == self.slots - 1:
            esa = EntrySpecial.FULL
            self.logging = False
        if esa in (EntrySpecial.STOPPED, EntrySpecial.FULL):
            self.is_open = False
        change = LbaChange.RANGE if blocks else LbaChange.NONE
        if as_whole and esa != EntrySpecial.ORDINARY:
            change = LbaChange.ALL
        self._put(
            pack_mqe(nsid, slba, blocks, esa=esa, change=change, deallocated=deallocated, phase=self.phase)
        )
        if esa == EntrySpecial.FULL:
            self._engine.emit(("queue full", self.owner, self.cdqid))
            self.events.happen(OneShotEvent.QUEUE_FULL, self.cdqid)

    def _put(self, entry: bytes) -> None:
        """Write an entry at the tail."""
        slot = self.tail % self.slots
        address = self.pages[slot * MQE_BYTES // PAGE_BYTES] + slot * MQE_BYTES % PAGE_BYTES
        page, offset = self.space.dma_touch(address)
        page[offset : offset + MQE_BYTES] = entry
        self.tail += 1
        if slot == self.trigger:
            self.trigger = None
            self._engine.emit(("tail pointer", self.owner, self.cdqid, slot))
            self.events.happen(OneShotEvent.TAIL_POINTER, self.cdqid)
        if self._engine.telling:
            self._engine.emit(("entry", self.owner, self.cdqid, slot, entry))

    def mark(self, esa: EntrySpecial) -> None:
        """Post the marker `esa`, unless what it was to say has become untrue, or was said already."""
        self._record(self.marking(esa))
        if esa == EntrySpecial.FIRST:
            still_true = self.logging and self.first_due
        elif esa == EntrySpecial.STOPPED:
            still_true = not self.logging
        else:
            still_true = self.logging and not self.suspension_told
            self.suspension_told = True
        if still_true:
            self.post(esa=esa)

    def move_head(self, head: int) -> bool:
        """The host has consumed the entries before slot `head`; False when that slot holds no posted entry."""
        self._record(self.moving_head(head))
        count = (head - self.head) % self.slots
        if head >= self.slots or count > self.used:
            return False
        self.head += count
        if self._engine.telling:
            self._engine.emit(("head", self.owner, self.cdqid, head))
        return True

    def arm(self, trigger: int | None) -> None:
        """Set or take away the trigger; a Tail Pointer event that nobody was told of is forgotten."""
        self._record(((), (("head", self._key),)))
        self.trigger = trigger
        self.events.clear(self.cdqid, OneShotEvent.TAIL_POINTER)

    def start(self) -> None:
        """Tell of every change that takes effect from now on; a Full Error that nobody was told of is forgotten."""
        self._record(self.starting())
        self.events.clear(self.cdqid, OneShotEvent.QUEUE_FULL)
        self.logging = True
        self.is_open = True
        self.first_due = True

    def stop(self) -> None:
        """Tell of no change that takes effect from now on."""
        self._record(self.starting())
        self.logging = False

    def resume(self) -> None:
        """The target resumes: if it is still logged, its next entry says so."""
        self._record(self.resuming())
        self.suspension_told = False
        self.first_due = self.first_due or self.logging

    def delete(self) -> None:
        """Post nothing more: the memory is the host's again.

        Its events go with it, for the standard lets a new queue have its CDQID.
        """
        self._record(((), self.deleting()))
        self.events.clear(self.cdqid, *OneShotEvent)
        self.logging = False
        self.is_open = False

    def is_logging(self) -> bool:
        """Whether a change that takes effect now is to be told of."""
        self._record(((self.log_key,), ()))
        return self.logging

    def _record(self, touches: Touches) -> None:
        if self._engine.recorder is not None:
            self._engine.recorder.reads.update(touches[0])
            self._engine.recorder.writes.update(touches[1])

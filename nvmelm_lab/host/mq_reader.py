"""The host's end of the Migration Queue: entries are found by their phase tag, then given back by Set Features.

Source: Base 2.1, section 8.1.6; NVM Command Set 1.2, section 5.6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Kind, Touches, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.queue_pair import REAP_NS, RING_NS, SUBMIT_NS
from nvmelm_lab.host.work import HostWork
from nvmelm_lab.nvme import migration_commands
from nvmelm_lab.nvme.codes import EntrySpecial, LbaChange
from nvmelm_lab.nvme.structs import MQE, Mqe

if TYPE_CHECKING:
    from nvmelm_lab.host.driver import Driver

POLL_NS = 300
MQE_BYTES = 32


class QueueFull(InputError):
    """The Migration Queue filled up (ESA 111b): changes made since then were told to nobody."""


class MqReader:
    """The queue `cdqid` of `slots` entries at `base` in the memory of the managing host.

    driver
        The host's, on the MMC.
    key
        What the queue's cells are named by.
    nsids
        NSID -> LBAs of the namespaces that it can tell of.
    suspend_for_good
        Suspends the target once more and has the queue deleted: then its marker lies in memory.
    drained
        Entries consumed so far.
    is_deleted
        The queue is gone; what lies in memory can still be read.
    work
        What reading the queue has cost the host so far.
    """

    def __init__(
        self,
        driver: Driver,
        mmc: str,
        cdqid: int,
        base: int,
        slots: int,
        nsids: dict[int, int],
        suspend_for_good: Callable[[], Awaitable[None]],
    ) -> None:
        self.cdqid = cdqid
        self.slots = slots
        self.nsids = nsids
        self.suspend_for_good = suspend_for_good
        self.is_deleted = False
        self.drained = 0
        self.work = HostWork()
        self.driver = driver
        self.base = base
        self.key = (mmc, cdqid)
        self._poll = Kind(
            "poll",
            self._look,
            takes=POLL_NS,
            touches=self._looking,
            label=lambda _: f"{driver.name} looks at slot {self.drained % slots} of the Migration Queue",
        )

    async def drain(self, until: str | None = None) -> Changes:
        """Consume the entries that wait: up to an empty slot, or up to the marker ``"suspended"``/``"stopped"``.

        An SSD may post the marker of a suspension after the Suspend has completed (freedom 15), but not after a Suspend
        that deletes the queue: where the marker is not there yet, the queue is given up for it.  Raises QueueFull when
        the entry that says so is among them, and InputError when the queue runs empty before the marker was found.
        """
        wanted = {None: None, "suspended": EntrySpecial.SUSPENDED, "stopped": EntrySpecial.STOPPED}[until]
        changes = Changes(self.nsids)
        full = False
        while True:
            entry: Mqe | None = await do(self._poll)
            if entry is None:
                if until != "suspended" or self.is_deleted:
                    break
                await self.suspend_for_good()
                self.is_deleted = True
                continue
            changes.entries += 1
            if entry.change == LbaChange.ALL:
                changes.add(entry.nsid, 0, self.nsids[entry.nsid], deallocated=entry.deallocated)
            elif entry.blocks:
                changes.add(entry.nsid, entry.slba, entry.blocks, deallocated=entry.deallocated)
            full = full or entry.esa == EntrySpecial.FULL
            if full or (wanted is not None and entry.esa == wanted):
                break
        if changes.entries and not self.is_deleted:
            self.work.add(3, SUBMIT_NS + RING_NS + REAP_NS)
            await self.driver.command(
                "Set Features 21h", migration_commands.set_head(0, self.cdqid, self.drained % self.slots)
            )
        if full:
            raise QueueFull(
                "the Migration Queue is full: changes since then were not logged; copy from a new baseline"
            )
        if wanted is not None and (entry is None or entry.esa != wanted):
            raise InputError(f"the Migration Queue ran empty before its {until!r} marker was found")
        return changes

    # -- steps ---------------------------------------------------------------------------------------------

    def _peek(self) -> Mqe | None:
        page, offset = self.driver.space.look(self.base + self.drained % self.slots * MQE_BYTES)
        entry = Mqe._make(MQE.unpack_from(page, offset))
        return entry if entry.phase == 1 - (self.drained // self.slots & 1) else None

    def _looking(self, _subject: None) -> Touches:
        # A slot that is filled is touched alone; that nothing is there yet is what the next post changes.
        if self._peek() is None:
            return (("tail", self.key),), ()
        return (("slot", self.key, self.drained),), ()

    def _look(self, _subject: None) -> Mqe | None:
        recorder = self.driver.engine.recorder
        if recorder is not None:
            recorder.reads.update(self._looking(None)[0])
        self.work.add(1, POLL_NS)
        entry = self._peek()
        if entry is not None:
            self.drained += 1
            if self.driver.engine.telling:
                slot = (self.drained - 1) % self.slots
                self.driver.engine.emit(("consumed", self.key[0], self.cdqid, slot, *entry))
        return entry

"""Firmware that miscounts a full Migration Queue.

Right is `nvmelm_lab.ssd.migration_queue`: the entry that fills the queue says so (ESA 111b), and none follows it
until the host starts logging again.
"""

from __future__ import annotations

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import EntrySpecial, LbaChange
from nvmelm_lab.nvme.structs import pack_mqe
from nvmelm_lab.ssd.migration_queue import MigrationQueue


class MarksPastTheEnd(MigrationQueue):
    """Markers are posted without a look at the head; in a full queue that makes tail and head equal.

    It knows both as slots only, so equal means empty.
    """

    __slots__ = ()

    @property
    def used(self) -> int:
        """Entries that wait, as the slots of tail and head tell."""
        return (self.tail - self.head) % self.slots

    @property
    def is_full(self) -> bool:
        """Whether the tail is one slot behind the head."""
        return self.used == self.slots - 1

    def marking(self, esa: EntrySpecial) -> Touches:
        """The cells that `mark` touches: it writes even to a queue that is closed."""
        reads, writes = super().marking(esa)
        key = (self.owner, self.cdqid)
        return (*reads, ("head", key)), (*writes, ("tail", key), ("slot", key, self.tail))

    def mark(self, esa: EntrySpecial) -> None:
        """Post the marker, whatever the queue holds."""
        if not self.is_full:
            super().mark(esa)
            return
        self._record(self.marking(esa))
        self._put(pack_mqe(0, 0, 0, esa=esa, change=LbaChange.NONE, phase=self.phase))


class LogsOnAfterFull(MigrationQueue):
    """Full is said once: logging goes on by itself as soon as the head has moved."""

    __slots__ = ()

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
        """Post one entry; a queue that is full takes none until the host makes room."""
        logged_before = self.logging, self.is_open
        super().post(nsid, slba, blocks, esa=esa, deallocated=deallocated, as_whole=as_whole)
        if self.is_full:
            self.logging, self.is_open = logged_before

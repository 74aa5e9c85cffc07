"""The host's side of a Migration Queue, by hand: slots, phase tags, Set Features 21h."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from nvmelm_lab.nvme import Mqe, Status, unpack_mqe
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LogAction

if TYPE_CHECKING:
    from tests.ssd.door import Host


def entry_bytes(nsid: int, slba: int, blocks: int, attributes: int) -> bytes:
    """A Migration Queue Entry by hand: facts B.1."""
    return pack("<IIQ15xB", nsid, blocks - 1 if blocks else 0, slba, attributes)


class MigrationQueue:
    """The host's side of a Migration Queue: entries are found by their phase tag."""

    def __init__(self, host: Host, cdqid: int, base: int, slots: int) -> None:
        self.host = host
        self.cdqid = cdqid
        self.base = base
        self.slots = slots
        self.read = 0

    def track(self, action: LogAction) -> Status:
        """Track Send: start or stop."""
        return self.host.admin.status(lm.track_send(0, self.cdqid, action))

    def start(self) -> Status:
        """Track Send: start."""
        return self.track(LogAction.START)

    def stop(self) -> Status:
        """Track Send: stop."""
        return self.track(LogAction.STOP)

    def slot(self, number: int) -> bytes:
        """The 32 bytes of a slot, whatever they are."""
        return self.host.space.read(self.base + 32 * number, 32)

    def look(self) -> list[Mqe]:
        """The entries that are there, taken; the controller is not told."""
        found: list[Mqe] = []
        while len(found) < self.slots:
            entry = unpack_mqe(self.slot(self.read % self.slots))
            if entry.phase != 1 - (self.read // self.slots & 1):
                break
            self.read += 1
            found.append(entry)
        return found

    def tell(self, head: int | None = None) -> Status:
        """Set Features 21h: everything up to `head` (or to what was read) is consumed."""
        head = self.read % self.slots if head is None else head
        return self.host.admin.status(lm.set_head(0, self.cdqid, head))

    def take(self) -> list[Mqe]:
        """The entries that are there, taken and consumed."""
        found = self.look()
        assert self.tell() == Status.SUCCESS
        return found

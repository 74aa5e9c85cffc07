"""A sanitize operation: it empties all namespaces of the subsystem, in the background, whoever is reset meanwhile.

While it is under way hardly a command is carried out: none that looks at blocks, and none of a migration.  So it
overlaps with no suspension, no start of logging and no drain.  Sources: Base 2.1, sections 8.1.24 and 5.1 (Figure 142).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine import Kind, Touches, do
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.ssd import change_log

if TYPE_CHECKING:
    from nvmelm_lab.ssd.command import Change
    from nvmelm_lab.ssd.migration_queue import MigrationQueue
    from nvmelm_lab.ssd.subsystem import Subsystem

ALLOWED = frozenset(
    (
        AdminOpcode.DELETE_IO_SQ,
        AdminOpcode.CREATE_IO_SQ,
        AdminOpcode.DELETE_IO_CQ,
        AdminOpcode.CREATE_IO_CQ,
        AdminOpcode.IDENTIFY,
        AdminOpcode.ABORT,
        AdminOpcode.SET_FEATURES,
        AdminOpcode.GET_FEATURES,
        AdminOpcode.ASYNC_EVENT_REQUEST,
    )
)
"""The admin commands that are carried out meanwhile; all others end with Sanitize In Progress.

Get Log Page is one of the others: of the log pages that may be read meanwhile an SSD of the kit has none.
"""


class Sanitizer:
    """Carries out the sanitize operations of a subsystem, one at a time.

    key
        The cell "is one under way?".
    under_way
        Whether one is.
    """

    __slots__ = ("_count", "_empty", "_subsystem", "key", "under_way")

    def __init__(self, subsystem: Subsystem) -> None:
        self._subsystem = subsystem
        self._count = 0
        self.key: Key = ("sanitize", subsystem.name)
        self.under_way = False
        self._empty = Kind(
            "sanitize",
            lambda _: self._act(),
            takes=subsystem.timing.sanitize,
            touches=lambda _: self._ending(),
            label=lambda _: f"{subsystem.name} ended its sanitize operation: all namespaces are empty",
        )

    def starting(self) -> tuple[Key, ...]:
        """The cells that `start` writes: every command on blocks is refused from then on."""
        return (self.key, *self._all_blocks())

    def start(self) -> None:
        """Begin; the operation goes on after the command that asked for it has completed."""
        engine = self._subsystem.engine
        if engine.recorder is not None:
            engine.recorder.writes.update(self.starting())
        self.under_way = True
        for namespace in self._subsystem.namespaces.values():
            namespace.sanitizing = True
        engine.emit(("sanitizing", self._subsystem.name))
        self._count += 1
        engine.spawn(f"sanitize operation {self._count} of {self._subsystem.name}", self._operate())

    async def _operate(self) -> None:
        await do(self._empty)

    def _act(self) -> None:
        """Deallocate everything, tell of it, and let commands in again, all at once."""
        subsystem, engine = self._subsystem, self._subsystem.engine
        if engine.recorder is not None:
            engine.recorder.writes.update(self.starting())
        changes: list[Change] = []
        tell_all = subsystem.habits.no_change == "logged"
        for namespace in subsystem.namespaces.values():
            namespace.sanitizing = False
            if namespace.deallocate(0, namespace.blocks) or tell_all:
                changes.append((namespace.nsid, 0, namespace.blocks, True))
        self.under_way = False
        engine.emit(("changed", subsystem.name, "deallocated", "sanitize", tuple(changes)))
        for queue in subsystem.migration_queues.values():
            if queue.is_logging():
                change_log.post_changes(subsystem, queue, self._seen_by(queue, changes))

    def _seen_by(self, queue: MigrationQueue, changes: list[Change]) -> list[Change]:
        """The changes of namespaces that the queue's target has.

        No controller has made them by a command of its own.  They are told of as if each had: who relies on the
        queue would otherwise keep at the destination what the source has lost.
        """
        namespaces = self._subsystem.namespaces
        return [change for change in changes if queue.target in namespaces[change[0]].attached]

    def _ending(self) -> Touches:
        reads: tuple[Key, ...] = ()
        writes = self.starting()
        for queue in self._subsystem.migration_queues.values():
            reads += (queue.log_key,)
            if queue.logging:
                more = queue.posting(len(self._subsystem.namespaces))
                reads, writes = reads + more[0], writes + more[1]
        return reads, writes

    def _all_blocks(self) -> tuple[Key, ...]:
        namespaces = self._subsystem.namespaces.values()
        return tuple(key for each in namespaces for key in each.emptying())

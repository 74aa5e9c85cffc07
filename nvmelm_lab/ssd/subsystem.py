"""An NVM subsystem: one primary controller (MMC), secondary controllers (MC), namespaces, migration queues.

This is the SSD.  From outside it is touched only through its controllers' properties and doorbells, and through
the rings in the memory of whoever owns them.
"""

from __future__ import annotations

from collections.abc import Mapping

from nvmelm_lab.engine import Engine, Resource
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.errors import InputError
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.ssd.controller import Controller
from nvmelm_lab.ssd.freedoms import Habits
from nvmelm_lab.ssd.lba_status_log import LbaStatusLog
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.migration_queue import MigrationQueue
from nvmelm_lab.ssd.namespace import MAX_NAMESPACES, Namespace
from nvmelm_lab.ssd.parts import Parts
from nvmelm_lab.ssd.sanitizer import Sanitizer
from nvmelm_lab.ssd.timing import Timing
from nvmelm_lab.ssd.transitions import befall


class Subsystem:
    """One SSD.

    name
        Such as "source SSD"; names its cells.
    primary
        ``(name, memory)`` of the primary controller; its CNTLID is 1.
    secondary
        Name -> memory of each secondary controller; CNTLIDs follow from 2 on.
    capacity
        LBAs that its namespaces may have in all, of `block_bytes` bytes (512 or 4096) each.
    granularity
        TLBAAG: LBAs whose allocation is tracked as one.
    functions_enabled, functions
        VF Enable and NumVFs: the first so many secondary controllers may be online.  All of them from the start, as a
        host's platform leaves them.
    parts
        What it is built from; other parts make other firmware.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        primary: tuple[str, AddressSpace],
        secondary: Mapping[str, AddressSpace],
        *,
        capacity: int,
        block_bytes: int = 4096,
        granularity: int = 1,
        habits: Habits | None = None,
        timing: Timing | None = None,
        parts: Parts | None = None,
    ) -> None:
        if block_bytes not in (512, 4096):
            raise InputError(f"an LBA cannot have {block_bytes} bytes; give 512 or 4096")
        if granularity < 1:
            raise InputError(f"the granularity cannot be {granularity} LBAs; give 1 or more")
        self.engine = engine
        self.name = name
        self.capacity = capacity
        self.block_bytes = block_bytes
        self.granularity = granularity
        self.habits = habits if habits is not None else Habits()
        self.timing = timing if timing is not None else Timing()
        self.parts = parts if parts is not None else Parts()
        self.channels = [Resource(f"{name} channel {n}") for n in range(self.timing.channels)]
        self.namespaces: dict[int, Namespace] = {}
        self.migration_queues: dict[int, MigrationQueue] = {}
        self.resources_each = 16
        self.sanitizer = Sanitizer(self)
        self._last_cdqid = 0
        self.functions_enabled = True
        self.functions = len(secondary)
        self.primary = self.parts.controller(self, primary[0], 1, primary[1], primary=True)
        self.controllers = {1: self.primary}
        for cntlid, (secondary_name, space) in enumerate(secondary.items(), 2):
            self.controllers[cntlid] = self.parts.controller(
                self, secondary_name, cntlid, space, primary=False
            )
        self.lba_status_logs = {each.cntlid: LbaStatusLog(each) for each in self.controllers.values()}

    def free_blocks(self) -> int:
        """LBAs that no namespace has."""
        return self.capacity - sum(namespace.blocks for namespace in self.namespaces.values())

    def free_nsid(self) -> int | None:
        """The lowest namespace identifier that is free, or None."""
        return next((nsid for nsid in range(1, MAX_NAMESPACES + 1) if nsid not in self.namespaces), None)

    def free_cdqid(self) -> int:
        """An identifier for a new Migration Queue: freedom 17."""
        in_use = self.migration_queues.keys()
        first = 0
        if self.habits.queue_identifiers == "counting on":
            self._last_cdqid = first = self._last_cdqid % 0xFFFF + 1
        return next(cdqid for cdqid in range(first, 0x10000) if cdqid not in in_use)

    def create_namespace(self, nsid: int, blocks: int, *, shared: bool) -> None:
        """Make a namespace; every block is deallocated, no controller is attached."""
        self.namespaces[nsid] = self.parts.namespace(
            self.engine, self.name, nsid, blocks, self.block_bytes, self.granularity, shared
        )

    def deleting(self, queue: MigrationQueue) -> tuple[Key, ...]:
        """The cells that deleting a Migration Queue writes: its target's gate too, if a start of logging holds it."""
        target = self.controllers[queue.target]
        return (*queue.deleting(), target.fetch_gate.key) if target.held else queue.deleting()

    def delete_migration_queue(self, cdqid: int) -> None:
        """Forget a Migration Queue; nothing more is told through it."""
        queue = self.migration_queues.pop(cdqid)
        queue.delete()
        target = self.controllers[queue.target]
        target.migration_queue = None
        if target.held:
            target.hold_fetching(False)
        self.engine.emit(("queue deleted", queue.owner, cdqid))

    def stop_memory_tracking(self, target: Controller) -> None:
        """See no longer what `target` writes to memory, if it was seen."""
        if target.memory_tracking is None:
            return
        target.memory_tracking.stop()
        target.memory_tracking = None
        self.engine.emit(("memory tracking", self.primary.name, target.name, False))

    def primary_was_reset(self, event: Event) -> None:
        """`event`, a reset of the primary, ends what it logs and tracks, and its secondary controllers go offline."""
        for controller in self.controllers.values():
            self.stop_memory_tracking(controller)
        befall(self, event)

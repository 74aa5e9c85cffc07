"""A controller: its queues, resets, suspension, and the life of a fetched command.

Primary controllers (MMC) and secondary ones (MC) are the same machine; what sets the primary apart is the admin
commands that it accepts (see `admin.py`).  The host's only door is `read_property` and `write_property` (the
doorbells among them), and the rings in its own memory.  Source: Base 2.1, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Engine, Gate, Signal, Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme.codes import DOORBELLS
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import (
    admin,
    change_log,
    configuration,
    io_commands,
    properties,
    transitions,
)
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.entries import post_completion
from nvmelm_lab.ssd.events import Events
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.migration_steps import MigrationSteps
from nvmelm_lab.ssd.rings import MAX_QUEUE_ENTRIES, CompletionQueue, SubmissionQueue, write_doorbell

if TYPE_CHECKING:
    from nvmelm_lab.ssd.memory_tracking import MemoryTracking
    from nvmelm_lab.ssd.migration_queue import MigrationQueue
    from nvmelm_lab.ssd.state_intake import StateIntake
    from nvmelm_lab.ssd.subsystem import Subsystem

MIN_QUEUE_RESOURCES = 2
"""VQ resources that a secondary controller needs to go online: an admin and an I/O queue pair."""

_DNR = 1 << 14
_NO_LIMIT = 7
"""Arbitration Burst 111b."""


class Controller:
    """One controller of a subsystem.

    name, cntlid
        "X", "Y", ... as in the talk, and its Controller Identifier.
    space
        The memory that its DMA reaches: a host's for a primary, a guest's for a secondary controller.
    has_written
        Lets it be known that a completion was written to `space`.
    interrupt
        Called with ``(cqid, cids)`` when the CQEs of these commands have become visible to the host.
    online
        False: an offline secondary controller (Base 2.1, section 8.2.6.3).
    fetch_gate
        Open while the controller may fetch: online, ready, not suspended, not held back.
    held
        Track Send lets the commands in flight end before it starts logging.
    fetched, finished
        Commands ever fetched, and a signal that counts those of which nothing is to be posted any more.
    steps
        What it does as an MMC after a command's execution.
    migration_queue
        The UDMQ that tells of changes made through this controller, or None.
    memory_tracking
        What the MMC knows of the memory that this controller writes to, or None: it is not tracked.
    incoming
        Controller state received and not yet committed, or None.
    dnr
        The Do Not Retry bit of the statuses of commands that fail, as the SSD has the habit.
    arbitration
        What the host set with Set Features 01h (Base 2.1, section 5.1.25.1.1), as in CDW11.
    event_requests, events
        Asynchronous Event Requests that wait, in order, and the events that complete them.
    moving
        What moving a queue's position touches: none for a primary controller, as for `living`.
    living
        What every step of a command reads and every end of commands (a reset, Delete I/O SQ) writes: none for a
        primary controller, unless `reckon_with_resets` was called.
    """

    def __init__(
        self, subsystem: Subsystem, name: str, cntlid: int, space: AddressSpace, *, primary: bool
    ) -> None:
        self.subsystem = subsystem
        self.engine: Engine = subsystem.engine
        self.name = name
        self.cntlid = cntlid
        self.space = space
        self.has_written: Callable[[int], None] = space.dma_has_written
        self.primary = primary
        self.interrupt: Callable[[int, Sequence[int]], None] | None = None
        self.online = primary
        self.queue_resources = 0
        self.interrupt_resources = 0
        self.suspended = False
        self.held = False
        self.fetch_gate = Gate(self.engine, f"fetch of {name}", is_open=False)
        self.migration_queue: MigrationQueue | None = None
        self.memory_tracking: MemoryTracking | None = None
        self.incoming: StateIntake | None = None
        self.max_queue_entries = MAX_QUEUE_ENTRIES
        self.cc = 0
        self.csts = 0
        self.aqa = 0
        self.asq = 0
        self.acq = 0
        self.arbitration = 0
        self.sqs: dict[int, SubmissionQueue] = {}
        self.cqs: dict[int, CompletionQueue] = {}
        self.in_flight: dict[Command, None] = {}
        self.event_requests: dict[Command, None] = {}
        self.events = Events(self)
        self.fetched = 0
        self.finished = Signal(self.engine, f"the commands of {name}")
        self.log_key = ("log", name)
        self.dnr = _DNR if subsystem.habits.do_not_retry == "set" else 0
        self.steps = MigrationSteps(self)
        # Nobody can ask for the state of a primary controller, nor suspend it: that needs no cells.
        self.moving: Touches = ((), ())
        self.living: tuple[Key, ...] = ()
        if not primary:
            self.reckon_with_resets()
        steps = subsystem.parts.command_steps(self)
        self.fetch, self.execute, self.execute_admin = steps.fetch, steps.execute, steps.execute_admin
        self.serve, self.post_entries, self.complete = steps.serve, steps.post_entries, steps.complete
        self._fetch_from, self.tell_and_complete = steps.fetch_from, steps.tell_and_complete

    # -- the door ------------------------------------------------------------------------------------------

    def write_property(self, offset: int, value: int) -> None:
        """The host writes a property or a doorbell.  Nonsense is ignored, as hardware would."""
        if not self.online:
            self.record((self.living, ()))
        elif offset >= DOORBELLS:
            if self.engine.recorder is not None:
                self.record(self.moving)
            write_doorbell(self, offset - DOORBELLS, value)
        else:
            properties.write(self, offset, value)

    def read_property(self, offset: int) -> int:
        """The host reads a property; an offline secondary controller shows CSTS.CFS alone."""
        return properties.read(self, offset)

    def write_configuration(self, offset: int, value: int) -> None:
        """The host writes a register of the function's configuration space."""
        configuration.write(self, offset, value)

    def read_configuration(self, offset: int) -> int:
        """The host reads a register of the function's configuration space."""
        return configuration.read(self, offset)

    def configuration_touches(self, offset: int) -> Touches:
        """The cells that writing the register at `offset` may touch."""
        return configuration.touches(self, offset)

    def property_touches(self, offset: int) -> Touches:
        """The cells that writing the property at `offset` may touch."""
        return properties.touches(self, offset)

    def doorbell_touches(self) -> Touches:
        """What a doorbell write touches: the queues' positions, which Migration Receive reads."""
        return self.moving if self.online else (self.living, ())

    def state_touches(self) -> Touches:
        """What reading or replacing the queues' positions touches.

        Fetches, completions and doorbells move positions and commute with each other; only against this do they
        race.  Hence they count as reading the cell, and this as writing it.
        """
        return (), self.moving[0]

    def ending_touches(self) -> Touches:
        """What ending its commands before their time touches: every step of theirs comes before it or never."""
        return (), (*self.moving[0], *self.living)

    def reckon_with_resets(self) -> None:
        """Tell the steps of its commands from a reset of it, for who looks at their order.

        So it is for secondary controllers from the start.  A primary controller's steps would be points of choice
        for nothing wherever nobody resets it: a scenario that does says so.
        """
        self.moving = (("state", self.name),), ()
        self.living = (("living", self.name),)

    # -- life cycle ----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """CC.EN went from 1 to 0: a Controller Level Reset, of the primary with all that hangs on it."""
        if self.primary:
            transitions.end_everything(self)
            self.subsystem.primary_was_reset(Event.MMC_RESET)
        else:
            transitions.undergo(self, Event.RESET)

    def end_commands(self) -> None:
        """End all commands where they stand, and answer none; what they have changed is told of."""
        self.record(self.ending_touches())
        for command in self.in_flight:
            self._stop(command)
        self.in_flight.clear()
        self.events.reset()
        self.finished.raise_to(self.fetched)

    def set_suspended(self, suspended: bool) -> None:
        """Stop or restart fetching."""
        self.suspended = suspended
        self.move_gate()
        if not suspended and self.migration_queue is not None:
            self.migration_queue.resume()
        self.engine.emit(("suspended" if suspended else "resumed", self.name))

    def is_suspended(self) -> bool:
        """Whether it is suspended, as a step asks."""
        self.record(((self.fetch_gate.key,), ()))
        return self.suspended

    def hold_fetching(self, held: bool) -> None:
        """Keep the controller from fetching for a while, for a reason of the MMC's own."""
        self.held = held
        self.move_gate()

    @property
    def may_go_online(self) -> bool:
        """Whether it has the resources for an admin and an I/O queue pair, and its function is enabled."""
        equipped = self.queue_resources >= MIN_QUEUE_RESOURCES and self.interrupt_resources > 0
        exists = self.subsystem.functions_enabled and self.cntlid - 1 <= self.subsystem.functions
        return equipped and exists

    def became_ready(self) -> None:
        """CSTS.RDY has been set: fetch."""
        self.move_gate()

    def was_shut_down(self) -> None:
        """CC.SHN has been written; with the primary its secondary controllers go (Base 2.1, section 8.2.6.3)."""
        self.move_gate()
        if self.primary:
            transitions.befall(self.subsystem, Event.MMC_SHUT_DOWN)

    def move_gate(self) -> None:
        """Open or close the fetch gate, as the controller's state demands."""
        transitions.move_gate(self)

    def create_sq(self, queue: SubmissionQueue) -> None:
        """Add a Submission Queue and start fetching from it."""
        self.sqs[queue.qid] = queue
        queue.cq.sharers += 1
        queue.fetcher = self.engine.spawn(queue.name, self._fetch_from(queue))
        queue.fetcher.again = partial(self._fetch_from, queue)

    def delete_sq(self, qid: int) -> None:
        """Stop fetching from a Submission Queue and forget it."""
        queue = self.sqs.pop(qid)
        queue.cq.sharers -= 1
        self.engine.stop(queue.name)

    @property
    def burst(self) -> int:
        """How many commands it may take from a queue at once; whoever looks at single steps sees one by one."""
        power = self.arbitration & _NO_LIMIT
        return self.max_queue_entries if power == _NO_LIMIT else 1 << power

    @property
    def interrupt_limit(self) -> int:
        """How many interrupt vectors it has."""
        return 64 if self.primary else self.interrupt_resources

    def abort_commands(self, queue: SubmissionQueue) -> None:
        """End the commands in flight from `queue` with Command Aborted due to SQ Deletion, at once."""
        self.record(self.ending_touches())
        for command in [command for command in self.in_flight if command.queue is queue]:
            self.end(command, Status.ABORTED_SQ_DELETION | self.dnr)

    def end(self, command: Command, status: int) -> None:
        """End a command in flight where it stands, with `status` if it has not completed."""
        self._stop(command)
        if not command.completed:
            post_completion(self, command, status)
        self.finish(command)

    def awaits_execution(self, command: Command) -> bool:
        """Whether a command in flight has not been executed, so that it can still end as if it had never been."""
        kind = self.engine.actors[command.name].kind if command.name in self.engine.actors else None
        return kind in (self.execute, self.execute_admin) and command not in self.events.admitted

    def _stop(self, command: Command) -> None:
        """End a command where it stands; what it has changed is told of."""
        self.engine.stop(command.name)
        if command.is_parted:
            self.engine.stop(command.completer)
        if not command.told:
            change_log.post(self, command)

    async def drain(self) -> None:
        """Wait until all commands fetched so far are done, entries too; nothing may be fetched meanwhile."""
        await self.finished.wait(self.fetched)

    def describe(self, command: Command) -> str:
        """The command in words."""
        return io_commands.describe(command) if command.queue.qid else admin.describe(command)

    def claiming(self, cq: CompletionQueue) -> tuple[Key, ...]:
        """The cells that taking a slot of `cq` writes: events take theirs when they happen, as if they were a queue."""
        contended = cq.room <= 1 and (cq.sharers > 1 or cq.qid == 0)
        return (("room", self.name, cq.qid),) if contended else ()

    def finish(self, command: Command) -> None:
        """The command is no longer in flight: all that it had to post is posted, or it has nothing but to wait."""
        del self.in_flight[command]
        self.finished.count()

    def record(self, touches: Touches) -> None:
        """Note for explorers and audits what the present step touched."""
        if self.engine.recorder is not None:
            self.engine.recorder.reads.update(touches[0])
            self.engine.recorder.writes.update(touches[1])

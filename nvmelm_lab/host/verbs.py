"""The verbs of a live migration, for VMMs that learners write: ``async def migrate(vm, source, destination, tasks)``.

Each verb is awaited, and is one command of the standard or the few that it asks for in a row; it returns when they
have completed.  The destination is prepared when `migrate` begins: its namespaces are there, its controller is online
and enabled by nobody.  `reference_vmm.py` in the races shows all of them at work.

Sources: Base 2.1, section 8.1.12.1 (how hosts migrate a controller) and the sections that each verb names; NVM Command
Set 1.2.  Nothing here knows in which order the verbs are right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.buffers import Buffer
from nvmelm_lab.host.changes import Changes, Extent
from nvmelm_lab.host.copier import Lane
from nvmelm_lab.host.driver import check, status_of
from nvmelm_lab.host.link import Blocks
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.mq_reader import MqReader, QueueFull
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.host.tasks import Desk, Tasks
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.status import Status

__all__ = ["Data", "Destination", "Mq", "QueueFull", "Ranges", "Source", "Unreadable", "Vm", "verbs_of"]

MARKERS = ("suspended", "stopped")
"""Up to which markers a Migration Queue can be drained."""


class Unreadable(InputError):
    """A Read ended with Unrecovered Read Error: at least one of its LBAs cannot be read."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a Read returned: the content of one LBA after the other, as opaque values that can be compared."""

    values: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.values)


class Ranges:
    """LBAs that have to be copied, or deallocated at the destination: what `drain`, `lba_status` and `whole` give.

    Each LBA counts once, however often it was told of, with what was told last.  ``for extent in ranges`` gives runs
    of LBAs, none longer than one copy carries.
    """

    __slots__ = ("_changes", "_longest")

    def __init__(self, changes: Changes, longest: int) -> None:
        self._changes = changes
        self._longest = longest

    @property
    def blocks(self) -> int:
        """LBAs that have to be read and written."""
        return self._changes.blocks_to_copy

    @property
    def entries(self) -> int:
        """Entries of the Migration Queue that told of them, markers included."""
        return self._changes.entries

    def __iter__(self) -> Iterator[Extent]:
        return self._changes.extents(self._longest)

    def __bool__(self) -> bool:
        return bool(self._changes)

    def __or__(self, later: object) -> Ranges:
        """Both; what `later` says of an LBA counts."""
        if not isinstance(later, Ranges):
            return NotImplemented
        both = Changes(self._changes.nsids)
        both.merge(self._changes)
        both.merge(later._changes)
        return Ranges(both, self._longest)

    def __repr__(self) -> str:
        told = (
            f"{'deallocated ' * each.deallocated}LBA {each.slba}"
            + (f" to {each.slba + each.blocks - 1}" if each.blocks > 1 else "")
            for each in self
        )
        return f"Ranges({', '.join(told)})"


class Mq:
    """The Migration Queue in which the source tells what changes: what `source.create_mq` gives."""

    def __init__(self, desk: Desk, reader: MqReader) -> None:
        self.reader = reader
        self._desk = desk
        self._is_drained = False

    async def drain(self, until: str | None = None) -> Ranges:
        """Consume the entries that lie in the queue, and give their slots back (Set Features 21h).

        until
            None: up to the first empty slot.  ``"suspended"``, ``"stopped"``: up to the entry with which the SSD says
            that there are no more, and that only comes after a Suspend or a Track Send that stops logging.

        Raises QueueFull when the queue has filled up: later changes were told to nobody, and logging has stopped.
        Raises InputError when the queue runs empty before the marker, for another `until`, and when it is drained by
        two tasks at once.  Base 2.1, sections 8.1.6 and 5.1.25.1.23; NVM Command Set 1.2, section 5.6.
        """
        if until is not None and until not in MARKERS:
            raise InputError(
                f"a queue cannot be drained until {until!r}; leave it out, or give {' or '.join(map(repr, MARKERS))}"
            )
        if self._is_drained:
            raise InputError("two tasks drain one Migration Queue at once; let one of them do it")
        desk = self._desk
        if until is None and desk.phase == "Initial copy":
            desk.enter("Iterate")
        self._is_drained = True
        try:
            changes = await self.reader.drain(until)
        finally:
            self._is_drained = False
        await desk.delivered()
        desk.migration.progress.entries += changes.entries
        return Ranges(changes, desk.move.copier.chunk)


class Vm:
    """The virtual machine that migrates."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def pause(self) -> None:
        """Let its virtual processors stand still; commands that are in flight go on.  From here on it is down."""
        desk = self._desk
        desk.enter("Suspend")
        await desk.move.pause()
        await desk.delivered()

    async def copy_memory(self) -> None:
        """Bring its memory to the other host, as it is now; SQEs and CQEs on its rings go along."""
        desk = self._desk
        desk.enter("State")
        await desk.move.memory.finish()
        await desk.delivered()

    async def start(self, where: Source | Destination) -> None:
        """Let its virtual processors run at `where`: the destination, or the source again.  Here its downtime ends.

        Completions that nobody has noticed meanwhile are noticed now.
        """
        desk = self._desk
        if isinstance(where, Destination):
            await desk.move.start()
        elif isinstance(where, Source):
            await desk.move.vm.start()
        else:
            raise InputError(f"start takes `destination` or `source`; this is {where!r}")
        await desk.delivered()


class Source:
    """The controller that the VM uses now, its namespaces, and what its SSD tells of them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create_mq(self, entries: int = 128) -> Mq:
        """Create a Migration Queue (Controller Data Queue) of `entries` slots, 32 bytes each.

        A small scenario has a smaller queue: there it gets no more slots than the scenario says.
        Base 2.1, section 5.1.4.  InputError when `entries` is no number from 2 on.
        """
        if not isinstance(entries, int) or isinstance(entries, bool) or entries < 2:
            raise InputError(
                f"a Migration Queue cannot have {entries!r} entries; give a whole number from 2 on"
            )
        desk = self._desk
        desk.enter("Start logging")
        migration = desk.migration
        migration.mq = await self._side.create_mq(min(entries, migration.plan.queue_entries))
        await desk.delivered()
        return Mq(desk, migration.mq)

    async def track_send(self, mq: Mq, *, start: bool) -> None:
        """Start or stop telling of user data changes in `mq`.

        From its completion on, every change is told of.  Base 2.1, section 5.1.27.
        """
        await self._side.track_send(_reader_of(mq), start=start)
        await self._desk.delivered()

    async def delete_mq(self, mq: Mq) -> None:
        """Delete the Migration Queue.  Base 2.1, section 5.1.4."""
        await self._side.delete_mq(_reader_of(mq))
        await self._desk.delivered()

    async def lba_status(self) -> Ranges:
        """The LBAs that are allocated, at the SSD's granularity: what a copy from nothing has to bring over.

        NVM Command Set 1.2, section 4.2.1 (Get LBA Status).
        """
        desk = self._desk
        desk.enter("Initial copy")
        changes = await self._side.lba_status()
        await desk.delivered()
        return Ranges(changes, desk.move.copier.chunk)

    async def whole(self) -> Ranges:
        """Every LBA of its namespaces: the same for who does not ask what is allocated.  Not a command."""
        self._desk.enter("Initial copy")
        return Ranges(self._side.whole(), self._desk.move.copier.chunk)

    async def read(self, extent: Extent) -> Data:
        """Read the LBAs of `extent` through the primary controller's own queues (attached to the same namespaces).

        Raises Unreadable when one of them cannot be read; NVM Command Set 1.2, section 3.3.4.
        """
        desk = self._desk
        lane = await _lane(desk, extent)
        return await _read(desk, extent, lane.source, lane.source_buffer, self._side.driver.space)

    async def suspend(self) -> None:
        """Stop the controller from fetching commands; those in flight have completed when this returns.

        Base 2.1, section 5.1.17 (Migration Send, Suspend).
        """
        desk = self._desk
        desk.enter("Suspend")
        desk.move.may_be_suspended = True
        await self._side.suspend()
        await desk.delivered()

    async def resume(self) -> None:
        """Let the controller fetch commands again.  Base 2.1, section 5.1.17 (Migration Send, Resume)."""
        await self._side.resume()
        await self._desk.delivered()

    async def get_state(self) -> bytes:
        """The controller's state: its queues, where they are, and what the vendor adds.

        Only what a suspended controller says of itself is consistent.  Base 2.1, section 5.1.16 (Migration Receive).
        """
        desk = self._desk
        desk.enter("State")
        state = await self._side.get_state()
        desk.move.progress.state = state
        await desk.delivered()
        return state

    @property
    def _side(self) -> ManagedController:
        desk = self._desk
        return desk.here.sides(desk.move)[0]

    def __getattr__(self, name: str) -> NoReturn:
        _no_such(name, "source", Source, "destination", Destination)


class Destination:
    """The controller that the VM will use, and its namespaces: as many and as large as at the source, empty."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def write(self, extent: Extent, data: Data) -> None:
        """Bring `data` over the link, and write it to the LBAs of `extent`.  NVM Command Set 1.2, section 3.3.6."""
        desk = self._desk
        lane = await _lane(desk, extent)
        if not isinstance(data, Data) or len(data) != extent.blocks:
            raise InputError(f"write needs what was read of its {extent.blocks} LBAs; this is {data!r}")
        here, there = desk.move.source.driver.space, desk.move.destination.driver.space
        sent = Blocks(here, lane.source_buffer.address, there, lane.destination_buffer.address, extent.blocks)
        here.write_stamps(lane.source_buffer.address, list(data.values))
        copier = desk.move.copier
        await copier.link.send_blocks(sent)
        prp = lane.destination_buffer.prp(extent.blocks * copier.block_bytes)
        sqe = commands.write(0, extent.nsid, extent.slba, extent.blocks, *prp)
        check(f"Write of LBA {extent.slba}, {extent.blocks} blocks", await lane.destination.run(sqe))
        copier.copied += extent.blocks
        await desk.delivered()

    async def deallocate(self, extent: Extent) -> None:
        """Deallocate the LBAs of `extent`: they read as zeros then.  NVM Command Set 1.2, section 3.3.3."""
        desk = self._desk
        await desk.move.copier.deallocate(await _lane(desk, extent), extent)
        await desk.delivered()

    async def write_uncorrectable(self, extent: Extent) -> None:
        """Mark the LBAs of `extent` as unreadable, as they are at the source.  NVM Command Set 1.2, section 3.3.7."""
        desk = self._desk
        lane = await _lane(desk, extent)
        sqe = commands.write_uncorrectable(0, extent.nsid, extent.slba, extent.blocks)
        check(f"Write Uncorrectable of LBA {extent.slba}", await lane.destination.run(sqe))
        desk.move.copier.unreadable += extent.blocks
        await desk.delivered()

    async def read(self, extent: Extent) -> Data:
        """Read the LBAs of `extent` back.  Raises Unreadable when one of them cannot be read."""
        desk = self._desk
        lane = await _lane(desk, extent)
        space = self._side.driver.space
        return await _read(desk, extent, lane.destination, lane.destination_buffer, space)

    async def suspend(self) -> None:
        """Stop the controller from fetching commands.  `set_state` sees to it by itself."""
        await self._side.suspend()
        await self._desk.delivered()

    async def set_state(self, state: bytes) -> None:
        """Give the controller a state that `source.get_state` gave.

        It is suspended first: it has served nobody yet, and the standard takes a state for a controller that is
        suspended.  Base 2.1, section 5.1.17 (Migration Send, Set Controller State).
        """
        if not isinstance(state, bytes):
            raise InputError(f"set_state takes what source.get_state() gave; this is {state!r}")
        desk = self._desk
        desk.enter("State")
        await self._side.suspend()
        await self._side.set_state(state)
        await desk.delivered()

    async def resume(self) -> None:
        """Let the controller fetch what lies on the rings that came with the VM's memory.  Base 2.1, section 5.1.17."""
        desk = self._desk
        desk.enter("Resume")
        desk.move.may_be_resumed = True
        await self._side.resume()
        await desk.delivered()

    @property
    def _side(self) -> ManagedController:
        desk = self._desk
        return desk.here.sides(desk.move)[1]

    def __getattr__(self, name: str) -> NoReturn:
        _no_such(name, "destination", Destination, "source", Source)


def verbs_of(desk: Desk) -> tuple[Vm, Source, Destination, Tasks]:
    """What `migrate` takes, for the migration that is on this desk; its destination is prepared."""
    return Vm(desk), Source(desk), Destination(desk), Tasks(desk)


async def _lane(desk: Desk, extent: Extent) -> Lane:
    """Where the task that is going on reads and writes; `extent` must be one that a copy can carry."""
    move = desk.move
    if not isinstance(extent, Extent):
        raise InputError(
            f"this verb takes one extent, such as `for extent in ranges` gives; this is {extent!r}"
        )
    most = move.copier.chunk
    if not (extent.deallocated or 1 <= extent.blocks <= most):
        raise InputError(f"a copy cannot carry {extent.blocks} LBAs at once; here it carries 1 to {most}")
    if not 0 <= extent.slba <= extent.slba + extent.blocks <= move.nsids.get(extent.nsid, -1):
        raise InputError(f"there are no such LBAs: {extent}")
    return await desk.lane()


async def _read(desk: Desk, extent: Extent, queue: QueuePair, buffer: Buffer, space: AddressSpace) -> Data:
    prp = buffer.prp(extent.blocks * desk.move.copier.block_bytes)
    cqe = await queue.run(commands.read(0, extent.nsid, extent.slba, extent.blocks, *prp))
    if status_of(cqe) == Status.UNRECOVERED_READ_ERROR:
        await desk.delivered()
        raise Unreadable(f"LBA {extent.slba}, {extent.blocks} blocks: at least one of them cannot be read")
    check(f"Read of LBA {extent.slba}, {extent.blocks} blocks", cqe)
    data = Data(tuple(space.read_stamps(buffer.address, extent.blocks)))
    await desk.delivered()
    return data


def _reader_of(mq: Mq) -> MqReader:
    if not isinstance(mq, Mq):
        raise InputError(f"this verb takes the queue that source.create_mq() gave; this is {mq!r}")
    return mq.reader


def _no_such(name: str, this: str, its: type, other: str, others: type) -> NoReturn:
    if not name.startswith("_") and name in vars(others):
        raise InputError(f"{name} is nothing that the {this} can be asked; did you mean {other}.{name}(...)?")
    known = [each for each in vars(its) if not each.startswith("_")]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {this}.{near[0]}(...)?" if near else f"it has {', '.join(known)}"
    raise AttributeError(f"the {this} has no {name}; {hint}")

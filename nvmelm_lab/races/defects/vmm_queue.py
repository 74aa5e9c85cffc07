"""VMMs that read the Migration Queue wrongly: entries given back unread, and what an overflow means."""

from __future__ import annotations

from contextlib import suppress

from nvmelm_lab.engine import Kind, Touches, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.mq_reader import MQE_BYTES, MqReader
from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, Mq, QueueFull, Ranges, Source, Vm
from nvmelm_lab.nvme import MQE, Mqe
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import EntrySpecial
from nvmelm_lab.races.defects.steps import copy, hand_over, last_changes, logged_and_copied, stop_and_copy


async def ignores_the_overflow(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """A queue that was full is drained like any other, and the VMM goes on."""

    async def what_is_there(mq: Mq) -> Ranges:
        try:
            return await mq.drain()
        except QueueFull:
            return await mq.drain()

    mq = await logged_and_copied(source, destination, tasks)
    await copy(source, destination, tasks, await what_is_there(mq))
    await vm.pause()
    await source.suspend()
    await copy(source, destination, tasks, await what_is_there(mq))
    await hand_over(vm, source, destination)


async def copies_before_it_logs_again(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """After an overflow everything is copied first, and then logging starts again."""
    mq = await logged_and_copied(source, destination, tasks)
    try:
        await copy(source, destination, tasks, await mq.drain())
    except QueueFull:
        await copy(source, destination, tasks, await source.whole())
        await source.track_send(mq, start=True)
    await stop_and_copy(vm, source, destination, tasks, mq)
    await hand_over(vm, source, destination)


async def copies_only_what_is_allocated_again(
    vm: Vm, source: Source, destination: Destination, tasks: Tasks
) -> None:
    """After an overflow what is allocated is copied anew; what was deallocated meanwhile stays at the destination."""
    mq = await logged_and_copied(source, destination, tasks)
    try:
        await copy(source, destination, tasks, await mq.drain())
    except QueueFull:
        await source.track_send(mq, start=True)
        await copy(source, destination, tasks, await source.lba_status())
    await vm.pause()
    await source.suspend()
    try:
        await copy(source, destination, tasks, await mq.drain(until="suspended"))
    except QueueFull:
        await copy(source, destination, tasks, await source.lba_status())
    await hand_over(vm, source, destination)


async def trusts_the_marker(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """Right: after an overflow nothing is logged, so no marker follows the Suspend, and then everything is copied.

    With an SSD that goes on logging the marker comes, as if nothing had been left out.
    """
    mq = await logged_and_copied(source, destination, tasks)
    with suppress(QueueFull):
        await copy(source, destination, tasks, await mq.drain())
    await vm.pause()
    await source.suspend()
    try:
        changed = await mq.drain(until="suspended")
    except InputError:
        changed = await source.whole()
    await copy(source, destination, tasks, changed)
    await hand_over(vm, source, destination)


async def gives_entries_back_unread(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The head is moved behind all entries that wait, to make room soon, and then they are read."""
    mq = await logged_and_copied(source, destination, tasks)
    try:
        await copy(source, destination, tasks, Ranges(await _HeadFirst(mq.reader).drain(), 1))
    except QueueFull:
        await source.track_send(mq, start=True)
        await copy(source, destination, tasks, await source.whole())
    await vm.pause()
    await source.suspend()
    await copy(source, destination, tasks, await last_changes(source, mq))
    await hand_over(vm, source, destination)


class _HeadFirst:
    """Counts the entries that wait, gives them back, and reads them then."""

    def __init__(self, reader: MqReader) -> None:
        self._reader = reader
        self._space = reader.driver.space
        self._count = Kind(
            "poll",
            lambda _: self._counted(),
            touches=lambda _: self._counting(),
            label=lambda _: "the VMM counts the entries that wait in the Migration Queue",
        )
        self._read = Kind(
            "poll",
            self._entry,
            touches=self._reading,
            label=lambda position: f"the VMM reads slot {position % reader.slots} of the Migration Queue",
        )

    async def drain(self) -> Changes:
        """What the entries say that lie there when they are read.  Raises QueueFull when one says so."""
        reader = self._reader
        first, count = reader.drained, await do(self._count)
        changes = Changes(reader.nsids)
        if not count:
            return changes
        reader.drained += count
        sqe = lm.set_head(0, reader.cdqid, reader.drained % reader.slots)
        await reader.driver.command("Set Features 21h", sqe)
        for position in range(first, first + count):
            entry = await do(self._read, position)
            if entry.blocks:
                changes.add(entry.nsid, entry.slba, entry.blocks, deallocated=entry.deallocated)
            if entry.esa == EntrySpecial.FULL:
                raise QueueFull("the Migration Queue is full; copy from a new baseline")
        return changes

    def _look(self, position: int) -> Mqe:
        reader = self._reader
        data = self._space.read(reader.base + position % reader.slots * MQE_BYTES, MQE_BYTES)
        return Mqe._make(MQE.unpack(data))

    def _waiting(self) -> int:
        reader, count = self._reader, 0
        while count < reader.slots:
            position = reader.drained + count
            if self._look(position).phase != 1 - (position // reader.slots & 1):
                break
            count += 1
        return count

    def _counting(self) -> Touches:
        """How many wait is what the next post changes."""
        return (("tail", self._reader.key),), ()

    def _counted(self) -> int:
        self._note(self._counting())
        return self._waiting()

    def _reading(self, position: int) -> Touches:
        """The slot, and what may be written over it one lap later."""
        key = self._reader.key
        return (("slot", key, position), ("slot", key, position + self._reader.slots)), ()

    def _entry(self, position: int) -> Mqe:
        self._note(self._reading(position))
        return self._look(position)

    def _note(self, touches: Touches) -> None:
        recorder = self._reader.driver.engine.recorder
        if recorder is not None:
            recorder.reads.update(touches[0])

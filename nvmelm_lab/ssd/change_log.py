"""From a command's changes to entries of the Migration Queue: what is told, and how.

Source: NVM Command Set 1.2, section 5.6; where that is free, `freedoms.py` has a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches

if TYPE_CHECKING:
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.ssd.command import Change, Command
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.freedoms import Habits
    from nvmelm_lab.ssd.migration_queue import MigrationQueue
    from nvmelm_lab.ssd.subsystem import Subsystem


def decide(controller: Controller, command: Command) -> None:
    """As the changes take effect: are they to be told of?"""
    if controller.engine.recorder is not None:
        controller.engine.recorder.reads.add(controller.log_key)
    queue = controller.migration_queue
    if queue is not None and queue.logging:
        command.log = queue
        command.told = False
        queue.decided += 1


def posting(controller: Controller, commands: Iterable[Command]) -> Touches:
    """The cells that `post` touches for all of these in turn; none when there is nothing to tell, or it was told."""
    reads: tuple[Key, ...] = ()
    writes: tuple[Key, ...] = ()
    entries: Counter[MigrationQueue] = Counter()
    for command in commands:
        if command.told:
            continue
        assert command.log is not None
        changes = _merged(controller.subsystem.habits, command.changes)
        entries[command.log] += len(changes)
        for nsid, slba, blocks, deallocated in changes:
            namespace = controller.subsystem.namespaces.get(nsid)
            if deallocated and namespace is not None:
                reads += namespace.asking(slba, blocks)[0]
    for queue, count in entries.items():
        more = queue.posting(count)
        reads, writes = reads + more[0], writes + more[1]
        if controller.subsystem.habits.aggregation == "several commands":
            # Which commands wait to be told of depends on which have been executed, and those read this cell.
            writes = (*writes, queue.log_key)
    return reads, writes


def post(controller: Controller, command: Command) -> None:
    """Post the entries of a command whose changes have taken effect.

    A queue that filled up meanwhile, or was deleted, tells of nothing more: they are lost to the host.
    """
    queue = command.log
    assert queue is not None
    if command.told:
        return
    changes = command.changes
    if changes and controller.subsystem.habits.aggregation == "several commands":
        changes = _with_followers(controller, command, queue)
    post_changes(controller.subsystem, queue, changes)
    command.told = True
    queue.told.count()


def _with_followers(controller: Controller, command: Command, queue: MigrationQueue) -> tuple[Change, ...]:
    """The command's changes; the last goes on with those of commands that wait to be told of, which are told so."""
    *before, (nsid, slba, blocks, deallocated) = command.changes
    waiting = {
        change[1]: (other, change)
        for other in controller.in_flight
        if other is not command and other.log is queue and not other.told and len(other.changes) == 1
        for change in other.changes
        if change[0] == nsid and change[3] == deallocated
    }
    while slba + blocks in waiting:
        other, change = waiting.pop(slba + blocks)
        blocks += change[2]
        other.told = True
        queue.told.count()
    return (*before, (nsid, slba, blocks, deallocated))


def post_changes(subsystem: Subsystem, queue: MigrationQueue, changes: Sequence[Change]) -> None:
    """Post the entries of changes that have taken effect.

    DLBA says that the blocks *are* deallocated: a write, or the namespace's end, may have come between.
    """
    for nsid, slba, blocks, deallocated in _merged(subsystem.habits, changes):
        namespace = subsystem.namespaces.get(nsid)
        if deallocated and namespace is not None:
            deallocated = namespace.is_deallocated(slba, blocks)
        whole = namespace is not None and (slba, blocks) == (0, namespace.blocks)
        as_whole = whole and subsystem.habits.whole_namespace == "all LBs"
        queue.post(nsid, slba, blocks, deallocated=deallocated, as_whole=as_whole)


def _merged(habits: Habits, changes: Sequence[Change]) -> list[Change]:
    flagged = habits.deallocation_flag == "flagged"
    merged: list[Change] = []
    for nsid, slba, blocks, deallocated in changes:
        deallocated = deallocated and flagged
        if merged and habits.ranges == "merged":
            last = merged[-1]
            if last[0] == nsid and last[1] + last[2] == slba and last[3] == deallocated:
                merged[-1] = (nsid, last[1], last[2] + blocks, deallocated)
                continue
        merged.append((nsid, slba, blocks, deallocated))
    return merged

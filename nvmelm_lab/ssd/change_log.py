"""From a command's changes to entries of the Migration Queue: what is told, and how.

Source: NVM Command Set 1.2, section 5.6; the freedoms used here are numbers 1, 3 and 5 of `freedoms.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches

if TYPE_CHECKING:
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.ssd.command import Change, Command
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.migration_queue import MigrationQueue


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
        changes = _merged(controller, command)
        entries[command.log] += len(changes)
        for nsid, slba, blocks, deallocated in changes:
            namespace = controller.subsystem.namespaces.get(nsid)
            if deallocated and namespace is not None:
                reads += namespace.asking(slba, blocks)[0]
    for queue, count in entries.items():
        more = queue.posting(count)
        reads, writes = reads + more[0], writes + more[1]
    return reads, writes


def post(controller: Controller, command: Command) -> None:
    """Post the entries of a command whose changes have taken effect.

    A queue that filled up meanwhile, or was deleted, tells of nothing more: they are lost to the host.
    """
    queue = command.log
    assert queue is not None
    for nsid, slba, blocks, deallocated in _merged(controller, command):
        flagged = deallocated and _is_deallocated(controller, nsid, slba, blocks)
        queue.post(nsid, slba, blocks, deallocated=flagged)
    command.told = True
    queue.told.count()


def _is_deallocated(controller: Controller, nsid: int, slba: int, blocks: int) -> bool:
    """DLBA says that the blocks *are* deallocated: a write, or the namespace's end, may have come between."""
    namespace = controller.subsystem.namespaces.get(nsid)
    return namespace is None or namespace.is_deallocated(slba, blocks)


def _merged(controller: Controller, command: Command) -> list[Change]:
    habits = controller.subsystem.habits
    changes = [
        (nsid, slba, blocks, deallocated and habits.deallocation_flag == "flagged")
        for nsid, slba, blocks, deallocated in command.changes
    ]
    if habits.ranges != "merged":
        return changes
    merged: list[Change] = []
    for nsid, slba, blocks, deallocated in changes:
        if merged:
            last = merged[-1]
            if last[0] == nsid and last[1] + last[2] == slba and last[3] == deallocated:
                merged[-1] = (nsid, last[1], last[2] + blocks, deallocated)
                continue
        merged.append((nsid, slba, blocks, deallocated))
    return merged

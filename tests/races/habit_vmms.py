"""VMMs that take one habit of an SSD for a rule of the standard; the destination is prepared when each begins.

With an SSD of another habit they lose data or give up; with all others they are right in every order of events.
`test_freedoms.py` holds both.
"""

from __future__ import annotations

from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import MQE, Cns, IdentifyNamespace, Mqe, commands, unpack_page
from nvmelm_lab.nvme.controller_state import (
    CompletionQueueState,
    SubmissionQueueState,
    unpack_controller_state,
)


async def _until_suspended(migration: Migration) -> None:
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.move.pause()
    await migration.move.suspend()


def _entries(migration: Migration) -> list[Mqe]:
    """The entries that lie in the Migration Queue, not consumed; for a VMM that reads them in its own way."""
    mq = migration.mq
    assert mq is not None
    space, found = migration.move.source.driver.space, []
    for position in range(mq.drained, mq.drained + mq.slots):
        data = space.read(mq.base + position % mq.slots * MQE.size, MQE.size)
        entry = Mqe._make(MQE.unpack(data))
        if entry.phase != 1 - (position // mq.slots & 1):
            break
        found.append(entry)
    return found


async def takes_every_entry_for_a_range(migration: Migration) -> None:
    """NSID, SLBA and NLB of the first entry are used without a look at LBACIR; other entries are markers."""
    await _until_suspended(migration)
    changes = Changes(migration.move.nsids)
    for entry in _entries(migration):
        if entry.esa <= 1:
            assert entry.nsid in migration.move.nsids, f"there is no namespace {entry.nsid}"
            changes.add(entry.nsid, entry.slba, entry.nlb + 1)
    assert migration.mq is not None
    await migration.mq.drain(until="suspended")
    await migration.move.copy(changes)
    await migration.move_and_resume()


async def takes_a_completion_for_an_entry(migration: Migration) -> None:
    """Nothing is in flight any more, says the state, so all entries are taken to be posted; else all goes as usual."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.move.pause()
    state = unpack_controller_state(await migration.move.source_side.get_state())
    assert state.queues is not None
    quiet = _all_completed(state.queues.submission[0], state.queues.completion[0])
    assert migration.mq is not None
    if quiet:
        await migration.move.copy(await migration.mq.drain())
    await migration.move.suspend()
    if not quiet:
        await migration.move.copy(await migration.mq.drain(until="suspended"))
    await migration.move_and_resume()


def _all_completed(sq: SubmissionQueueState, cq: CompletionQueueState) -> bool:
    """Whether as many completions were posted as commands were submitted; both rings are far from a wrap."""
    return sq.tail == sq.head == cq.tail


async def compares_how_many_blocks_are_used(migration: Migration) -> None:
    """At the end both namespaces must use as many LBAs (NUSE), or the migration counts as failed."""
    await migration.start_logging()
    await migration.move.copy(await migration.move.source_side.lba_status())
    await migration.move.pause()
    await migration.move.suspend()
    assert migration.mq is not None
    await migration.move.copy(await migration.mq.drain(until="suspended"))
    used = []
    for side in (migration.move.source, migration.move.destination):
        address = side.driver.pages.take(PAGE_BYTES)
        await side.driver.command("Identify", commands.identify(0, Cns.NAMESPACE, address, nsid=1))
        used.append(unpack_page(IdentifyNamespace, side.driver.space.read(address, PAGE_BYTES)).nuse)
    assert used[0] == used[1], f"{used[0]} LBAs are used at the source and {used[1]} at the destination"
    await migration.move_and_resume()


async def finds_the_marker_at_once(migration: Migration) -> None:
    """When the Suspend has completed its marker is taken to be the last entry in the queue."""
    await _until_suspended(migration)
    assert migration.mq is not None
    entries = _entries(migration)
    assert entries, "there is no entry after the suspend"
    assert entries[-1].esa == 3, f"the last entry after the suspend has ESA {entries[-1].esa}"
    await migration.move.copy(await migration.mq.drain(until="suspended"))
    await migration.move_and_resume()

"""VMMs that make one mistake each, for the explorer to find.  Each drives a migration whose destination is prepared."""

from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.migration import Migration


async def copies_before_logging(migration: Migration) -> None:
    """The baseline is copied first, logging starts afterwards."""
    await migration.initial_copy()
    await migration.start_logging()
    await migration.iterate()
    await migration.suspend_and_copy()
    await migration.move_and_resume()


async def copies_before_track_send_completed(migration: Migration) -> None:
    """Track Send is submitted, but the baseline is copied without waiting for its completion."""
    starting = migration.engine.spawn("VMM: start logging", migration.start_logging())
    migration.progress.initial_blocks = await migration.move.copy(migration.move.source_side.whole())
    await starting.join()
    await migration.iterate()
    await migration.suspend_and_copy()
    await migration.move_and_resume()


async def forgets_the_final_drain(migration: Migration) -> None:
    """What was logged between the last round and the suspend is not copied."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.move.pause()
    await migration.move.suspend()
    await migration.move_and_resume()


async def takes_an_empty_queue_for_clean(migration: Migration) -> None:
    """Pauses the VM and drains until the queue is empty, with commands still in flight; suspends too late."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.move.pause()
    assert migration.mq is not None
    await migration.move.copy(await migration.mq.drain())
    await migration.move.suspend()
    await migration.move_and_resume()


async def fetches_the_state_before_the_suspend(migration: Migration) -> None:
    """The controller state is read while the controller still fetches and completes."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    state = await migration.move.source_side.get_state()
    await migration.suspend_and_copy()
    await migration.memory.finish()
    await migration.move.destination_side.suspend()
    await migration.move.destination_side.set_state(state)
    await migration.move.destination_side.resume()
    await migration.move.start()


async def moves_memory_before_the_pause(migration: Migration) -> None:
    """Guest memory goes over while the VM runs, and nothing of it goes again."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.memory.finish()
    await migration.suspend_and_copy()
    state = await migration.move.source_side.get_state()
    await migration.move.destination_side.suspend()
    await migration.move.destination_side.set_state(state)
    await migration.move.destination_side.resume()
    await migration.move.start()


async def resumes_before_the_last_copy(migration: Migration) -> None:
    """The destination runs already while the last changes are still copied over it."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.move.pause()
    await migration.move.suspend()
    await migration.move_and_resume()
    assert migration.mq is not None
    await migration.move.copy(await migration.mq.drain(until="suspended"))


async def resumes_both(migration: Migration) -> None:
    """The source's controller is resumed as well, and both work on the same rings."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.suspend_and_copy()
    await migration.move.move_state()
    await migration.move.source_side.resume()
    await migration.move.destination_side.resume()
    await migration.move.start()


async def ignores_deallocations(migration: Migration) -> None:
    """Entries that tell of a deallocation are thrown away."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.move.pause()
    await migration.move.suspend()
    assert migration.mq is not None
    changes = await migration.mq.drain(until="suspended")
    kept = Changes(migration.move.nsids)
    for extent in changes.extents(1):
        if not extent.deallocated:
            kept.add(extent.nsid, extent.slba, extent.blocks)
    await migration.move.copy(kept)
    await migration.move_and_resume()


async def does_not_join_its_copies(migration: Migration) -> None:
    """The copy of the round before may still be under way when the last copy of the same block begins."""
    await migration.start_logging()
    await migration.initial_copy()
    assert migration.mq is not None
    first = await migration.mq.drain()
    late = migration.engine.spawn("VMM: first round", _copy_alone(migration, first))
    await migration.move.pause()
    await migration.move.suspend()
    await _copy_alone(migration, await migration.mq.drain(until="suspended"))
    await late.join()
    await migration.move_and_resume()


async def _copy_alone(migration: Migration, changes: Changes) -> None:
    lane = migration.copier._lanes.pop()
    for extent in changes.extents(1):
        await migration.copier._work(lane, [extent])
    migration.copier._lanes.append(lane)

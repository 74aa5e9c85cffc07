"""What a VMM does when its way to the destination ends early: back to the source, or on when the VM has moved.

Until the VM runs at the destination the source can take over: what the destination's controller did until then it
did to copies, of the namespaces and of the VM's memory, that are thrown away.  The order on the way back is what
keeps two controllers from serving one VM: the destination's goes offline before the source's is resumed.  Logging
goes on by itself at the source once it has resumed (NVM Command Set 1.2, section 5.6); so it is stopped after that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.host import provision
from nvmelm_lab.host.driver import CommandFailed, Driver
from nvmelm_lab.host.leftovers import made_for
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.move import Cancelled, Move
from nvmelm_lab.host.mq_reader import MqReader
from nvmelm_lab.nvme.status import Status

TRIES = 8
"""How often a command is issued again whose controller was reset under it."""

QUEUE_GONE = Status.INVALID_CONTROLLER_DATA_QUEUE
"""A reset of the primary controller has deleted its Migration Queues."""


async def attempt(
    move: Move,
    way: Coroutine[Any, Any, None],
    back: Callable[[], Awaitable[None]],
    on: Callable[[], Awaitable[None]],
) -> None:
    """Go the way.  When it ends early, go `back`; once the VM has moved, `on` after a reset of the source's MMC.

    Raises what else goes wrong once the VM has moved.
    """
    try:
        await way
    except (Cancelled, InputError) as end:
        if move.has_moved:
            if not move.source.driver.losses:
                raise
            await on()
        else:
            move.progress.failure = str(end)
            move.enter("Clean up")
            try:
                await back()
            except InputError as more:
                move.progress.failure += f"; {more}"
        move.leave()


async def persist(driver: Driver, command: Callable[[], Awaitable[object]], *done: Status) -> None:
    """Run a command until it has succeeded or ended with a status in `done`; again when its controller was reset."""
    for left in reversed(range(TRIES)):
        await driver.is_back()
        try:
            await command()
        except CommandFailed as failed:
            if failed.status in done:
                return
            if failed.status != Status.ABORTED_BY_HOST or not left:
                raise
        else:
            return


async def go_on_at_source(move: Move) -> None:
    """Let the guest go on: resume the source's controller if it may be suspended, start the VM if it was paused."""
    if move.progress.throttle:
        await move.slow_down(0)
    if move.may_be_resumed:
        await fence(move.destination.driver, move.destination.cntlid)
    if move.may_be_suspended:
        await persist(move.source.driver, move.source_side.resume, Status.CONTROLLER_NOT_SUSPENDED)
    if move.is_paused:
        await move.vm.start()
        move.progress.started_at = move.engine.now


async def fence(driver: Driver, cntlid: int) -> None:
    """Take a controller offline, so that it serves nobody any more."""
    await persist(driver, partial(provision.take_offline, driver, cntlid))


async def end_logging(source: ManagedController, mq: MqReader) -> None:
    """Stop logging and delete the Migration Queue, as far as it is still there."""
    await persist(source.driver, partial(source.track_send, mq, start=False), QUEUE_GONE)
    await persist(source.driver, partial(source.delete_mq, mq), QUEUE_GONE)


async def end_tracking(move: Move) -> None:
    """See no longer what is written to the VM's memory."""
    await persist(move.source.driver, move.memory.end)


async def release_destination(move: Move) -> None:
    """Take the destination's controller offline, delete what was created there.

    After a reset over there the devices are asked what that was: a command may have done its work whose completion
    was lost.
    """
    driver, cntlid = move.destination.driver, move.destination.cntlid
    await fence(driver, cntlid)
    if not driver.losses:
        await provision.delete_namespaces(driver, move.created)
        return
    for nsid in await made_for(driver, cntlid):
        await persist(driver, partial(provision.delete_namespaces, driver, [nsid]), Status.INVALID_FIELD)


async def release_source(move: Move) -> None:
    """Take the source's controller offline, detach its namespaces, as far as that is not done yet."""
    driver, cntlid = move.source.driver, move.source.cntlid
    await fence(driver, cntlid)
    for nsid in move.nsids:
        await persist(
            driver, partial(provision.detach, driver, nsid, [cntlid]), Status.NAMESPACE_NOT_ATTACHED
        )

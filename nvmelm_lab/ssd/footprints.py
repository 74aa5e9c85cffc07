"""The cells that the rare, wide steps touch: resets and aborts, which reach commands in flight.

What the usual steps touch stands beside them; here is what has to be gathered from many places.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.ssd import change_log

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.rings import SubmissionQueue


def resetting(controller: Controller) -> Touches:
    """What a reset of `controller` touches; one of the primary reaches its siblings and its queues too."""
    subsystem = controller.subsystem
    if not controller.primary:
        return _resetting_one(controller)
    return _joined(
        [
            *(_resetting_one(each) for each in subsystem.controllers.values()),
            *(((), queue.deleting()) for queue in subsystem.migration_queues.values()),
        ]
    )


def _resetting_one(controller: Controller) -> Touches:
    queue = controller.migration_queue
    return _joined(
        [
            controller.ending_touches(),
            ((), (controller.fetch_gate.key, *controller.events.resetting())),
            ((), ()) if queue is None else queue.resuming(),
            change_log.posting(controller, controller.in_flight),
        ]
    )


def aborting(controller: Controller, queue: SubmissionQueue) -> Touches:
    """What the end of all commands in flight from `queue` touches."""
    commands = [command for command in controller.in_flight if command.queue is queue]
    return _joined([controller.ending_touches(), change_log.posting(controller, commands)])


def _joined(parts: Iterable[Touches]) -> Touches:
    reads: list[Key] = []
    writes: list[Key] = []
    for part in parts:
        reads += part[0]
        writes += part[1]
    return tuple(reads), tuple(writes)

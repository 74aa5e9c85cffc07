"""Carries out what the table of the life cycle says: from a controller's state to effects, and what they do to it.

No rule stands here: which effects an event has in which state is the business of `life_cycle.py`.  Effects that need
what a command brought along (a part of a state, a queue) are carried out by the handler of that command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.nvme.codes import CC_EN, CSTS_CFS, CSTS_RDY, CSTS_SHST
from nvmelm_lab.ssd.command import Refused
from nvmelm_lab.ssd.life_cycle import (
    Effect,
    Event,
    Intake,
    Logging,
    Motion,
    Power,
    State,
    depends_on,
    fetches,
    outcome,
)

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.subsystem import Subsystem


def state_of(controller: Controller) -> State:
    """Where the controller stands in its life cycle."""
    return State(
        _power(controller),
        _motion(controller),
        Intake.EMPTY if controller.incoming is None else Intake.PARTS,
        _logging(controller),
    )


def _power(controller: Controller) -> Power:
    if not controller.online:
        return Power.EQUIPPED if controller.may_go_online else Power.OFFLINE
    if not CC_EN.get(controller.cc):
        return Power.DISABLED
    if CSTS_CFS.get(controller.csts) or not CSTS_RDY.get(controller.csts):
        return Power.FAILED
    return Power.SHUT_DOWN if CSTS_SHST.get(controller.csts) else Power.ENABLED


def _motion(controller: Controller) -> Motion:
    if controller.suspended:
        return Motion.DRAINING if controller.in_flight else Motion.SUSPENDED
    return Motion.BUSY if controller.in_flight else Motion.FREE


def _logging(controller: Controller) -> Logging:
    queue = controller.migration_queue
    if queue is None:
        return Logging.NO_QUEUE
    if controller.held:
        return Logging.STARTING
    if queue.logging:
        return Logging.LOGGING
    return Logging.FULL if queue.is_full else Logging.IDLE


def permit(controller: Controller, event: Event) -> tuple[Effect, ...]:
    """The effects that `event` has now on a migratable controller.

    Refused, with nothing changed, when the table has a status instead.
    """
    recorder = controller.engine.recorder
    if recorder is not None and depends_on(event, Motion):
        recorder.reads.add(controller.fetch_gate.key)
    cell = outcome(event, state_of(controller), controller.subsystem.habits)
    if cell.status is not None:
        raise Refused(cell.status)
    return cell.effects


def undergo(controller: Controller, event: Event) -> None:
    """Let `event` happen to a migratable controller; Refused as `permit` does."""
    for effect in permit(controller, event):
        carry_out = _CARRY_OUT.get(effect)
        if carry_out is not None:
            carry_out(controller)


def befall(subsystem: Subsystem, event: Event) -> None:
    """Let `event`, which happened to the MMC, happen to all its secondary controllers."""
    for controller in subsystem.controllers.values():
        if not controller.primary:
            undergo(controller, event)


def move_gate(controller: Controller) -> None:
    """Open or close the fetch gate, as the controller's state demands."""
    if fetches(state_of(controller), controller.subsystem.habits):
        controller.fetch_gate.open()
    else:
        controller.fetch_gate.close()


def end_everything(controller: Controller) -> None:
    """Controller Level Reset: queues and commands are gone, properties but AQA, ASQ, ACQ are cleared.

    What a command has changed already is told of all the same.  Source: Base 2.1, section 3.7.2.
    """
    controller.end_commands()
    for qid in list(controller.sqs):
        controller.delete_sq(qid)
    controller.cqs.clear()
    controller.cc = 0
    controller.csts = 0
    controller.arbitration = 0
    move_gate(controller)
    controller.engine.emit(("reset", controller.name))


def clear_addresses(controller: Controller) -> None:
    """A reset other than by CC.EN clears the admin queues' properties too (Base 2.1, section 3.7.2)."""
    controller.aqa = controller.asq = controller.acq = 0


def _go_offline(controller: Controller) -> None:
    controller.online = False
    controller.queue_resources = controller.interrupt_resources = 0
    move_gate(controller)


def _go_online(controller: Controller) -> None:
    controller.online = True
    move_gate(controller)


def _resume(controller: Controller) -> None:
    if controller.suspended:
        controller.set_suspended(False)


def _forget(controller: Controller) -> None:
    controller.incoming = None


def _delete_queue(controller: Controller) -> None:
    if controller.migration_queue is not None:
        controller.subsystem.delete_migration_queue(controller.migration_queue.cdqid)


def _give_up_start(controller: Controller) -> None:
    if controller.held:
        controller.hold_fetching(False)


_CARRY_OUT: Mapping[Effect, Callable[[Controller], None]] = {
    Effect.RESET: end_everything,
    Effect.CLEAR_ADDRESSES: clear_addresses,
    Effect.GO_OFFLINE: _go_offline,
    Effect.GO_ONLINE: _go_online,
    Effect.RESUME: _resume,
    Effect.FORGET: _forget,
    Effect.DELETE_QUEUE: _delete_queue,
    Effect.GIVE_UP_START: _give_up_start,
}

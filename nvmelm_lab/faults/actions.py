"""What each fault does to a lab, as one step, and what follows of itself.

A fault comes from outside: from the media, the wire, the power supply, the operator.  So this is the one place
beside the wiring of a lab that reaches into a device past its door.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from nvmelm_lab.engine import Kind, Signal, Touches, do, until
from nvmelm_lab.faults.fault import Fault
from nvmelm_lab.faults.table import FAULTS
from nvmelm_lab.host.adoption import adopt
from nvmelm_lab.host.caretaker import Caretaker
from nvmelm_lab.host.link import UP
from nvmelm_lab.host.move import Method
from nvmelm_lab.lab import Lab
from nvmelm_lab.ssd import Controller
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.footprints import resetting
from nvmelm_lab.ssd.power import lose_power

PAUSES = 8
"""Steps that the fault's actor idles before a link is up again or a slow command ends."""

PAUSE_NS = 50_000
"""How long each of them is."""

VMM = "VMM"
"""The actor that a crash of the VMM ends."""


class Bench:
    """A lab with somebody who notices resets, and the migration that faults are aimed at."""

    def __init__(self, lab: Lab, guest: str, method: Method) -> None:
        self.lab = lab
        self.engine = lab.engine
        self.guest = lab.guests[guest]
        self.method = method
        self.here = self._controller(True)
        self.there = self._controller(False)
        self.alarm = Signal(lab.engine, "nothing comes any more")
        self.slow: Command | None = None
        self.vmm = "runs"
        drivers = [lab.source_driver, lab.destination_driver, *(each.driver for each in lab.guests.values())]
        self.caretakers = [Caretaker(lab.engine, driver, self.alarm) for driver in drivers]

    def _controller(self, here: bool) -> Controller:
        ssd = self.lab.source if here else self.lab.destination
        side = self.method.move.source if here else self.method.move.destination
        return ssd.controllers[side.cntlid]

    @property
    def is_restarting(self) -> bool:
        """Whether the VMM has crashed, and the next one has not brought the migration to an end."""
        return self.vmm in ("crashed", "adopts")

    @property
    def has_moved(self) -> bool:
        """Whether the guest's VM is at the destination."""
        return self.guest.vm.port.behind is self.there

    def reckon_with_faults(self) -> None:
        """Let all steps say what a fault can change for them, for who explores their orders."""
        for ssd in (self.lab.source, self.lab.destination):
            ssd.primary.reckon_with_resets()
        for caretaker in self.caretakers:
            driver = caretaker.driver
            driver.port.cells = (("queues", driver.name),)
        self.lab.link.reckon_with_faults()

    def kind(self, fault: Fault) -> Kind:
        """The step in which the fault happens."""
        action = ACTIONS[fault.name]
        return Kind(
            "fault",
            lambda _: self.happen(fault),
            touches=lambda _: action.touches(self, fault),
            label=lambda _: FAULTS[fault.name].title,
        )

    def rest(self, fault: Fault) -> Coroutine[Any, Any, None] | None:
        """What follows of itself, for an actor of its own; None when nothing does."""
        then = ACTIONS[fault.name].then
        return None if then is None else then(self)

    def happen(self, fault: Fault) -> None:
        """Let it happen."""
        self.engine.emit(("fault", fault.name, fault.text))
        ACTIONS[fault.name].act(self, fault)

    async def life(self, fault: Fault) -> None:
        """The fault, and what follows."""
        await do(self.kind(fault))
        rest = self.rest(fault)
        if rest is not None:
            await rest


@dataclass(frozen=True, slots=True)
class Action:
    """How a fault happens.

    act, touches
        What it does, and the cells that it touches.
    then
        What follows without anybody's help.
    """

    act: Callable[[Bench, Fault], None]
    touches: Callable[[Bench, Fault], Touches] = lambda _bench, _fault: ((), ())
    then: Callable[[Bench], Coroutine[Any, Any, None]] | None = None


# -- media and queue --------------------------------------------------------------------------------------


def _hit(bench: Bench, fault: Fault) -> tuple[int, int] | None:
    """NSID and LBA that a media error destroys: one that holds something the guest still needs."""
    disk = bench.guest.disks[0]
    namespace = bench.lab.source.namespaces.get(disk.nsid)
    if bench.has_moved or namespace is None or fault.lba >= namespace.blocks:
        return None
    return None if namespace.is_deallocated(fault.lba, 1) else (disk.nsid, fault.lba)


def _media_error(bench: Bench, fault: Fault) -> None:
    hit = _hit(bench, fault)
    if hit is not None:
        bench.lab.source.namespaces[hit[0]].damage(hit[1], 1)
        bench.engine.emit(("destroyed", bench.guest.spec.name, *hit))


def _media_touches(bench: Bench, fault: Fault) -> Touches:
    namespace = bench.lab.source.namespaces.get(bench.guest.disks[0].nsid)
    return ((), ()) if namespace is None else namespace.damaging(fault.lba, 1)


def _overflow(bench: Bench, _fault: Fault) -> None:
    """The SSD tells of LBA 0, which may have changed, until the queue is full; a suspended one tells of nothing."""
    queue = bench.here.migration_queue
    if queue is None or not queue.is_logging() or bench.here.is_suspended():
        return
    while queue.logging and not queue.is_full:
        queue.post(bench.guest.disks[0].nsid, 0, 1)


def _overflow_touches(bench: Bench, _fault: Fault) -> Touches:
    queue, gate = bench.here.migration_queue, bench.here.fetch_gate.key
    if queue is None:
        return (gate,), ()
    reads, writes = queue.posting(queue.slots + 4)
    return (gate, *reads), (*writes, queue.log_key, ("head", (queue.owner, queue.cdqid)))


# -- link, slow suspend, operator -------------------------------------------------------------------------


def _link_down(bench: Bench, _fault: Fault) -> None:
    bench.lab.link.go(is_up=False)


async def _link_up_again(bench: Bench) -> None:
    await _idle(bench)
    await do(
        Kind(
            "link up",
            lambda _: bench.lab.link.go(is_up=True),
            touches=lambda _: ((), UP),
            label=lambda _: "the link is up again",
        )
    )


async def _idle(bench: Bench) -> None:
    for _ in range(PAUSES):
        await until(bench.engine.now + PAUSE_NS)


def _slow(bench: Bench, _fault: Fault) -> None:
    """One more command is in flight, and takes its time: the next suspend waits for it."""
    controller = bench.here
    if not controller.suspended and controller.sqs:
        bench.slow = Command(next(iter(controller.sqs.values())), -1, ())
        controller.in_flight[bench.slow] = None
        controller.fetched += 1


async def _slow_ends(bench: Bench) -> None:
    await _idle(bench)
    await do(
        Kind("slow command ends", lambda _: _end_slow(bench), label=lambda _: "the slow command ends at last")
    )


def _end_slow(bench: Bench) -> None:
    controller = bench.here
    if bench.slow in controller.in_flight:
        del controller.in_flight[bench.slow]
        controller.finished.count()


def _cancel(bench: Bench, _fault: Fault) -> None:
    bench.method.move.cancel()


# -- resets, power, crash ---------------------------------------------------------------------------------


def _controllers(bench: Bench) -> Mapping[str, Controller]:
    return {
        "reset-x": bench.lab.source.primary,
        "reset-y": bench.here,
        "reset-g": bench.lab.destination.primary,
        "reset-h": bench.there,
    }


def _reset(bench: Bench, fault: Fault) -> None:
    controller = _controllers(bench)[fault.name]
    if controller.online:
        controller.reset()
        bench.alarm.count()


def _reset_touches(bench: Bench, fault: Fault) -> Touches:
    return resetting(_controllers(bench)[fault.name])


def _power_touches(bench: Bench, _fault: Fault) -> Touches:
    return resetting(bench.lab.destination.primary)


def _lose_power(bench: Bench, _fault: Fault) -> None:
    lose_power(bench.lab.destination)
    bench.alarm.count()


def _crash_touches(bench: Bench, _fault: Fault) -> Touches:
    """Whoever works for the VMM is stopped, before or after its next step."""
    return (), (*bench.lab.source_driver.port.cells, *bench.lab.destination_driver.port.cells, *UP)


def _crash(bench: Bench, _fault: Fault) -> None:
    engine = bench.engine
    workers = [name for name in engine.actors if name.startswith(f"copy {bench.guest.spec.name} ")]
    if VMM in engine.actors:
        bench.vmm = "crashed"
        for name in (VMM, *workers):
            engine.stop(name)
        bench.method.move.enter("Clean up")


async def _restart(bench: Bench) -> None:
    """A VMM is started anew, with nothing but the names of both ends."""
    move = bench.method.move
    if bench.vmm != "crashed":
        return
    bench.vmm = "adopts"
    paused = not bench.guest.vm.processors.is_open
    if not await adopt(bench.guest.vm, move.source, move.destination):
        move.progress.failure = "the VMM crashed; the next one let the guest go on at the source"
        move.progress.started_at = bench.engine.now if paused else -1
    move.leave()
    bench.vmm = "is done"


ACTIONS: Mapping[str, Action] = {
    "media-error": Action(_media_error, _media_touches),
    "queue-overflow": Action(_overflow, _overflow_touches),
    "link-down": Action(_link_down, lambda _bench, _fault: ((), UP), then=_link_up_again),
    "link-lost": Action(_link_down, lambda _bench, _fault: ((), UP)),
    "slow-suspend": Action(_slow, then=_slow_ends),
    "cancel": Action(_cancel),
    "reset-x": Action(_reset, _reset_touches),
    "reset-y": Action(_reset, _reset_touches),
    "reset-g": Action(_reset, _reset_touches),
    "reset-h": Action(_reset, _reset_touches),
    "power-loss": Action(_lose_power, _power_touches),
    "vmm-crash": Action(_crash, _crash_touches, then=_restart),
}
"""What each fault of the table does."""

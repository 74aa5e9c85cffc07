"""Asynchronous events: what a controller has to report, and the requests that it completes to do so.

An event waits until an Asynchronous Event Request (AER) is outstanding; then one completion tells of one event.  All
events of the kit are one-shot: telling of one clears it, and none masks another.  They are those of a Controller
Data Queue, so only an MMC ever has any.  A request has no time limit, takes no slot of its Completion Queue while it
waits, and is not in flight: nothing that waits for commands in flight waits for it.
Source: Base 2.1, section 5.1.2 and Figures 154 and 155.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvmelm_lab.engine import Kind, Touches, do
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.nvme.codes import AsyncEventType, OneShotEvent
from nvmelm_lab.ssd.entries import post_completion

if TYPE_CHECKING:
    from nvmelm_lab.ssd.command import Command
    from nvmelm_lab.ssd.controller import Controller

MOST_REQUESTS = 4
"""AERL, as a plain count: Asynchronous Event Requests outstanding at a time."""


class Event(NamedTuple):
    """A one-shot event of the Controller Data Queue `cdqid`."""

    information: OneShotEvent
    cdqid: int

    @property
    def words(self) -> str:
        """What happened, in words."""
        return f"of queue {self.cdqid}: {self.information.meaning}"


class Events:
    """The events of `controller`.

    key
        The cell of all that is outstanding here: requests, events, and Aborts, whose number is limited too.
    admitted
        Requests that were fetched, and not executed yet; those that were are in `controller.event_requests`.
    pending
        Events that nobody was told of, in the order in which they happened.
    is_used
        Whether there ever was a request or an Abort.
    """

    __slots__ = ("_controller", "_happened", "_name", "_report", "admitted", "is_used", "key", "pending")

    def __init__(self, controller: Controller) -> None:
        name = controller.name
        self._controller = controller
        self._name = f"{name}.events"
        self.key: Key = ("outstanding", name)
        self.admitted: set[Command] = set()
        self.pending: list[Event] = []
        self.is_used = False
        self._happened: set[Event] = set()
        self._report = Kind(
            "event",
            lambda _: self._tell_of_one(),
            takes=controller.subsystem.timing.post,
            touches=lambda _: self._telling(),
            label=lambda _: f"Ctlr {name} reports {self.pending[0].words if self.pending else 'no event'}",
        )

    # -- cells ---------------------------------------------------------------------------------------------

    # What is touched follows from what there ever was, not from what there is: had it come earlier, a step that has
    # nothing to do with an event any more, as it was told of, would have found it pending.

    def clearing(self, cdqid: int, *kinds: OneShotEvent) -> tuple[Key, ...]:
        """The cells that `clear` writes: none as long as the queue had no such event."""
        return (self.key,) if any(Event(kind, cdqid) in self._happened for kind in kinds) else ()

    def admitting(self) -> tuple[Key, ...]:
        """The cells that admitting a command reads (see `admission.py`)."""
        return (self.key,) if self.is_used else ()

    def resetting(self) -> tuple[Key, ...]:
        """The cells that `reset` writes."""
        return (self.key,) if self.is_used or self._happened else ()

    def _telling(self) -> Touches:
        controller = self._controller
        reads, writes = controller.doorbell_touches()
        return reads, (*writes, self.key, *controller.claiming(controller.cqs[0]))

    # -- what happens --------------------------------------------------------------------------------------

    def wait_for_one(self, command: Command) -> None:
        """A request was executed: from now on it may be completed by an event."""
        self._record()
        self.admitted.remove(command)
        self._controller.event_requests[command] = None
        self._look()

    def happen(self, kind: OneShotEvent, cdqid: int) -> None:
        """An event has happened."""
        self._record()
        event = Event(kind, cdqid)
        self.pending.append(event)
        self._happened.add(event)
        self._look()

    def clear(self, cdqid: int, *kinds: OneShotEvent) -> None:
        """Forget events of the queue `cdqid` that nobody was told of."""
        gone = [Event(kind, cdqid) for kind in kinds]
        if any(event in self.pending for event in gone):
            self._record()
            self.pending = [event for event in self.pending if event not in gone]

    def reset(self) -> None:
        """The controller was reset: requests end without completion.  Its events go with its queues."""
        if self.resetting():
            self._record()
        self.admitted.clear()
        self._controller.event_requests.clear()
        self._controller.engine.stop(self._name)

    def _look(self) -> None:
        """Report, if there is an event and a request."""
        controller = self._controller
        if self.pending and controller.event_requests and self._name not in controller.engine.actors:
            controller.engine.spawn(self._name, self._tell())

    async def _tell(self) -> None:
        controller = self._controller
        while self.pending and controller.event_requests:
            cq = controller.cqs[0]
            if cq.room <= 0:
                await cq.consumed.wait(cq.claimed - cq.entries + 2)
            await do(self._report)

    def _tell_of_one(self) -> None:
        """Complete the oldest request by the oldest event, unless they are gone, or another has taken the slot."""
        self._record()
        controller = self._controller
        cq, requests = controller.cqs[0], controller.event_requests
        if not self.pending or not requests or cq.room <= 0:
            return
        kind, cdqid = self.pending.pop(0)
        command = next(iter(requests))
        del requests[command]
        cq.claimed += 1
        command.dw0 = AsyncEventType.ONE_SHOT | kind << 8
        command.dw1 = cdqid
        post_completion(controller, command, 0)

    def _record(self) -> None:
        recorder = self._controller.engine.recorder
        if recorder is not None:
            recorder.writes.add(self.key)

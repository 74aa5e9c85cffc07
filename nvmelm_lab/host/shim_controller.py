"""What a guest sees of a shim: properties, doorbells and rings that look like those of the controller behind.

They are kept by the same code as a controller's.  Who takes commands out of the rings, and what becomes of
them, is the business of `shim.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from nvmelm_lab.engine import Engine, Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.host.provision import INTERRUPT_RESOURCES, QUEUE_RESOURCES
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme.codes import DOORBELLS, Property
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import properties
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.entries import post_completion
from nvmelm_lab.ssd.rings import (
    MAX_QUEUE_ENTRIES,
    CompletionQueue,
    SubmissionQueue,
    write_doorbell,
)


class ShimController:
    """The door of a shim; the guest's rings lie in `space`.

    serve(queue)
        Takes the commands out of a Submission Queue, from its creation on.
    in_flight
        The guest's commands on their way through the shim.
    The attributes that a controller has too mean the same here: see `nvmelm_lab.ssd.controller.Controller`.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        space: AddressSpace,
        serve: Callable[[SubmissionQueue], Coroutine[Any, Any, None]],
    ) -> None:
        self.engine = engine
        self.name = name
        self.space = space
        # The shim is software: a processor writes its completions, not a device.
        self.has_written: Callable[[int], None] = space.has_written
        self.interrupt: Callable[[int, Sequence[int]], None] | None = None
        self.primary = False
        self.online = True
        self.suspended = False
        self.queue_resources = QUEUE_RESOURCES
        self.interrupt_limit = INTERRUPT_RESOURCES
        self.max_queue_entries = MAX_QUEUE_ENTRIES
        self.cc = 0
        self.csts = 0
        self.aqa = 0
        self.asq = 0
        self.acq = 0
        self.arbitration = 0
        self.sqs: dict[int, SubmissionQueue] = {}
        self.cqs: dict[int, CompletionQueue] = {}
        self.in_flight: dict[Command, None] = {}
        self.event_requests: dict[Command, None] = {}
        self.fetched = 0
        # Moving positions commutes, so it counts as reading this cell, and what wants them whole as writing.
        self.state_key: Key = ("state", name)
        self._serve = serve

    # -- the door ------------------------------------------------------------------------------------------

    def write_property(self, offset: int, value: int) -> None:
        """The guest writes a property or a doorbell; nonsense is ignored."""
        if offset >= DOORBELLS:
            self.record_positions()
            write_doorbell(self, offset - DOORBELLS, value)
        else:
            properties.write(self, offset, value)

    def read_property(self, offset: int) -> int:
        """The guest reads a property."""
        return properties.read(self, offset)

    def doorbell_touches(self) -> Touches:
        """What a doorbell write touches: the queues' positions."""
        return (self.state_key,), ()

    def property_touches(self, offset: int) -> Touches:
        """What writing a property touches: CC makes and ends queues."""
        return (), ((self.state_key,) if offset == Property.CC else ())

    # -- rings ---------------------------------------------------------------------------------------------

    def create_sq(self, queue: SubmissionQueue) -> None:
        """Add a Submission Queue and start taking commands from it."""
        self.sqs[queue.qid] = queue
        queue.cq.sharers += 1
        queue.fetcher = self.engine.spawn(queue.name, self._serve(queue))

    def delete_sq(self, qid: int) -> None:
        """Take no more commands from a Submission Queue, and forget it."""
        queue = self.sqs.pop(qid)
        queue.cq.sharers -= 1
        self.engine.stop(queue.name)

    def abort_commands(self, queue: SubmissionQueue) -> None:
        """Tell the guest that its commands from `queue` are aborted.

        The SSD knows nothing of that and carries them out all the same; what they change is still noted.
        """
        for command in self.in_flight:
            if command.queue is queue and not command.completed:
                self.post(command, Status.ABORTED_SQ_DELETION)

    def reset(self) -> None:
        """The guest loses its rings; commands under way end in silence, for the SSD carries them out."""
        for command in self.in_flight:
            command.completed = True
        for qid in list(self.sqs):
            self.delete_sq(qid)
        self.cqs.clear()
        self.event_requests.clear()
        self.cc = 0
        self.csts = 0
        self.engine.emit(("reset", self.name))

    def became_ready(self) -> None:
        """CSTS.RDY has been set; commands are taken as soon as their doorbell is rung."""

    def was_shut_down(self) -> None:
        """CC.SHN has been written; the controller behind stays as it is, for it is the shim's."""

    def post(self, command: Command, status: int) -> None:
        """Post a command's CQE (`status` without phase tag) into the guest's ring, and interrupt."""
        self.record_positions()
        post_completion(self, command, status)

    def record_positions(self) -> None:
        """Note for explorers that positions move."""
        if self.engine.recorder is not None:
            self.engine.recorder.reads.add(self.state_key)

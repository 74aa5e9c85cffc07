"""Asynchronous events as a host waits for them: it keeps requests outstanding, and each answer wakes who waits.

With these a host can wait for an entry of a Migration Queue, where otherwise it would have to poll.
Sources: Base 2.1, sections 5.1.2, 5.1.25.1.23 and 8.1.6.
"""

from __future__ import annotations

from nvmelm_lab.engine import Signal
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.driver import Driver, check, status_of
from nvmelm_lab.host.mq_reader import MqReader
from nvmelm_lab.nvme import commands, migration_commands
from nvmelm_lab.nvme.codes import OneShotEvent
from nvmelm_lab.nvme.status import Status


class Events:
    """The events that the controller behind `driver` tells of."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._told: dict[tuple[int, int], Signal] = {}

    def keep_asking(self, requests: int = 1) -> None:
        """From now on keep `requests` Asynchronous Event Requests outstanding, each by an actor of its own.

        As many events can be told of at once; others wait for the next request.
        """
        for number in range(1, requests + 1):
            self._driver.engine.spawn(f"{self._driver.name} events {number}", self._ask())

    def told(self, kind: OneShotEvent, cdqid: int) -> Signal:
        """Signal: how often the controller has told of this event of the queue `cdqid`."""
        key = int(kind), cdqid
        if key not in self._told:
            what = kind.name.replace("_", " ").lower()
            self._told[key] = Signal(self._driver.engine, f"the event {what} of queue {cdqid}")
        return self._told[key]

    async def drain(self, mq: MqReader) -> Changes:
        """Consume the entries that wait, at least one: where there is none yet, the Tail Pointer event tells of it.

        Raises QueueFull as `MqReader.drain` does.  Waits for ever when no entry comes any more.
        """
        tail = self.told(OneShotEvent.TAIL_POINTER, mq.cdqid)
        while True:
            seen = tail.level
            await self._arm(mq)
            # An entry that was posted before the trigger was set raises no event.
            changes = await mq.drain()
            if changes.entries:
                return changes
            await tail.wait(seen + 1)

    async def _arm(self, mq: MqReader) -> None:
        """Let the entry in the slot that is read next raise the Tail Pointer event, once."""
        slot = mq.drained % mq.slots
        sqe = migration_commands.set_head(0, mq.cdqid, slot, slot)
        await self._driver.command("Set Features 21h (tail pointer trigger)", sqe)

    async def _ask(self) -> None:
        driver = self._driver
        while True:
            cqe = await driver.admin.run(commands.async_event_request(0))
            if status_of(cqe) == Status.ABORTED_BY_HOST:
                await driver.is_back()
                continue
            check("Asynchronous Event Request", cqe)
            self.told(OneShotEvent(cqe.dw0 >> 8 & 0xFF), cqe.dw1 & 0xFFFF).count()

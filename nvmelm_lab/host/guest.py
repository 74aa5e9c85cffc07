"""A guest: issues a workload's operations to its disk, never learns of a migration, checks every read.

Two actors share the work as in any driver: one submits at the workload's pace while there is room, the other
reaps what completes.  `run_in_order` is the same guest as one actor that waits for its oldest command, for the
small scenarios of the explorer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nvmelm_lab.engine import UNTIL, WAIT, Actor, Engine, Kind, Life, Signal, do
from nvmelm_lab.host.disk import Disk, Request
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.queue_pair import REAP_NS, SUBMIT_NS, Pending, QueuePair
from nvmelm_lab.host.throttle import Throttle
from nvmelm_lab.nvme.status import Status

TRIES = 5
"""How often a guest issues a command that fails each time, before it gives up."""

_READ = OperationKind.READ

_WORDS = {
    OperationKind.READ: "Read",
    OperationKind.WRITE: "Write",
    OperationKind.TRIM: "Deallocate",
    OperationKind.ZEROES: "Write Zeroes",
    OperationKind.UNCORRECTABLE: "Write Uncorrectable",
    OperationKind.FLUSH: "Flush",
}


def describe(operation: Operation) -> str:
    """An operation in words."""
    word, slba, blocks = _WORDS[operation.kind], operation.slba, operation.blocks
    if operation.kind is OperationKind.FLUSH:
        return word
    ranges = ((slba, blocks), *operation.more)
    return f"{word} LBA " + ", ".join(str(a) if n == 1 else f"{a}–{a + n - 1}" for a, n in ranges)


class Meter:
    """What commands waited from submission to reaping, in ns: how many there were, the sum, and the longest."""

    __slots__ = ("count", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self.count = 0
        self.total_ns = 0
        self.longest_ns = 0

    def add(self, ns: int) -> None:
        """One more command."""
        self.count += 1
        self.total_ns += ns
        if ns > self.longest_ns:
            self.longest_ns = ns


class Guest:
    """One workload on one disk through one queue pair.

    depth
        Commands that may be under way at once.
    throttle
        What the VMM takes of its processors' time; nothing if None.
    issued, completed, failed
        Counts of commands; `writes` of those issued change data.
    read_times, write_times
        Meters of its Reads and of its other commands, which whoever looks on may exchange for fresh ones.
    submit, reap
        Its steps: an operation into the queue, and all completions that are there out of it.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        disk: Disk,
        queue: QueuePair,
        operations: Iterable[Operation],
        depth: int,
        throttle: Throttle | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.disk = disk
        self.queue = queue
        self.depth = depth
        self.throttle = throttle if throttle is not None else Throttle()
        self.issued = 0
        self.completed = 0
        self.failed = 0
        self.writes = 0
        self.read_times = Meter()
        self.write_times = Meter()
        self._operations = operations
        self._retries: list[Operation] = []
        self._failures: dict[Operation, int] = {}
        self._requests: dict[Pending, Request] = {}
        self._freed = Signal(engine, f"room for a command of {name}")
        self._stopping = False
        self._all_issued = False
        self._started_ns = 0
        gate = queue.gate
        self.submit = Kind(
            "submit",
            self._prepare,
            gate=gate,
            takes=SUBMIT_NS,
            label=lambda operation: f"{name} submits {describe(operation)}",
        )
        self.reap = Kind(
            "reap",
            lambda _: self._finish(queue.reap_visible()),
            gate=gate,
            takes=REAP_NS,
            touches=lambda _: queue.reap_touches(),
            label=lambda _: f"{name} reads its completions",
        )
        self._reap_one = Kind(
            "reap",
            self._finish_until,
            gate=gate,
            takes=REAP_NS,
            touches=lambda _: queue.reap_touches(),
            label=self._reading,
        )

    def start(self) -> list[Actor]:
        """Begin; gives the two actors, which end after `stop` or when the workload does."""
        now = max(0, self.engine.now)
        self._started_ns = now - self.throttle.taken(now)
        return [
            self.engine.spawn(self.name, self._issue()),
            self.engine.spawn(f"{self.name} completions", self._collect()),
        ]

    def stop(self) -> None:
        """Issue nothing more; what is under way still completes."""
        self._stopping = True
        self._freed.count()

    async def run_in_order(self) -> None:
        """The workload by one actor that waits for its oldest command when `depth` are under way."""
        window: list[Pending] = []
        for operation in _split(self._operations, self.disk):
            if len(window) == self.depth:
                await self._complete(window.pop(0))
            window.append(await do(self.submit, operation))
            await do(self.queue.ring)
        for pending in window:
            await self._complete(pending)
        while self._retries:
            while level := await do(self.queue.ask):
                await self.queue.arrived.wait(level)
            pending = await do(self.submit, self._retries.pop())
            await do(self.queue.ring)
            await self._complete(pending)

    # -- the two actors ------------------------------------------------------------------------------------

    def _issue(self) -> Life:
        throttle, operations = self.throttle, _split(self._operations, self.disk)
        while not self._stopping:
            operation = self._retries.pop() if self._retries else next(operations, None)
            if operation is None:
                if not self._requests:
                    break
                # What is under way may fail, and is tried again then.
                yield WAIT, (self._freed, self._freed.level + 1)
                continue
            due = self._started_ns + operation.at_ns + throttle.taken_ns
            if due > self.engine.now >= 0:
                yield UNTIL, due
            if throttle.percent:
                yield from self._idle_longer(operation)
            while not self._stopping and not self.has_room(operation):
                yield WAIT, (self._freed, self._freed.level + 1)
            if self._stopping:
                break
            yield self.submit, operation
            yield self.queue.ring, None
        self._all_issued = True
        self.queue.arrived.count()

    def _idle_longer(self, operation: Operation) -> Life:
        """Idle until slowed processors have come to `operation`; what they are late by is never caught up on.

        Where no clock runs they are there at once.
        """
        engine, throttle = self.engine, self.throttle
        while engine.now >= 0:
            left = self._started_ns + operation.at_ns + throttle.taken(engine.now) - engine.now
            if left <= 0:
                self._started_ns -= left
                return
            yield UNTIL, throttle.look_again(engine.now, left)

    def _collect(self) -> Life:
        seen = 0
        while not self._all_issued or self._requests:
            yield WAIT, (self.queue.arrived, seen + 1)
            seen = self.queue.arrived.level
            yield self.reap, None

    def has_room(self, operation: Operation) -> bool:
        """Whether `operation` can be submitted now."""
        return len(self._requests) < self.depth and self.queue.has_room and self.disk.can_start(operation)

    def _reading(self, pending: Pending) -> str:
        request = self._requests.get(pending)
        if request is None:
            return f"{self.name} has read the completion of its command {pending.cid} already"
        return f"{self.name} reads the completion of {describe(request.operation)}"

    # -- steps ---------------------------------------------------------------------------------------------

    def _prepare(self, operation: Operation) -> Pending:
        request, sqe = self.disk.prepare(operation)
        request.submitted_ns = self.engine.schedule.now
        pending = self.queue.submit(sqe)
        self._requests[pending] = request
        self.issued += 1
        self.writes += bool(request.values)
        if self.engine.telling:
            self.engine.emit(
                ("issued", self.name, operation.kind.value, operation.slba, tuple(request.values))
            )
        return pending

    async def _complete(self, pending: Pending) -> None:
        """One look for each command, even if it was found on the way to another's completion: so the guest takes as
        many steps whatever the order in which completions were posted, which explorers take for none that matters.
        """
        await pending.visible.wait()
        while True:
            seen = self.queue.arrived.level
            await do(self._reap_one, pending)
            if pending not in self._requests:
                break
            await self.queue.arrived.wait(seen + 1)

    def _finish_until(self, pending: Pending) -> None:
        self._finish(self.queue.reap_until(pending))

    def _finish(self, reaped: list[Pending]) -> None:
        for pending in reaped:
            request = self._requests.pop(pending, None)
            if request is None or pending.fields is None:
                continue
            self.completed += 1
            times = self.read_times if request.operation.kind is _READ else self.write_times
            times.add(self.engine.schedule.now - request.submitted_ns)
            if not self.disk.finish(request, pending.status):
                self.failed += 1
                self._try_again(request.operation, pending.status)
            elif self.engine.telling:
                operation = request.operation
                self.engine.emit(
                    ("acknowledged", self.name, operation.kind.value, operation.slba, operation.blocks)
                )
        self._freed.count()

    def _try_again(self, operation: Operation, status: int) -> None:
        if status == Status.ABORTED_BY_HOST:
            # Its controller was reset: that says nothing about the command.
            self._retries.append(operation)
            return
        failures = self._failures[operation] = self._failures.get(operation, 0) + 1
        if failures < TRIES:
            self._retries.append(operation)


def _split(operations: Iterable[Operation], disk: Disk) -> Iterator[Operation]:
    """Operations, those too long for one command as several."""
    longest = disk.longest
    for operation in operations:
        if operation.blocks <= longest:
            yield operation
            continue
        for slba in range(operation.slba, operation.slba + operation.blocks, longest):
            blocks = min(longest, operation.slba + operation.blocks - slba)
            yield operation._replace(slba=slba, blocks=blocks)

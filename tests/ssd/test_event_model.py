"""Events against a small model: whatever is armed, filled, asked for, deleted and reset, in whatever order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property
from tests.ssd.door import Bench, ready, status_of
from tests.ssd.mq import MigrationQueue

TAIL, FULL = 0x0000_0004, 0x0000_0104
LIMIT = 4
SLOTS = 4


@dataclass
class Queue:
    """What the standard says of a queue.  Positions are counts; a slot is a count modulo SLOTS."""

    tail: int = 0
    head: int = 0
    trigger: int | None = None
    logging: bool = False

    @property
    def is_full(self) -> bool:
        return self.tail - self.head == SLOTS - 1

    def post(self) -> list[int]:
        """One more entry, if the queue takes one; gives DW0 of the events that this raises."""
        if self.is_full:
            return []
        raised = [TAIL] if self.tail % SLOTS == self.trigger else []
        if raised:
            self.trigger = None
        self.tail += 1
        if self.is_full:
            raised.append(FULL)
            self.logging = False
        return raised


@dataclass
class Model:
    """Queues by their target, events that nobody was told of, requests that wait, and what was told."""

    queues: dict[str, Queue] = field(default_factory=dict)
    pending: list[tuple[int, str]] = field(default_factory=list)
    waiting: int = 0
    told: list[tuple[int, str]] = field(default_factory=list)

    def post(self, target: str) -> None:
        self.pending += [(dw0, target) for dw0 in self.queues[target].post()]
        self.tell()

    def forget(self, target: str, *kinds: int) -> None:
        self.pending = [event for event in self.pending if event[1] != target or event[0] not in kinds]

    def tell(self) -> None:
        while self.pending and self.waiting:
            self.told.append(self.pending.pop(0))
            self.waiting -= 1


class Twins:
    """An SSD and the model of its events, which are asked for the same things."""

    def __init__(self) -> None:
        self.bench: Bench = ready(blocks=8, entries=8)
        self.model = Model()
        self.queues: dict[str, MigrationQueue] = {}
        self.waiting: list[int] = []
        self.told: list[tuple[int, str]] = []

    def make(self, target: str, _number: int) -> None:
        if target in self.queues:
            return
        self.queues[target] = self.bench.x.make_mq(SLOTS, self._host(target).cntlid)
        self.model.queues[target] = Queue()

    def delete(self, target: str, _number: int) -> None:
        if target not in self.queues:
            return
        queue = self.queues.pop(target)
        assert self.bench.x.admin.status(lm.delete_cdq(0, queue.cdqid)) == Status.SUCCESS
        del self.model.queues[target]
        self.model.forget(target, TAIL, FULL)

    def start(self, target: str, _number: int) -> None:
        if target not in self.queues:
            return
        queue = self.model.queues[target]
        status = self.queues[target].start()
        if queue.logging:
            assert status == Status.INVALID_CONTROLLER_DATA_QUEUE
        elif queue.is_full:
            assert status == Status.CONTROLLER_DATA_QUEUE_FULL
        else:
            assert status == Status.SUCCESS
            queue.logging = True
            self.model.forget(target, FULL)

    def stop(self, target: str, _number: int) -> None:
        if target not in self.queues:
            return
        assert self.queues[target].stop() == Status.SUCCESS
        if self.model.queues[target].logging:
            self.model.queues[target].logging = False
            self.model.post(target)

    def write(self, target: str, lba: int) -> None:
        sqe = commands.write_zeroes(0, 1, lba, 1)
        assert self._host(target).io.status(sqe) == Status.SUCCESS
        if target in self.queues and self.model.queues[target].logging:
            self.model.post(target)

    def consume(self, target: str, number: int) -> None:
        """Set Features 21h: `number` entries are consumed, if there are as many, and the trigger is disarmed."""
        self._set_head(target, number, None)

    def arm(self, target: str, slot: int) -> None:
        self._set_head(target, 0, slot)

    def _set_head(self, target: str, count: int, trigger: int | None) -> None:
        if target not in self.queues:
            return
        queue = self.model.queues[target]
        sqe = lm.set_head(0, self.queues[target].cdqid, (queue.head + count) % SLOTS, trigger)
        good = count % SLOTS <= queue.tail - queue.head and (trigger is None or trigger < SLOTS)
        assert self.bench.x.admin.status(sqe) == (Status.SUCCESS if good else Status.INVALID_FIELD)
        if good:
            queue.head += count % SLOTS
            queue.trigger = trigger
            self.model.forget(target, TAIL)

    def ask(self, _target: str, _number: int) -> None:
        (cid,) = self.bench.x.admin.submit(commands.async_event_request(0))
        self.bench.engine.run()
        if self.model.waiting == LIMIT:
            self.bench.x.admin.reap()
            (cqe,) = self.bench.x.admin.unread.pop(cid)
            assert status_of(cqe) == Status.ASYNC_LIMIT
            return
        self.waiting.append(cid)
        self.model.waiting += 1
        self.model.tell()

    def abort(self, _target: str, number: int) -> None:
        """One of the requests that wait."""
        if not self.waiting:
            return
        cid = self.waiting.pop(number % len(self.waiting))
        assert self.bench.x.admin.run(commands.abort(0, 0, cid)).dw0 == 0
        (cqe,) = self.bench.x.admin.unread.pop(cid)
        assert status_of(cqe) == Status.ABORT_REQUESTED
        self.model.waiting -= 1

    def reset(self, _target: str, _number: int) -> None:
        """The MMC; it takes its queues, events and requests along, and its secondary controllers offline."""
        x = self.bench.x
        x.write(Property.CC, 0)
        assert x.admin.reap() == []
        x.enable()
        for host in (self.bench.y, self.bench.z):
            self.bench.online(host)
            host.enable()
            host.make_ring(1, 8)
        self.queues, self.waiting = {}, []
        self.model = Model(told=self.model.told)

    def compare(self) -> None:
        self.bench.engine.run()
        self.bench.x.admin.reap()
        targets = {queue.cdqid: target for target, queue in self.queues.items()}
        for cid in [cid for cid in self.waiting if cid in self.bench.x.admin.unread]:
            self.waiting.remove(cid)
            (cqe,) = self.bench.x.admin.unread.pop(cid)
            assert status_of(cqe) == Status.SUCCESS
            self.told.append((cqe.dw0, targets[cqe.dw1]))
        for host in (self.bench.x, self.bench.y, self.bench.z):
            assert all(cq.claimed == cq.posted for cq in host.controller.cqs.values())
        assert self.told == self.model.told
        assert len(self.waiting) == self.model.waiting

    def _host(self, target: str) -> Any:
        return self.bench.y if target == "Y" else self.bench.z


WORDS: dict[str, Callable[[Twins, str, int], None]] = {
    word: getattr(Twins, word)
    for word in ("make", "delete", "start", "stop", "write", "consume", "arm", "ask", "abort", "reset")
}
OFTEN = ("write", "write", "write", "write", "ask", "ask", "arm", "arm", "consume", "consume", "start")
ACTIONS = st.tuples(
    st.sampled_from([*OFTEN, *WORDS]), st.sampled_from(["Y", "Y", "Z"]), st.integers(0, SLOTS)
)
BEGIN = [("make", "Y", 0), ("start", "Y", 0), ("make", "Z", 0), ("start", "Z", 0)]


@settings(max_examples=120, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=40))
@example(
    [
        ("arm", "Y", 2),
        ("write", "Y", 0),
        ("write", "Y", 0),
        ("write", "Y", 0),
        ("ask", "Y", 0),
        ("ask", "Y", 0),
    ]
)
@example([("write", "Y", 0), ("write", "Y", 0), ("write", "Y", 0), ("reset", "Y", 0), ("ask", "Y", 0)])
def test_events_are_those_of_the_model(actions: list[tuple[str, str, int]]) -> None:
    twins = Twins()
    for word, target, number in BEGIN + actions:
        WORDS[word](twins, target, number)
        twins.compare()
    for _ in range(2 * LIMIT):
        if twins.model.waiting < LIMIT:
            twins.ask("Y", 0)
            twins.compare()
    assert not twins.model.pending

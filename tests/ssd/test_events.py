"""Asynchronous events: when a request completes, what it tells, and what becomes of events and requests."""

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import AdminOpcode, Property
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Bench, Host, Ring, Y, Z, raw, ready, status_of
from tests.ssd.mq import MigrationQueue

REQUEST = commands.async_event_request(0)
TAIL, FULL = 0x0000_0004, 0x0000_0104
LIMIT = 4
"""AERL + 1."""

Told = tuple[int, int, int]
"""DW0 and DW1 of a completion, and its status."""


@pytest.fixture(params=[False, True], ids=["", "audited"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return ready(audited=request.param)


def ask(host: Host, count: int = 1) -> list[int]:
    """Submit that many requests; gives their CIDs."""
    cids = host.admin.submit(*[REQUEST] * count)
    host.bench.engine.run()
    return cids


def told(host: Host, cids: list[int]) -> list[Told | None]:
    """What the requests were told, or None where one still waits."""
    host.bench.engine.run()
    host.admin.reap()
    answers = [host.admin.unread.pop(cid, None) for cid in cids]
    return [None if a is None else (a[0].dw0, a[0].dw1, status_of(a[0])) for a in answers]


def logging(bench: Bench, slots: int = 8) -> MigrationQueue:
    queue = bench.x.make_mq(slots)
    assert queue.start() == Status.SUCCESS
    return queue


def write(bench: Bench, count: int = 1, host: Host | None = None) -> None:
    """That many entries are posted, as long as there is room."""
    for _ in range(count):
        host = host or bench.y
        assert host.io.status(commands.write_zeroes(0, 1, 0, 1)) == Status.SUCCESS


def arm(queue: MigrationQueue, slot: int, head: int = 0) -> Status:
    return queue.host.admin.status(lm.set_head(0, queue.cdqid, head, slot))


# -- what is told, and when -------------------------------------------------------------------------------


def test_the_entry_in_the_trigger_slot_raises_the_tail_pointer_event_once(bench: Bench) -> None:
    queue = logging(bench)
    cids = ask(bench.x, 2)
    assert arm(queue, 2) == Status.SUCCESS
    write(bench, 2)
    assert told(bench.x, cids) == [None, None]
    write(bench)
    assert told(bench.x, cids) == [(TAIL, queue.cdqid, Status.SUCCESS), None]
    queue.look()
    assert queue.tell() == Status.SUCCESS
    write(bench, 6)
    assert told(bench.x, cids)[1] is None, "the trigger disarmed itself"


def test_a_trigger_in_the_next_slot_fires_with_the_next_entry(bench: Bench) -> None:
    """By the slot that is posted, and not by the tail that it leaves behind: facts F-22."""
    queue = logging(bench)
    cids = ask(bench.x)
    write(bench, 3)
    assert arm(queue, 3) == Status.SUCCESS
    assert told(bench.x, cids) == [None]
    write(bench)
    assert told(bench.x, cids) == [(TAIL, queue.cdqid, Status.SUCCESS)]


def test_a_trigger_behind_the_tail_fires_on_the_next_lap(bench: Bench) -> None:
    queue = logging(bench)
    cids = ask(bench.x)
    write(bench, 3)
    queue.look()
    assert arm(queue, 1, head=3) == Status.SUCCESS
    write(bench, 6)
    assert told(bench.x, cids) == [None]
    queue.look()
    assert bench.x.admin.status(lm.set_head(0, queue.cdqid, 1, 1)) == Status.SUCCESS
    write(bench)
    assert told(bench.x, cids) == [(TAIL, queue.cdqid, Status.SUCCESS)]


def test_the_entry_that_fills_the_queue_raises_the_full_event_once(bench: Bench) -> None:
    queue = logging(bench, 4)
    cids = ask(bench.x, 2)
    write(bench, 6)
    assert told(bench.x, cids) == [(FULL, queue.cdqid, Status.SUCCESS), None]


def test_the_filling_entry_in_the_trigger_slot_raises_both(bench: Bench) -> None:
    queue = logging(bench, 4)
    cids = ask(bench.x, 2)
    assert arm(queue, 2) == Status.SUCCESS
    write(bench, 3)
    assert told(bench.x, cids) == [(TAIL, queue.cdqid, 0), (FULL, queue.cdqid, 0)]


def test_an_event_waits_for_a_request(bench: Bench) -> None:
    queue = logging(bench, 4)
    write(bench, 3)
    assert told(bench.x, ask(bench.x)) == [(FULL, queue.cdqid, Status.SUCCESS)]


def test_one_request_is_told_of_one_event_in_the_order_of_happening(bench: Bench) -> None:
    first = logging(bench, 4)
    second = bench.x.make_mq(4, bench.z.cntlid)
    assert second.start() == Status.SUCCESS
    write(bench, 3, bench.z)
    write(bench, 3)
    assert told(bench.x, ask(bench.x)) == [(FULL, second.cdqid, Status.SUCCESS)]
    assert told(bench.x, ask(bench.x)) == [(FULL, first.cdqid, Status.SUCCESS)]


def test_telling_clears_an_event_and_masks_no_other(bench: Bench) -> None:
    """One-shot events need no log page to be read before the next is told of."""
    queue = logging(bench)
    for slot in range(1, 5):
        cids = ask(bench.x)
        assert arm(queue, slot) == Status.SUCCESS
        write(bench, 2 if slot == 1 else 1)
        assert told(bench.x, cids) == [(TAIL, queue.cdqid, Status.SUCCESS)]


def test_the_target_is_told_nothing(bench: Bench) -> None:
    logging(bench, 4)
    cids = ask(bench.y)
    write(bench, 6)
    assert told(bench.y, cids) == [None]


# -- what is forgotten ------------------------------------------------------------------------------------


def test_set_features_forgets_a_tail_pointer_event_that_nobody_was_told_of(bench: Bench) -> None:
    queue = logging(bench)
    assert arm(queue, 0) == Status.SUCCESS
    write(bench)
    assert queue.tell(0) == Status.SUCCESS
    assert told(bench.x, ask(bench.x)) == [None]


def test_set_features_that_is_refused_forgets_nothing(bench: Bench) -> None:
    queue = logging(bench)
    assert arm(queue, 0) == Status.SUCCESS
    write(bench)
    assert queue.tell(5) == Status.INVALID_FIELD
    assert arm(queue, 8) == Status.INVALID_FIELD
    assert told(bench.x, ask(bench.x)) == [(TAIL, queue.cdqid, Status.SUCCESS)]


def test_set_features_does_not_forget_a_full_event(bench: Bench) -> None:
    queue = logging(bench, 4)
    write(bench, 3)
    queue.look()
    assert queue.tell() == Status.SUCCESS
    assert told(bench.x, ask(bench.x)) == [(FULL, queue.cdqid, Status.SUCCESS)]


def test_a_start_that_is_refused_forgets_nothing(bench: Bench) -> None:
    queue = logging(bench, 4)
    write(bench, 3)
    assert queue.start() == Status.CONTROLLER_DATA_QUEUE_FULL
    assert told(bench.x, ask(bench.x)) == [(FULL, queue.cdqid, Status.SUCCESS)]


def test_a_start_forgets_no_tail_pointer_event(bench: Bench) -> None:
    queue = logging(bench)
    assert arm(queue, 0) == Status.SUCCESS
    write(bench)
    assert queue.stop() == Status.SUCCESS
    assert queue.start() == Status.SUCCESS
    assert told(bench.x, ask(bench.x)) == [(TAIL, queue.cdqid, Status.SUCCESS)]


@pytest.mark.parametrize("start_logging", ["at once", "after commands in flight"])
def test_a_success_of_track_send_forgets_the_full_event(start_logging: str) -> None:
    bench = ready(habits=Habits(start_logging=start_logging))
    queue = logging(bench, 4)
    write(bench, 3)
    queue.look()
    assert queue.tell() == Status.SUCCESS
    assert queue.start() == Status.SUCCESS
    assert told(bench.x, ask(bench.x)) == [None]


def test_the_events_of_a_queue_go_with_it(bench: Bench) -> None:
    queue = logging(bench, 4)
    assert arm(queue, 2) == Status.SUCCESS
    write(bench, 3)
    assert bench.x.admin.status(lm.delete_cdq(0, queue.cdqid)) == Status.SUCCESS
    assert bench.x.make_mq(4).cdqid == queue.cdqid, "a new queue has the old one's id"
    assert told(bench.x, ask(bench.x)) == [None]


def test_a_reset_forgets_events_and_requests(bench: Bench) -> None:
    logging(bench, 4)
    write(bench, 3)
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    cids = ask(bench.x, LIMIT)
    assert told(bench.x, cids) == [None] * LIMIT
    bench.x.write(Property.CC, 0)
    assert bench.x.admin.reap() == []
    bench.x.enable()
    cids = ask(bench.x, LIMIT)
    assert told(bench.x, cids) == [None] * LIMIT, "as many as ever may be outstanding"


# -- requests ---------------------------------------------------------------------------------------------


def test_as_many_requests_wait_as_identify_says(bench: Bench) -> None:
    queue = logging(bench, 4)
    *cids, one_more = ask(bench.x, LIMIT + 1)
    assert told(bench.x, [*cids, one_more]) == [None] * LIMIT + [(0, 0, Status.ASYNC_LIMIT)]
    write(bench, 3)
    assert told(bench.x, cids) == [(FULL, queue.cdqid, Status.SUCCESS)] + [None] * (LIMIT - 1)
    assert told(bench.x, ask(bench.x, 2)) == [None, (0, 0, Status.ASYNC_LIMIT)]


def test_a_request_that_is_malformed_is_refused_and_does_not_count(bench: Bench) -> None:
    for _ in range(LIMIT + 1):
        assert bench.x.admin.status(raw(AdminOpcode.ASYNC_EVENT_REQUEST, flags=1)) == Status.INVALID_FIELD
    assert told(bench.x, ask(bench.x, LIMIT)) == [None] * LIMIT


def test_a_request_takes_no_slot_of_its_completion_queue_while_it_waits() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    bench.y.enable(entries=2)
    for _ in range(LIMIT):
        assert told(bench.y, ask(bench.y)) == [None]
        assert bench.y.admin.status(commands.get_number_of_queues(0)) == Status.SUCCESS


def full_queue(bench: Bench) -> tuple[int, int]:
    """X's admin Completion Queue has no room for an event that has happened; gives the CDQID, and the request's CID."""
    x = bench.x
    x.write(Property.CC, 0)
    x.enable(entries=4)
    bench.online(bench.y)
    bench.y.enable()
    bench.y.make_ring(1)
    queue = logging(bench, 4)
    (cid,) = ask(x)
    x.admin.submit(*[commands.get_number_of_queues(0)] * 3)
    bench.engine.run()
    write(bench, 3)
    return queue.cdqid, cid


def test_an_event_waits_until_the_completion_queue_has_room() -> None:
    bench = ready()
    cdqid, cid = full_queue(bench)
    bench.x.admin.reap(tell=False)
    assert cid not in bench.x.admin.unread, "three completions fill a queue of four slots"
    bench.x.admin.tell()
    assert told(bench.x, [cid]) == [(FULL, cdqid, Status.SUCCESS)]


@pytest.mark.parametrize("seed", range(30))
def test_an_event_and_commands_share_the_slots_that_become_free(seed: int) -> None:
    """One at a time: whoever is first takes it, and nobody overwrites what is not read yet."""
    bench = ready(Random(seed))
    cdqid, cid = full_queue(bench)
    ring, cq = bench.x.admin, bench.x.controller.cqs[0]
    cids = ring.submit(*[commands.get_number_of_queues(0)] * 3)
    for _ in range(7):
        bench.engine.run()
        assert cq.posted - cq.consumed.level <= cq.entries - 1
        cqe = ring.look()
        assert cqe is not None
        ring.unread.setdefault(cqe.cid, []).append(cqe)
        ring.reaped += 1
        ring.tell()
    assert told(bench.x, [cid]) == [(FULL, cdqid, Status.SUCCESS)]
    assert all(status_of(ring.unread[each][0]) == Status.SUCCESS for each in cids)
    assert all(len(ring.unread[each]) == 1 for each in cids)


def test_an_event_that_waited_for_room_is_forgotten_by_a_reset_and_later_ones_are_told_of() -> None:
    bench = ready()
    full_queue(bench)
    cdqid, cid = full_queue(bench)
    bench.x.admin.reap()
    assert told(bench.x, [cid]) == [(FULL, cdqid, Status.SUCCESS)]


def test_a_command_id_that_a_waiting_request_has_is_in_use(bench: Bench) -> None:
    queue = logging(bench, 4)
    ring = bench.x.admin
    ring.put(REQUEST, 0x77)
    ring.ring()
    for sqe in (commands.get_number_of_queues(0), REQUEST):
        ring.put(sqe, 0x77)
        ring.ring()
        bench.engine.run()
        (cqe,) = ring.reap()
        assert (cqe.cid, status_of(cqe)) == (0x77, Status.COMMAND_ID_CONFLICT)
        ring.unread.clear()
    write(bench, 3)
    assert told(bench.x, [0x77]) == [(FULL, queue.cdqid, Status.SUCCESS)]
    assert _with_cid(ring, 0x77) == Status.SUCCESS


def _with_cid(ring: Ring, cid: int) -> Status:
    ring.put(commands.get_number_of_queues(0), cid)
    ring.ring()
    ring.host.bench.engine.run()
    (cqe,) = ring.reap()
    return status_of(cqe)


# -- nobody waits for a request ---------------------------------------------------------------------------


@pytest.mark.parametrize("start_logging", ["at once", "after commands in flight"])
def test_logging_starts_while_a_request_waits(start_logging: str) -> None:
    bench = ready(habits=Habits(start_logging=start_logging))
    cids = ask(bench.y, 2)
    queue = logging(bench)
    write(bench)
    assert [entry.slba for entry in queue.take() if entry.blocks] == [0]
    assert told(bench.y, cids) == [None, None]


def test_a_request_outlives_a_suspension(bench: Bench) -> None:
    cids = ask(bench.y, LIMIT)
    assert bench.x.suspend() == Status.SUCCESS
    address = bench.x.take()
    cqe = bench.x.admin.run(lm.get_controller_state(0, address, 0, Y, 32, 0, 1, 1))
    assert (cqe.dw0, status_of(cqe)) == (1, Status.SUCCESS), "the target is suspended, and at rest"
    assert bench.x.resume() == Status.SUCCESS
    assert told(bench.y, [*cids, *ask(bench.y)]) == [None] * LIMIT + [(0, 0, Status.ASYNC_LIMIT)]


def test_io_queues_come_and_go_while_a_request_waits(bench: Bench) -> None:
    cids = ask(bench.y, 2)
    bench.y.make_ring(2)
    assert bench.y.admin.status(commands.delete_io_sq(0, 2)) == Status.SUCCESS
    assert bench.y.admin.status(commands.delete_io_cq(0, 2)) == Status.SUCCESS
    assert told(bench.y, cids) == [None, None]


def test_requests_that_wait_move_along_with_the_controller_state() -> None:
    """The guest goes on waiting elsewhere, for the head of its admin queue has passed them."""
    bench = ready()
    cids = ask(bench.y, 3)
    assert bench.x.suspend() == Status.SUCCESS
    state = bench.x.get_state()
    bench.z.write(Property.CC, 0)
    assert bench.x.suspend(Z) == Status.SUCCESS
    assert bench.x.set_state(state, Z) == Status.SUCCESS
    assert [request.sqe.cid for request in bench.z.controller.event_requests] == cids
    assert bench.x.get_state(Z)[48:] == state[48:], "all but the header, which tells how long"
    assert bench.x.resume(Z) == Status.SUCCESS
    guest = _moved(bench)
    assert told(guest, [*cids, *ask(guest, 2)]) == [None] * 4 + [(0, 0, Status.ASYNC_LIMIT)]
    assert guest.admin.run(commands.abort(0, 0, cids[1])).dw0 == 0
    assert told(guest, [cids[1]]) == [(0, 0, Status.ABORT_REQUESTED)]


def test_a_state_that_arrives_ends_the_requests_of_the_queue_that_it_replaces() -> None:
    bench = ready()
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    ask(bench.z, 2)
    cids = ask(bench.y)
    for cntlid in (Y, Z):
        assert bench.x.suspend(cntlid) == Status.SUCCESS
    assert bench.x.set_state(bench.x.get_state(), Z) == Status.SUCCESS
    assert [request.sqe.cid for request in bench.z.controller.event_requests] == cids


def _moved(bench: Bench) -> Host:
    """Z, whose host has the rings of Y at the same addresses of its own memory."""
    y, z = bench.y, bench.z
    for number in y.space.pages():
        z.space.write(number << 12, y.space.read(number << 12, 4096))
    for qid, ring in y.rings.items():
        z.rings[qid] = ring
        ring.host = z
    return z

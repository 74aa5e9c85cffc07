"""What steps say that they touch: enough for every race, and no more, lest explorers see races where none are."""

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import EntrySpecial, Property
from nvmelm_lab.ssd.footprints import aborting, resetting
from nvmelm_lab.ssd.namespace import Namespace
from tests.ssd.door import Bench, ready

LBA = ("lba", "SSD", 1, 3)
ALLOCATED = ("allocated", "SSD", 1, 3)


def namespace_of(bench: Bench) -> Namespace:
    return bench.ssd.namespaces[1]


def test_a_write_touches_the_allocation_of_new_blocks_and_the_content_of_all() -> None:
    namespace = namespace_of(ready())
    assert namespace.writing(3, 1) == ((), (LBA, ALLOCATED))
    namespace.write(3, [1])
    assert namespace.writing(3, 1) == ((ALLOCATED,), (LBA,))


def test_a_deallocation_changes_nothing_of_what_is_deallocated() -> None:
    namespace = namespace_of(ready())
    assert namespace.deallocating(3, 1) == ((ALLOCATED,), ())
    namespace.write(3, [1])
    assert namespace.deallocating(3, 1) == ((), (LBA, ALLOCATED))


def test_a_read_touches_content_and_a_question_allocation() -> None:
    namespace = namespace_of(ready())
    assert namespace.reading(3, 1) == ((LBA,), ())
    assert namespace.asking(3, 1) == ((ALLOCATED,), ())


def test_posting_looks_at_the_head_only_where_the_queue_may_fill() -> None:
    bench = ready()
    mq = bench.x.make_mq(4)
    queue = bench.ssd.migration_queues[mq.cdqid]
    key = ("X", mq.cdqid)
    log = bench.y.controller.log_key
    assert queue.posting() == ((log,), ()), "a closed queue takes nothing"
    mq.start()
    assert queue.posting() == ((log,), (("tail", key), ("slot", key, 0))), "what starts and stops it decides"
    bench.y.write_blocks(0, [1])
    bench.y.write_blocks(1, [1])
    events = ("outstanding", "X")
    assert queue.posting() == ((("head", key),), (("tail", key), ("slot", key, 2), log, events))
    mq.take()
    assert queue.posting() == ((log, ("head", key)), (("tail", key), ("slot", key, 2)))


def test_posting_into_the_trigger_slot_touches_the_trigger_and_the_events() -> None:
    bench = ready()
    mq = bench.x.make_mq(8)
    mq.start()
    queue = bench.ssd.migration_queues[mq.cdqid]
    head, tail, events = ("head", ("X", 0)), ("tail", ("X", 0)), ("outstanding", "X")
    assert queue.moving_head(0, arms=True) == ((tail,), (head,)), "the next entry may meet it, or miss it"
    assert bench.x.admin.status(lm.set_head(0, mq.cdqid, 0, 1)) == Status.SUCCESS
    assert queue.posting() == ((bench.y.controller.log_key,), (tail, ("slot", ("X", 0), 0)))
    assert queue.posting(2)[1][-2:] == (head, events)
    bench.y.write_blocks(0, [1])
    bench.y.write_blocks(1, [1])
    assert queue.moving_head(0) == ((), (head, events)), "an event that nobody was told of is forgotten"


def test_a_queue_that_is_full_and_nobody_was_told_of_it_is_started_or_deleted_with_its_event() -> None:
    bench = ready()
    mq = bench.x.make_mq(4)
    queue = bench.ssd.migration_queues[mq.cdqid]
    events = ("outstanding", "X")
    assert events not in (*queue.starting()[1], *queue.deleting(), *resetting(bench.x.controller)[1])
    mq.start()
    for lba in range(3):
        bench.y.write_blocks(lba, [1])
    assert events in queue.starting()[1]
    assert events in queue.deleting()
    assert events in resetting(bench.x.controller)[1]


def test_fetching_looks_at_what_is_outstanding_only_where_something_is() -> None:
    bench = ready()
    x = bench.x.controller
    assert x.fetch.touches is not None
    assert x.fetch.touches(x.sqs[0]) == ((), ())
    bench.x.admin.submit(commands.async_event_request(0))
    bench.engine.run()
    assert x.fetch.touches(x.sqs[0]) == ((("outstanding", "X"),), ())
    assert x.fetch.touches(x.sqs[1]) == ((), ())


def test_an_abort_touches_what_ends_commands_and_what_is_outstanding() -> None:
    bench = ready()
    for host in (bench.x, bench.y):
        controller = host.controller
        (cid,) = host.admin.submit(commands.abort(0, 0, 1))
        bench.engine.advance(1)
        (command,) = controller.in_flight
        assert command.sqe.cid == cid
        assert controller.execute_admin.touches is not None
        _, writes = controller.execute_admin.touches(command)
        assert {*controller.ending_touches()[1], controller.events.key} <= set(writes)
        assert controller.complete.touches is not None
        assert controller.events.key in controller.complete.touches(command)[1], "one Abort less"
        bench.engine.run()


def test_the_last_slot_of_the_admin_completion_queue_is_contended() -> None:
    bench = ready()
    cq = bench.x.controller.cqs[0]
    assert bench.x.controller.claiming(cq) == ()
    bench.x.admin.submit(*[commands.get_number_of_queues(0)] * 13)
    bench.engine.run()
    assert (cq.room, bench.x.controller.claiming(cq)) == (2, ())
    bench.x.admin.submit(commands.get_number_of_queues(0))
    bench.engine.run()
    assert cq.room == 1
    assert bench.x.controller.claiming(cq) == (("room", "X", 0),)


def test_slots_are_never_used_twice_so_that_laps_do_not_race() -> None:
    bench = ready()
    mq = bench.x.make_mq(4)
    mq.start()
    queue = bench.ssd.migration_queues[mq.cdqid]
    for lba in range(9):
        assert ("slot", ("X", 0), lba) in queue.posting()[1]
        bench.y.write_blocks(lba, [1])
        mq.take()


def test_moving_the_head_touches_the_entries_that_it_gives_up() -> None:
    bench = ready()
    mq = bench.x.make_mq(8)
    mq.start()
    for lba in range(3):
        bench.y.write_blocks(lba, [1])
    queue = bench.ssd.migration_queues[0]
    key = ("X", 0)
    assert queue.moving_head(2) == ((("slot", key, 0), ("slot", key, 1)), (("head", key),))
    assert queue.moving_head(5) == ((("tail", key),), (("head", key),)), (
        "whether it may is seen from the tail"
    )


def test_a_marker_looks_whether_it_is_still_true() -> None:
    bench = ready()
    mq = bench.x.make_mq(8)
    mq.start()
    queue = bench.ssd.migration_queues[0]
    log = bench.y.controller.log_key
    assert log in queue.marking(EntrySpecial.SUSPENDED)[0]
    assert log in queue.marking(EntrySpecial.STOPPED)[1], "the stop marker closes the queue"
    touches = bench.x.controller.steps.mark.touches
    assert touches is not None
    assert bench.y.controller.fetch_gate.key in touches((queue, EntrySpecial.SUSPENDED))[0]
    assert queue.resuming() == ((log,), (("tail", ("X", 0)),))


def test_a_reset_reaches_positions_gate_and_log_and_that_of_the_primary_everybodys() -> None:
    bench = ready()
    bench.x.make_mq(8)
    y, z = bench.y.controller, bench.z.controller
    own = resetting(y)[1]
    assert {("state", "Y"), y.fetch_gate.key} <= set(own)
    assert ("state", "Z") not in own
    everybodys = resetting(bench.x.controller)[1]
    assert {("state", "Y"), ("state", "Z"), y.fetch_gate.key, z.fetch_gate.key, y.log_key} <= set(everybodys)
    assert bench.y.controller.property_touches(Property.AQA) == ((("living", "Y"),), ())


def test_every_step_of_a_command_reads_the_cell_that_resets_and_deletions_of_its_queue_write() -> None:
    bench = ready()
    bench.x.make_mq(8).start()
    y, living = bench.y.controller, ("living", "Y")
    bench.y.io.submit(commands.write_zeroes(0, 1, 0, 1))
    while not y.in_flight:
        bench.engine.advance(1)
    (command,) = y.in_flight
    for kind in (y.execute, y.execute_admin, y.post_entries):
        assert kind.touches is not None
        assert living in kind.touches(command)[0]
    for reads, writes in (resetting(y), aborting(y, y.sqs[1])):
        assert living in writes
        assert living not in reads


def test_a_primary_controller_has_cells_of_its_own_only_where_somebody_reckons_with_its_reset() -> None:
    bench = ready()
    x = bench.x.controller
    assert (x.living, x.doorbell_touches()) == ((), ((), ()))
    x.reckon_with_resets()
    assert (x.living, x.doorbell_touches()) == ((("living", "X"),), ((("state", "X"),), ()))


def test_a_reset_that_tells_of_several_commands_says_each_slot() -> None:
    bench = ready(Random(1))
    bench.x.make_mq(16).start()
    y = bench.y.controller
    most = 0
    for _ in range(20):
        bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(2)))
        while y.sqs[1].visible.level > y.sqs[1].fetched or y.in_flight:
            bench.engine.advance(1)
            untold = sum(not command.told for command in y.in_flight)
            tail = bench.ssd.migration_queues[0].tail
            assert {("slot", ("X", 0), tail + n) for n in range(untold)} <= set(resetting(y)[1])
            most = max(most, untold)
        bench.y.io.reap()
        bench.x.admin.status(lm.set_head(0, 0, tail % 16))
    assert most == 2


def test_fetches_race_only_for_the_last_room_of_a_shared_completion_queue() -> None:
    bench = ready()
    fetch = bench.y.controller.fetch
    assert fetch.touches is not None
    ring = bench.y.make_ring(2, 8, cq_entries=3)
    sq = bench.y.controller.sqs[2]
    assert fetch.touches(sq) == ((("state", "Y"),), ())
    assert bench.y.admin.status(commands.create_io_sq(0, bench.y.take(), 3, 8, 2)) == Status.SUCCESS
    assert fetch.touches(sq) == ((("state", "Y"),), ())
    ring.submit(commands.flush(0, 1))
    bench.engine.run()
    assert fetch.touches(sq) == ((("state", "Y"),), (("room", "Y", 2),))

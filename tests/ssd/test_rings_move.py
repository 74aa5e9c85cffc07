"""Rings that move: whatever their positions, they go on at another controller where they were."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme.codes import Property
from tests.ssd.door import Bench, Host, Ring, X, Y, Z, ready, status_of

FLUSH = commands.flush(0, 1)
ADMIN = commands.get_number_of_queues(0)


def moved(bench: Bench, source: Host, target: Host) -> Host:
    """The host of `source` as it goes on at the controller of `target`, its memory copied."""
    for number in source.space.pages():
        source.space.copy_page(number, target.space)
    host = Host(bench, target.controller)
    for qid, ring in source.rings.items():
        copy = Ring(host, qid, ring.entries, ring.sq, ring.cq, ring.cq_entries)
        copy.submitted, copy.reaped = ring.submitted, ring.reaped
        host.rings[qid] = copy
    return host


@settings(max_examples=150, deadline=None)
@given(
    entries=st.integers(2, 9),
    cq_entries=st.integers(2, 9),
    before=st.integers(0, 30),
    unreaped=st.integers(0, 8),
    waiting=st.integers(0, 8),
    admin_before=st.integers(0, 40),
    admin_waiting=st.integers(0, 5),
    empty_target=st.booleans(),
)
def test_commands_and_completions_on_the_rings_survive_the_move(
    entries: int,
    cq_entries: int,
    before: int,
    unreaped: int,
    waiting: int,
    admin_before: int,
    admin_waiting: int,
    empty_target: bool,
) -> None:
    bench = ready()
    ring, admin = bench.y.make_ring(2, entries, cq_entries=cq_entries), bench.y.admin
    for _ in range(before):
        assert ring.status(FLUSH) == Status.SUCCESS
    for _ in range(admin_before):
        assert admin.status(ADMIN) == Status.SUCCESS
    unreaped = min(unreaped, entries - 1, cq_entries - 1)
    left = [ring.put(FLUSH) for _ in range(unreaped)]
    ring.ring()
    assert bench.x.suspend(Y) == Status.SUCCESS
    bench.engine.run()
    # The suspension may have come before the fetch: what is left completes on either side, but once.
    fetched = bench.y.controller.sqs[2].fetched - before
    more = min(waiting, entries - 1 - (unreaped - fetched))
    left += [ring.put(FLUSH) for _ in range(more)]
    ring.ring()
    admin_left = [admin.put(ADMIN) for _ in range(min(admin_waiting, 15))]
    admin.ring()
    bench.engine.run()
    state = bench.x.get_state(Y)

    bench.z.write(Property.CC, 0)
    if not empty_target:
        bench.z.enable()
    assert bench.x.suspend(Z) == Status.SUCCESS
    assert bench.x.set_state(state, Z) == Status.SUCCESS
    again = bench.x.get_state(Z)
    assert again == state
    host = moved(bench, bench.y, bench.z)
    assert host.read(Property.CSTS) == 1
    assert bench.x.resume(Z) == Status.SUCCESS

    done: list[int] = []
    while len(done) < len(left):
        bench.engine.run()
        reaped = host.rings[2].reap()
        assert reaped, f"{len(left) - len(done)} completions never came"
        assert all(status_of(cqe) == Status.SUCCESS for cqe in reaped)
        done += [cqe.cid for cqe in reaped]
    assert done == left
    bench.engine.run()
    assert [cqe.cid for cqe in host.admin.reap()] == admin_left
    for _ in range(2 * max(entries, cq_entries)):
        host.rings[2].unread.clear()
        assert host.rings[2].status(FLUSH) == Status.SUCCESS
        host.admin.unread.clear()
        assert host.admin.status(ADMIN) == Status.SUCCESS


@settings(max_examples=40, deadline=None)
@given(
    history=st.lists(st.sampled_from(["run", "leave", "reap", "wait"]), max_size=12), hops=st.integers(1, 4)
)
def test_a_controller_may_move_back_and_forth_with_its_rings(history: list[str], hops: int) -> None:
    bench = ready()
    host = bench.y
    here, there = bench.y.controller, bench.z.controller
    bench.z.write(Property.CC, 0)
    wanted: list[int] = []
    got: list[int] = []
    for hop in range(hops):
        for number, what in enumerate(history):
            if what == "wait":
                continue
            if what == "reap":
                got += [cqe.cid for cqe in host.io.reap()]
            elif len(wanted) - len(got) < 14:
                cid = 100 * hop + number + 1000
                wanted.append(cid)
                host.io.put(FLUSH, cid)
                host.io.ring()
                if what == "run":
                    bench.engine.run()
        assert bench.x.suspend(here.cntlid) == Status.SUCCESS
        state = bench.x.get_state(here.cntlid)
        assert bench.x.suspend(there.cntlid) == Status.SUCCESS
        assert bench.x.set_state(state, there.cntlid) == Status.SUCCESS
        target = Host(bench, there)
        bench.poke(here, Property.CC, 0)
        host = moved(bench, host, target)
        assert bench.x.resume(there.cntlid) == Status.SUCCESS
        here, there = there, here
    bench.engine.run()
    got += [cqe.cid for cqe in host.io.reap()]
    assert got == wanted
    assert here.cntlid != X

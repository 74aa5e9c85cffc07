"""Random changes, hosts and habits against a plain reader of the log: what has to be told is, in time and in order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands, pack_copy_ranges, pack_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LogAction, SanitizeAction
from nvmelm_lab.ssd import FREEDOMS, Habits
from tests.ssd.door import Bench, Y, ready
from tests.ssd.model import LogModel, NamespaceModel, watch
from tests.ssd.mq import MigrationQueue

BLOCKS = 24
HABITS = st.builds(
    Habits,
    **{
        freedom.name: st.sampled_from(freedom.options + (("open",) if freedom.scope == "timing" else ()))
        for freedom in FREEDOMS
    },
)
RANGE = st.tuples(st.integers(0, BLOCKS - 6), st.integers(1, 6))
CHANGE = st.one_of(
    st.tuples(st.sampled_from(["write", "zeroes", "deallocating zeroes", "uncorrectable"]), RANGE),
    st.tuples(st.sampled_from(["deallocate", "copy"]), st.lists(RANGE, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["zero namespace", "format"]), st.none()),
)
TURN = st.one_of(
    st.tuples(st.just("change"), st.lists(CHANGE, min_size=1, max_size=6)),
    st.tuples(st.just("foreign"), st.lists(CHANGE, min_size=1, max_size=2)),
    st.tuples(st.sampled_from(["step"]), st.integers(1, 40)),
    st.tuples(
        st.sampled_from(
            ["read", "start", "stop", "suspend", "resume", "suspend and resume", "sanitize", "settle"]
        ),
        st.none(),
    ),
)


def sqe_of(bench: Bench, host: Any, word: str, where: Any) -> bytes:
    if word == "deallocate":
        address = host.take()
        host.space.write(address, pack_ranges(where))
        return commands.dataset_management(0, 1, len(where), address)
    if word == "copy":
        address = host.take()
        (destination, _), *sources = [*where, where[0]]
        host.space.write(address, pack_copy_ranges(sources))
        return commands.copy(0, 1, destination, len(sources), address)
    if word == "zero namespace":
        return commands.zero_namespace(0, 1)
    if word == "format":
        return commands.format_nvm(0, 1)
    slba, blocks = where
    if word == "write":
        return commands.write(0, 1, slba, blocks, *host.prp(host.take(blocks * 4096), blocks * 4096))
    if word == "uncorrectable":
        return commands.write_uncorrectable(0, 1, slba, blocks)
    return commands.write_zeroes(0, 1, slba, blocks, word != "zeroes")


class Run:
    """A bench whose effects a `LogModel` reads as they come."""

    def __init__(self, habits: Habits, slots: int, seed: int) -> None:
        self.bench = ready(blocks=BLOCKS, habits=habits, entries=64)
        self.queue: MigrationQueue = self.bench.x.make_mq(slots)
        self.model = LogModel(NamespaceModel(BLOCKS), "Y", slots, habits)
        self.starts: set[int] = set()
        self.seen = watch(self.bench, Random(seed), *LogModel.WORDS)

    def turn(self, word: str, what: Any) -> None:
        bench, x = self.bench, self.bench.x
        if word == "change" or word == "foreign":
            host = bench.y if word == "change" else bench.z
            if any(
                ring.submitted - ring.reaped + len(what) > ring.entries - 1 for ring in host.rings.values()
            ):
                return
            for change in what:
                ring = host.admin if change[0] == "format" else host.io
                ring.submit(sqe_of(bench, host, *change))
        elif word == "step":
            bench.engine.advance(what)
        elif word == "read":
            self.queue.look()
            x.admin.submit(lm.set_head(0, self.queue.cdqid, self.queue.read % self.queue.slots))
        elif word in ("start", "stop"):
            action = LogAction.START if word == "start" else LogAction.STOP
            (cid,) = x.admin.submit(lm.track_send(0, self.queue.cdqid, action))
            if word == "start":
                self.starts.add(cid)
        elif word in ("suspend", "resume"):
            x.admin.submit(lm.suspend(0, Y) if word == "suspend" else lm.resume(0, Y))
        elif word == "sanitize":
            x.admin.submit(commands.sanitize(0, SanitizeAction.CRYPTO_ERASE))
        elif word == "suspend and resume":
            x.admin.submit(lm.suspend(0, Y), lm.resume(0, Y))
        if word not in ("change", "foreign", "step", "sanitize"):
            bench.engine.run()
        for host in (x, bench.y, bench.z):
            for ring in host.rings.values():
                ring.reap()
                ring.unread.clear()
        self.judge()

    def judge(self) -> None:
        for step, effect in self.seen:
            started = False
            if effect[0] == "completed":
                cid, status = int.from_bytes(effect[5][12:14], "little"), effect[4]
                started = effect[1:3] == ("X", 0) and cid in self.starts and status == Status.SUCCESS
            self.model.follow(step, effect, started=started)
        self.seen.clear()

    def finish(self) -> None:
        self.turn("resume", None)
        self.turn("read", None)
        self.turn("settle", None)
        self.model.settle()


@settings(max_examples=200, deadline=None)
@given(
    turns=st.lists(TURN, max_size=25),
    habits=HABITS,
    slots=st.integers(2, 24),
    seed=st.integers(0, 10_000),
)
def test_every_change_is_told_of_in_time_and_nothing_else_is(
    turns: list[tuple[str, Any]], habits: Habits, slots: int, seed: int
) -> None:
    run = Run(habits, slots, seed)
    run.turn("start", None)
    for word, what in turns:
        run.turn(word, what)
    run.finish()


@pytest.mark.parametrize("seed", range(10))
def test_a_long_run_wraps_often_and_never_loses_an_entry(seed: int) -> None:
    run = Run(Habits(entry_order="open"), 7, seed)
    run.turn("start", None)
    for lba in range(200):
        run.turn("change", [("zeroes", (lba % (BLOCKS - 1), 1))])
        run.turn("read", None)
    run.finish()
    assert run.model.tail == 200
    assert run.model.entries == [1] + [0] * 199


def test_the_model_itself_refuses_a_log_that_leaves_something_out() -> None:
    run = Run(Habits(), 16, 1)
    run.turn("start", None)
    run.bench.y.io.submit(commands.write_zeroes(0, 1, 3, 1))
    run.bench.engine.run()
    run.seen[:] = [(step, effect) for step, effect in run.seen if effect[0] != "entry"]
    run.judge()
    with pytest.raises(AssertionError, match="never told of"):
        run.model.settle()


def test_the_model_itself_refuses_an_entry_before_its_effect() -> None:
    run = Run(Habits(), 16, 1)
    run.turn("start", None)
    run.bench.y.io.submit(commands.write_zeroes(0, 1, 3, 1))
    run.bench.engine.run()
    run.seen.sort(key=lambda seen: seen[1][0] != "entry")
    with pytest.raises(AssertionError, match="before their effect"):
        run.judge()

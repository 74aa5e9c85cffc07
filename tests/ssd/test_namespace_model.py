"""Random I/O against a plain model: content, allocation, unreadable blocks, Get LBA Status at any granularity."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands, pack_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LbaStatusAction
from nvmelm_lab.nvme.lba_status import unpack_lba_status
from tests.ssd.door import Bench, ready, status_of
from tests.ssd.model import NamespaceModel, watch

BLOCKS = 40
RANGES = st.tuples(st.integers(0, BLOCKS + 1), st.integers(1, 12))
GRANULARITIES = st.sampled_from([1, 2, 3, 5, 8, 16, 39, 40, 64])

OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["write", "zeroes", "deallocating zeroes", "uncorrectable", "read"]), RANGES),
    st.tuples(
        st.just("deallocate"),
        st.lists(st.tuples(st.integers(0, BLOCKS), st.integers(0, 12)), min_size=1, max_size=4),
    ),
    st.tuples(
        st.just("status"), st.tuples(st.integers(0, BLOCKS), st.integers(0, BLOCKS), st.integers(2, 40))
    ),
)


class Writer:
    """Builds commands; each write has content of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.count = 0

    def build(self, word: str, where: Any) -> tuple[bytes, int, list[int]]:
        """The SQE, its buffer, and what a write brings."""
        host = self.bench.y
        address = host.take(16 * 4096)
        if word == "deallocate":
            host.space.write(address, pack_ranges(where))
            return commands.dataset_management(0, 1, len(where), address), address, []
        slba, blocks = where
        if word == "zeroes" or word == "deallocating zeroes":
            return commands.write_zeroes(0, 1, slba, blocks, word != "zeroes"), address, []
        if word == "uncorrectable":
            return commands.write_uncorrectable(0, 1, slba, blocks), address, []
        prp1, prp2 = host.prp(address, blocks * host.space.stamps.block_bytes)
        if word == "read":
            return commands.read(0, 1, slba, blocks, prp1, prp2), address, []
        self.count += 100
        stamps = list(range(self.count, self.count + blocks))
        host.space.write_stamps(address, stamps)
        return commands.write(0, 1, slba, blocks, prp1, prp2), address, stamps


def in_range(word: str, where: Any) -> bool:
    ranges = where if word == "deallocate" else [where]
    return all(not blocks or slba + blocks <= BLOCKS for slba, blocks in ranges)


def apply(model: NamespaceModel, word: str, where: Any, stamps: list[int]) -> None:
    if word == "write":
        model.write(where[0], stamps)
    elif word == "zeroes":
        model.write(where[0], [0] * where[1])
    elif word == "deallocating zeroes":
        model.deallocate(*where)
    elif word == "uncorrectable":
        model.make_unreadable(*where)
    elif word == "deallocate":
        for slba, blocks in where:
            model.deallocate(slba, blocks)


def check_status(bench: Bench, model: NamespaceModel, slba: int, blocks: int, dwords: int) -> None:
    status = bench.y.lba_status(slba, blocks, dwords=dwords)
    if slba >= BLOCKS or slba + blocks > BLOCKS:
        assert status == Status.LBA_OUT_OF_RANGE
        return
    assert not isinstance(status, Status)
    expected = model.ranges(slba, slba + blocks if blocks else BLOCKS)
    fitting = (dwords - 2) // 4
    assert [(d.slba, d.blocks) for d in status.descriptors] == expected[:fitting]
    assert status.completeness == (2 if len(expected) <= fitting else 1)


@settings(max_examples=150, deadline=None)
@given(
    operations=st.lists(OPERATIONS, max_size=25),
    granularity=GRANULARITIES,
    block_bytes=st.sampled_from([512, 4096]),
)
def test_one_command_at_a_time_does_what_a_plain_map_would(
    operations: list[tuple[str, Any]], granularity: int, block_bytes: int
) -> None:
    bench = ready(blocks=BLOCKS, granularity=granularity, block_bytes=block_bytes)
    model, writer = NamespaceModel(BLOCKS, granularity), Writer(bench)
    for word, where in operations:
        if word == "status":
            check_status(bench, model, *where)
            continue
        sqe, address, stamps = writer.build(word, where)
        status = bench.y.io.status(sqe)
        if not in_range(word, where):
            assert status == Status.LBA_OUT_OF_RANGE
        elif word == "read":
            expected = model.read(*where)
            assert status == (Status.SUCCESS if expected is not None else Status.UNRECOVERED_READ_ERROR)
            if expected is not None:
                assert list(bench.y.space.read_stamps(address, where[1])) == expected
        else:
            assert status == Status.SUCCESS
            apply(model, word, where, stamps)
    check_all(bench, model)


@settings(max_examples=80, deadline=None)
@given(
    batches=st.lists(st.lists(OPERATIONS, min_size=1, max_size=12), max_size=4),
    granularity=GRANULARITIES,
    seed=st.integers(0, 10_000),
)
def test_commands_under_way_together_take_effect_one_after_the_other(
    batches: list[list[tuple[str, Any]]], granularity: int, seed: int
) -> None:
    bench = ready(blocks=BLOCKS, granularity=granularity)
    model, writer = NamespaceModel(BLOCKS, granularity), Writer(bench)
    seen = watch(bench, Random(seed), "wrote", "changed", "read", "reported")
    for batch in batches:
        run_batch(bench, model, writer, batch, seen)
    check_all(bench, model)


def run_batch(
    bench: Bench,
    model: NamespaceModel,
    writer: Writer,
    batch: list[tuple[str, Any]],
    seen: list[tuple[int, tuple[Any, ...]]],
) -> None:
    seen.clear()
    wanted = [(word, where) for word, where in batch if word != "status"]
    question = next(
        (where for word, where in batch if word == "status" and sum(where[:2]) <= BLOCKS > where[0]), None
    )
    buffer = bench.y.take()
    if question is not None:
        slba, blocks, _ = question
        bench.y.admin.submit(lm.get_lba_status(0, 1, slba, blocks, 200, LbaStatusAction.ALLOCATED, buffer))
    cids = bench.y.io.submit(*(writer.build(word, where)[0] for word, where in wanted)) if wanted else []
    bench.engine.run()
    bench.y.admin.reap()
    done = {cqe.cid: status_of(cqe) for cqe in bench.y.io.reap()}
    assert sorted(done) == cids
    for cid, (word, where) in zip(cids, wanted, strict=True):
        legal = {Status.SUCCESS, Status.UNRECOVERED_READ_ERROR} if word == "read" else {Status.SUCCESS}
        assert done[cid] in (legal if in_range(word, where) else {Status.LBA_OUT_OF_RANGE})
    for _, effect in seen:
        if effect[0] == "read":
            assert model.read(effect[3], len(effect[4])) == list(effect[4])
        elif effect[0] == "reported":
            assert question is not None
            expected = model.ranges(question[0], question[0] + question[1] if question[1] else BLOCKS)
            status = unpack_lba_status(bench.y.space.read(buffer, 4096))
            assert [(d.slba, d.blocks) for d in status.descriptors] == expected
        else:
            model.follow(effect)


def check_all(bench: Bench, model: NamespaceModel) -> None:
    bench.y.io.unread.clear()
    for lba in range(BLOCKS):
        expected = model.read(lba, 1)
        assert bench.y.read_blocks(lba, 1) == (
            Status.UNRECOVERED_READ_ERROR if expected is None else expected
        )
    check_status(bench, model, 0, 0, 1000)


@settings(max_examples=200, deadline=None)
@given(
    blocks=st.integers(1, 200),
    granularity=st.integers(1, 210),
    written=st.sets(st.integers(0, 199), max_size=40),
    slba=st.integers(0, 199),
    length=st.integers(1, 200),
    most=st.integers(1, 30),
)
def test_allocated_ranges_are_those_that_a_look_at_every_block_finds(
    blocks: int, granularity: int, written: set[int], slba: int, length: int, most: int
) -> None:
    bench = Bench(granularity=granularity)
    bench.ssd.create_namespace(1, blocks, shared=True)
    model = NamespaceModel(blocks, granularity)
    for lba in written:
        if lba < blocks:
            bench.ssd.namespaces[1].write(lba, [1])
            model.write(lba, [1])
    slba = min(slba, blocks - 1)
    end = min(slba + length, blocks)
    assert bench.ssd.namespaces[1].allocated_ranges(slba, end, most) == model.ranges(slba, end)[:most]

"""Random commands against a plain model: content, allocation, what cannot be read, Get LBA Status."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands, pack_copy_ranges, pack_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LbaStatusAction, SanitizeAction
from nvmelm_lab.nvme.lba_status import unpack_lba_status
from tests.ssd.door import Bench, ready, status_of
from tests.ssd.model import NamespaceModel, watch

BLOCKS = 40
RANGES = st.tuples(st.integers(0, BLOCKS + 1), st.integers(1, 12))
GRANULARITIES = st.sampled_from([1, 2, 3, 5, 8, 16, 39, 40, 64])

SOURCES = st.lists(st.tuples(st.integers(0, BLOCKS), st.integers(1, 12)), min_size=1, max_size=4)
QUESTION = st.tuples(st.integers(0, BLOCKS), st.integers(0, BLOCKS), st.integers(2, 40))
WHOLE = st.just((0, BLOCKS))

TOGETHER = (
    st.tuples(st.sampled_from(["write", "zeroes", "deallocating zeroes", "uncorrectable", "read"]), RANGES),
    st.tuples(st.just("copy"), st.tuples(st.integers(0, BLOCKS), SOURCES)),
    st.tuples(
        st.just("deallocate"),
        st.lists(st.tuples(st.integers(0, BLOCKS), st.integers(0, 12)), min_size=1, max_size=4),
    ),
    st.tuples(st.just("status"), QUESTION),
)
"""What can be under way at the same time: the SSD's effects say what each did."""

BATCHES = st.lists(
    st.lists(
        st.one_of(*TOGETHER, *TOGETHER, st.tuples(st.sampled_from(["zero namespace", "format"]), WHOLE)),
        min_size=1,
        max_size=12,
    ),
    max_size=4,
)
OPERATIONS = st.lists(
    st.one_of(
        *TOGETHER,
        st.tuples(st.sampled_from(["verify", "read", "right compare", "wrong compare"]), RANGES),
        st.tuples(st.just("damage"), RANGES),
        st.tuples(st.sampled_from(["scan", "tracked"]), QUESTION),
    ),
    max_size=16,
)
ENDS = st.sampled_from(["zero namespace", "format", "sanitize", "nothing"])
ACTIONS = {
    "status": LbaStatusAction.ALLOCATED,
    "scan": LbaStatusAction.SCAN,
    "tracked": LbaStatusAction.TRACKED,
}


class Writer:
    """Builds commands; each write has content of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.count = 0

    def build(self, word: str, where: Any) -> tuple[bytes, int, list[int]]:
        """The SQE, its buffer, and what a write or a Compare brings."""
        host = self.bench.y
        address = host.take(BLOCKS * 4096)
        if word == "copy":
            destination, sources = where
            host.space.write(address, pack_copy_ranges(sources))
            return commands.copy(0, 1, destination, len(sources), address), address, []
        if word == "zero namespace":
            return commands.zero_namespace(0, 1), address, []
        if word == "format":
            return commands.format_nvm(0, 1), address, []
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
        if word == "verify":
            return commands.verify(0, 1, slba, blocks), address, []
        self.count += 100
        stamps = list(range(self.count, self.count + blocks))
        host.space.write_stamps(address, stamps)
        if "compare" in word:
            return commands.compare(0, 1, slba, blocks, prp1, prp2), address, stamps
        return commands.write(0, 1, slba, blocks, prp1, prp2), address, stamps


def in_range(word: str, where: Any) -> bool:
    ranges = where if word == "deallocate" else [where]
    if word == "copy":
        destination, ranges = where
        ranges = [*ranges, (destination, sum(blocks for _, blocks in ranges))]
    return all(not blocks or slba + blocks <= BLOCKS for slba, blocks in ranges)


def apply(model: NamespaceModel, word: str, where: Any, stamps: list[int]) -> Status:
    """Do what the command does; gives the status that it has to end with."""
    if word == "copy":
        return Status.SUCCESS if model.copy(*where) else Status.UNRECOVERED_READ_ERROR
    if word in ("read", "verify") or "compare" in word:
        found = model.read(*where)
        if found is None:
            return Status.UNRECOVERED_READ_ERROR
        return Status.COMPARE_FAILURE if stamps and stamps != found else Status.SUCCESS
    if word == "write":
        model.write(where[0], stamps)
    elif word == "zeroes":
        model.write(where[0], [0] * where[1])
    elif word in ("deallocating zeroes", "zero namespace", "format", "sanitize"):
        model.deallocate(*where)
    elif word == "uncorrectable":
        model.make_unreadable(*where)
    elif word == "deallocate":
        for slba, blocks in where:
            model.deallocate(slba, blocks)
    return Status.SUCCESS


def check_status(
    bench: Bench, model: NamespaceModel, slba: int, blocks: int, dwords: int, word: str = "status"
) -> None:
    address = bench.y.take(4 * dwords)
    sqe = lm.get_lba_status(0, 1, slba, blocks, dwords, ACTIONS[word], *bench.y.prp(address, 4 * dwords))
    status = bench.y.admin.status(sqe)
    if slba >= BLOCKS or slba + blocks > BLOCKS:
        assert status == Status.LBA_OUT_OF_RANGE
        return
    assert status == Status.SUCCESS
    found = unpack_lba_status(bench.y.space.read(address, max(4 * dwords, 8)))
    expected = expected_status(model, slba, blocks, word)
    fitting = (dwords - 2) // 4
    assert [tuple(each) for each in found.descriptors] == expected[:fitting]
    assert found.completeness == (2 if len(expected) <= fitting else 1)


def expected_status(model: NamespaceModel, slba: int, blocks: int, word: str) -> list[tuple[int, int, int]]:
    end = slba + blocks if blocks else BLOCKS
    if word == "status":
        return [(*each, 2) for each in model.ranges(slba, end)]
    return model.unreadable_ranges(slba, end, scan=word == "scan")


@settings(max_examples=150, deadline=None)
@given(
    before=OPERATIONS,
    end=ENDS,
    behind=OPERATIONS,
    granularity=GRANULARITIES,
    block_bytes=st.sampled_from([512, 4096]),
    written=st.booleans(),
)
def test_one_command_at_a_time_does_what_a_plain_map_would(
    before: list[tuple[str, Any]],
    end: str,
    behind: list[tuple[str, Any]],
    granularity: int,
    block_bytes: int,
    written: bool,
) -> None:
    bench = ready(blocks=BLOCKS, granularity=granularity, block_bytes=block_bytes)
    model, writer = NamespaceModel(BLOCKS, granularity), Writer(bench)
    if written:
        carry_out(bench, model, writer, "write", (0, BLOCKS))
    for word, where in (*before, (end, (0, BLOCKS)), *behind):
        if word in ACTIONS:
            check_status(bench, model, *where, word)
        elif word == "damage":
            slba = min(where[0], BLOCKS)
            bench.ssd.namespaces[1].damage(slba, min(where[1], BLOCKS - slba))
            model.damage(slba, min(where[1], BLOCKS - slba))
        elif word == "nothing":
            check_all(bench, model)
        elif word == "sanitize":
            assert bench.x.admin.status(commands.sanitize(0, SanitizeAction.OVERWRITE)) == Status.SUCCESS
            apply(model, word, where, [])
        else:
            carry_out(bench, model, writer, word, where)
    check_all(bench, model)


def carry_out(bench: Bench, model: NamespaceModel, writer: Writer, word: str, where: Any) -> None:
    sqe, address, stamps = writer.build(word, where)
    if word == "right compare" and in_range(word, where):
        stamps = [model.content[lba] for lba in range(where[0], sum(where))]
        bench.y.space.write_stamps(address, stamps)
    status = (bench.y.admin if word == "format" else bench.y.io).status(sqe)
    if not in_range(word, where):
        assert status == Status.LBA_OUT_OF_RANGE
        return
    assert status == apply(model, word, where, stamps)
    if word == "read" and status == Status.SUCCESS:
        assert list(bench.y.space.read_stamps(address, where[1])) == model.read(*where)


@settings(max_examples=80, deadline=None)
@given(
    batches=BATCHES,
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
    wanted = [(word, where) for word, where in batch if word not in ("status", "format")]
    question = next(
        (where for word, where in batch if word == "status" and sum(where[:2]) <= BLOCKS > where[0]), None
    )
    buffer = bench.y.take()
    if question is not None:
        slba, blocks, _ = question
        bench.y.admin.submit(lm.get_lba_status(0, 1, slba, blocks, 200, LbaStatusAction.ALLOCATED, buffer))
    forms = bench.y.admin.submit(*(writer.build(word, where)[0] for word, where in batch if word == "format"))
    cids = bench.y.io.submit(*(writer.build(word, where)[0] for word, where in wanted)) if wanted else []
    bench.engine.run()
    assert {status_of(cqe) for cqe in bench.y.admin.reap() if cqe.cid in forms} <= {Status.SUCCESS}
    done = {cqe.cid: status_of(cqe) for cqe in bench.y.io.reap()}
    assert sorted(done) == cids
    for cid, (word, where) in zip(cids, wanted, strict=True):
        legal = {Status.SUCCESS, *((Status.UNRECOVERED_READ_ERROR,) if word in ("read", "copy") else ())}
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
    for word in ("tracked", "scan", "tracked"):
        check_status(bench, model, 0, 0, 1000, word)
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

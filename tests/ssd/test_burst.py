"""Arbitration bursts: several commands served in one go leave the same bytes as one after the other."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import RunToBlock, Timed
from nvmelm_lab.errors import InputError
from nvmelm_lab.lab import Lab
from nvmelm_lab.nvme import Status, commands, pack_copy_ranges
from nvmelm_lab.nvme.codes import AdminOpcode, Feature, Property
from nvmelm_lab.ssd import Habits
from tests.ssd.by_hand import raw
from tests.ssd.door import Bench, Z, ready, status_of
from tests.ssd.mq import MigrationQueue

BLOCKS = 24
BUFFER = 0x100000
"""Where the buffers of commands begin; each has two pages."""

PLAIN = st.tuples(st.just("write"), st.integers(0, BLOCKS - 1), st.just(1))
OTHERS = st.tuples(
    st.sampled_from(
        [
            "write",
            "read",
            "compare",
            "compare zeros",
            "verify",
            "copy",
            "zero namespace",
            "zeroes",
            "uncorrectable",
            "deallocate",
            "flush",
            "straddling write",
            "write elsewhere",
            "write of a fused pair",
            "write to nowhere",
            "write of bytes",
            "unknown",
        ]
    ),
    st.integers(0, BLOCKS + 1),
    st.integers(1, 3),
)
BATCHES = st.lists(st.lists(st.one_of(PLAIN, PLAIN, PLAIN, OTHERS), min_size=1, max_size=20), max_size=5)


class Twin:
    """A bench whose controller Y logs its changes, and the commands that it is given."""

    def __init__(self, bench: Bench, entries: int, cq_entries: int, slots: int) -> None:
        self.bench = bench
        self.ring = bench.y.make_ring(2, entries, cq_entries=cq_entries)
        self.queue: MigrationQueue = bench.x.make_mq(slots)
        self.queue.start()
        self.number = 0

    def sqe(self, word: str, slba: int, blocks: int) -> bytes:
        """The next command, and its data in a buffer of its own."""
        self.number += 1
        space, address = self.bench.y.space, BUFFER + 2 * 4096 * self.number
        if word == "straddling write":
            address += 512
        nsid = 2 if word == "write elsewhere" else 1
        pointers = (address, address // 4096 * 4096 + 4096 if address % 4096 or blocks > 1 else 0)
        if word == "write of bytes":
            space.write(address, bytes([self.number]) * 4096)
        else:
            space.write_stamps(address, [1 << 48 | self.number << 8 | block for block in range(2)])
        blocks = min(blocks, 2)
        if "write" in word:
            if word == "write to nowhere":
                pointers = (space.size, 0)
            sqe = commands.write(0, nsid, slba, 1 if word == "straddling write" else blocks, *pointers)
            return sqe[:1] + b"\1" + sqe[2:] if word == "write of a fused pair" else sqe
        if word == "read":
            return commands.read(0, 1, slba, blocks, *pointers)
        if word == "compare zeros":
            space.write(address, bytes(2 * 4096))
        if word.startswith("compare"):
            return commands.compare(0, 1, slba, blocks, *pointers)
        if word == "verify":
            return commands.verify(0, 1, slba, blocks)
        if word == "copy":
            space.write(address, pack_copy_ranges([(slba // 2, blocks), (slba, 1)]))
            return commands.copy(0, 1, slba, 2, address)
        if word == "zero namespace":
            return commands.zero_namespace(0, 1)
        if word == "zeroes":
            return commands.write_zeroes(0, 1, slba, blocks, deallocate=bool(slba & 1))
        if word == "uncorrectable":
            return commands.write_uncorrectable(0, 1, slba, blocks)
        if word == "deallocate":
            space.write(address, bytes(4) + blocks.to_bytes(4, "little") + slba.to_bytes(8, "little"))
            return commands.dataset_management(0, 1, 1, address)
        return commands.flush(0, 1) if word == "flush" else raw(0x7F, nsid=1)

    def memory(self) -> list[dict[int, bytes]]:
        """What lies in the memories of the hosts of Y and X: rings, buffers, entries."""
        spaces = (self.bench.y.space, self.bench.x.space)
        pages = set(spaces[0].pages()) | set(spaces[1].pages())
        return [{number: space.read(number << 12, 4096) for number in pages} for space in spaces]

    def content(self) -> list[object]:
        """What each LBA holds, and which are allocated."""
        found: list[object] = [self.bench.z.read_blocks(slba, 1) for slba in range(BLOCKS)]
        return [*found, self.bench.z.lba_status()]


def finish(twin: Twin, wanted: int) -> None:
    """Run and reap until `wanted` commands have ever completed."""
    while twin.ring.reaped < wanted:
        before = twin.ring.reaped
        twin.bench.engine.run()
        twin.ring.reap()
        assert twin.ring.reaped > before, "nothing completes any more"


@settings(max_examples=150, deadline=None)
@given(
    batches=BATCHES,
    entries=st.integers(2, 24),
    cq_entries=st.integers(2, 24),
    slots=st.integers(4, 40),
    power=st.integers(1, 7),
    order=st.sampled_from(["entry first", "completion first"]),
)
@example([[("write", 3, 1)] * 20] * 5, 24, 24, 40, 7, "entry first")
@example([[("write", 3, 1), ("uncorrectable", 3, 1), ("write", 3, 1)] * 6], 24, 5, 6, 2, "completion first")
def test_a_burst_leaves_the_bytes_of_one_command_after_the_other(
    batches: list[list[tuple[str, int, int]]],
    entries: int,
    cq_entries: int,
    slots: int,
    power: int,
    order: str,
) -> None:
    habits = Habits(entry_order=order)
    single, burst = (
        Twin(ready(schedule, blocks=BLOCKS, habits=habits), entries, cq_entries, slots)
        for schedule in (RunToBlock(), Timed())
    )
    assert burst.bench.y.admin.status(commands.set_arbitration(0, power)) == Status.SUCCESS
    for batch in batches:
        batch = batch[: entries - 1]
        done = single.ring.submitted
        for count, operation in enumerate(batch, 1):
            single.ring.submit(single.sqe(*operation))
            finish(single, done + count)
        burst.ring.submit(*(burst.sqe(*operation) for operation in batch))
        finish(burst, done + len(batch))
    assert burst.bench.y.controller.finished.level > 0
    assert _without_admin(single) == _without_admin(burst)
    assert single.content() == burst.content()


def test_a_burst_tells_of_a_namespace_of_one_lba_as_one_command_does() -> None:
    habits = Habits(whole_namespace="all LBs")
    single, burst = (
        Twin(ready(schedule, blocks=1, habits=habits), 8, 8, 16) for schedule in (RunToBlock(), Timed())
    )
    assert burst.bench.y.admin.status(commands.set_arbitration(0, 3)) == Status.SUCCESS
    for count in range(1, 5):
        single.ring.submit(single.sqe("write", 0, 1))
        finish(single, count)
    burst.ring.submit(*(burst.sqe("write", 0, 1) for _ in range(4)))
    finish(burst, 4)
    assert _without_admin(single) == _without_admin(burst)


def _without_admin(twin: Twin) -> list[dict[int, bytes]]:
    """Memory but for the admin queues of Y: one of the two was told of its burst there."""
    memory = twin.memory()
    for base in (twin.bench.y.admin.sq, twin.bench.y.admin.cq):
        del memory[0][base >> 12]
    return memory


def test_a_burst_is_one_step_and_ends_where_its_limit_is() -> None:
    bench = ready(Timed(), blocks=BLOCKS)
    assert bench.y.admin.status(commands.set_arbitration(0, 2)) == Status.SUCCESS
    bench.y.space.write_stamps(BUFFER, [1 << 48])
    bench.engine.run()
    before = bench.engine.step_index
    bench.y.io.submit(*[commands.write(0, 1, lba, 1, BUFFER) for lba in range(12)])
    bench.engine.run()
    waits = bench.engine.step_index - before - 3
    assert len(bench.y.io.reap()) == 12
    assert waits <= 4, "three bursts of four, and at most a wait around each"


def test_a_suspended_controller_serves_no_burst() -> None:
    bench = ready(Timed(), blocks=BLOCKS)
    assert bench.y.admin.status(commands.set_arbitration(0, 6)) == Status.SUCCESS
    assert bench.x.suspend() == Status.SUCCESS
    bench.y.space.write_stamps(BUFFER, [1 << 48])
    bench.y.io.submit(*[commands.write(0, 1, lba, 1, BUFFER) for lba in range(5)])
    bench.engine.run()
    assert bench.y.io.reap() == []
    assert bench.x.resume() == Status.SUCCESS
    bench.engine.run()
    assert len(bench.y.io.reap()) == 5


def test_what_the_host_sets_is_what_it_gets_until_a_reset() -> None:
    bench = ready()
    get = raw(AdminOpcode.GET_FEATURES, cdw10=Feature.ARBITRATION)
    assert bench.y.admin.run(get).dw0 == 0
    assert bench.y.admin.status(commands.set_arbitration(0, 5)) == Status.SUCCESS
    assert bench.y.admin.run(get).dw0 == 5
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    assert status_of(cqe := bench.y.admin.run(get)) == Status.SUCCESS
    assert cqe.dw0 == 0


def test_the_burst_moves_along_with_the_controller_state() -> None:
    bench = ready()
    assert bench.y.admin.status(commands.set_arbitration(0, 3)) == Status.SUCCESS
    assert bench.x.suspend() == Status.SUCCESS
    state = bench.x.get_state()
    bench.z.write(Property.CC, 0)
    assert bench.x.suspend(Z) == Status.SUCCESS
    assert bench.x.set_state(state, Z) == Status.SUCCESS
    assert bench.z.controller.burst == bench.y.controller.burst == 8


@pytest.mark.parametrize("burst", [0, 3, 65, 128, -1])
def test_a_driver_refuses_a_burst_that_cannot_be(burst: int) -> None:
    driver = Lab().source_driver
    with pytest.raises(InputError, match=f"an arbitration burst cannot be {burst}; give 1, 2, 4"):
        driver.set_arbitration_burst(burst).send(None)

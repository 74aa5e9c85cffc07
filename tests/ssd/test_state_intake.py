"""Set Controller State in parts: offsets, gaps, overlaps, a second beginning, the commit.  Facts A.4, D.10 and E.

What is committed is what was sent, byte for byte: a plain model of parts is compared with the SSD through the door.
"""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvmelm_lab.nvme import Status
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property, SequenceIndicator
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES
from nvmelm_lab.ssd.state_intake import MAX_STATE_BYTES
from tests.ssd.door import MEMORY, Bench, Y, Z, ready

FIRST, MIDDLE, LAST, ONLY = (
    SequenceIndicator.FIRST,
    SequenceIndicator.MIDDLE,
    SequenceIndicator.LAST,
    SequenceIndicator.ONLY,
)


def bench_and_state() -> tuple[Bench, bytes]:
    """Z has no I/O queues and is suspended; the state is that of Y, which has a pair and 3 commands done."""
    bench = ready()
    for lba in range(3):
        assert bench.y.write_blocks(lba, [lba + 1]) == Status.SUCCESS
    bench.x.suspend(Y)
    state = bench.x.get_state(Y, uuid=0)[:104]
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    assert bench.x.suspend(Z) == Status.SUCCESS
    return bench, state


def send(bench: Bench, part: bytes, offset: int, sequence: SequenceIndicator) -> Status:
    return bench.x.set_state(part, Z, offset=offset, sequence=sequence, uuid=0)


def queues_of(bench: Bench) -> bytes:
    """What Z is asked for its state afterwards."""
    return bench.x.get_state(Z, uuid=0)[:104]


def test_parts_may_come_in_any_order() -> None:
    bench, state = bench_and_state()
    assert send(bench, state[96:], 96, FIRST) == Status.SUCCESS
    assert send(bench, state[:48], 0, MIDDLE) == Status.SUCCESS
    assert send(bench, state[48:96], 48, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


def test_what_comes_later_counts_where_parts_overlap() -> None:
    bench, state = bench_and_state()
    assert send(bench, b"\xee" * 104, 0, FIRST) == Status.SUCCESS
    assert send(bench, state[:60], 0, MIDDLE) == Status.SUCCESS
    assert send(bench, state[52:], 52, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


@pytest.mark.parametrize("gap", [(0, 4), (44, 48), (48, 52), (96, 100)])
def test_a_byte_that_never_came_is_found_at_the_commit_and_can_still_come(gap: tuple[int, int]) -> None:
    bench, state = bench_and_state()
    first, behind = gap
    assert send(bench, state[behind:], behind, FIRST) == Status.SUCCESS
    if first:
        assert send(bench, state[:first], 0, MIDDLE) == Status.SUCCESS
    before = queues_of(bench)
    assert send(bench, b"", 0, LAST) == Status.INVALID_FIELD
    assert queues_of(bench) == before
    assert bench.x.resume(Z) == Status.COMMAND_SEQUENCE_ERROR
    assert send(bench, state[first:behind], first, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


def test_an_offset_behind_the_state_that_its_header_tells_of_is_refused() -> None:
    bench, state = bench_and_state()
    assert send(bench, state[:48], 0, FIRST) == Status.SUCCESS
    assert send(bench, b"\0" * 4, 108, MIDDLE) == Status.INVALID_FIELD
    assert send(bench, b"\0" * 4, 104, MIDDLE) == Status.SUCCESS, "just behind the end is not behind it"
    assert send(bench, state[48:], 48, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


def test_before_a_header_came_nobody_knows_where_the_end_is() -> None:
    bench, state = bench_and_state()
    assert send(bench, b"\0" * 4, 4096, FIRST) == Status.SUCCESS
    assert send(bench, b"\0" * 4, MAX_STATE_BYTES, MIDDLE) == Status.INVALID_FIELD
    assert send(bench, state, 0, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


def test_the_only_part_carries_everything() -> None:
    bench, state = bench_and_state()
    assert send(bench, state, 4, ONLY) == Status.INVALID_FIELD
    assert send(bench, state[:100], 0, ONLY) == Status.INVALID_FIELD
    assert send(bench, state, 0, ONLY) == Status.SUCCESS
    assert queues_of(bench) == state


def test_the_only_part_ends_a_sequence_that_was_under_way() -> None:
    bench, state = bench_and_state()
    assert send(bench, state[:48], 0, FIRST) == Status.SUCCESS
    assert send(bench, state, 0, ONLY) == Status.SUCCESS
    assert bench.x.resume(Z) == Status.SUCCESS


def test_when_the_only_part_is_refused_the_sequence_goes_on() -> None:
    bench, state = bench_and_state()
    assert send(bench, state[:48], 0, FIRST) == Status.SUCCESS
    assert send(bench, b"\xff" * 104, 0, ONLY) == Status.INVALID_FIELD
    assert send(bench, state[48:], 48, LAST) == Status.SUCCESS
    assert queues_of(bench) == state


@pytest.mark.parametrize(("length", "status"), [(0, Status.SUCCESS), (4, Status.INVALID_FIELD)])
def test_no_part_is_longer_than_mdts_allows(length: int, status: Status) -> None:
    bench, _ = bench_and_state()
    assert MAX_TRANSFER_BYTES + length < MEMORY // 4
    assert send(bench, bytes(MAX_TRANSFER_BYTES + length), 0, FIRST) == status


def test_a_part_that_cannot_be_read_from_memory_is_refused_and_changes_nothing() -> None:
    bench, state = bench_and_state()
    assert send(bench, state[:48], 0, FIRST) == Status.SUCCESS
    sqe = lm.set_controller_state(0, MEMORY, 0, Z, 14, 48, LAST)
    assert bench.x.admin.status(sqe) == Status.DATA_TRANSFER_ERROR
    assert send(bench, state[48:], 48, LAST) == Status.SUCCESS


def test_a_state_in_parts_for_an_offline_controller_is_there_when_it_comes_online() -> None:
    bench = ready()
    bench.x.suspend(Y)
    state = bench.x.get_state(Y)[:256]
    bench.online(bench.z)
    assert bench.x.admin.status(bytes([0x1C]) + bytes(39) + bytes([7, 0, Z, 0]) + bytes(20)) == Status.SUCCESS
    for resource in (0, 1):
        sqe = bytes([0x1C]) + bytes(39) + bytes([8, resource, Z, 0]) + bytes([4]) + bytes(19)
        assert bench.x.admin.status(sqe) == Status.SUCCESS
    assert bench.x.set_state(state[:52], Z, sequence=FIRST) == Status.SUCCESS
    assert bench.x.set_state(state[52:], Z, offset=52, sequence=LAST) == Status.SUCCESS
    sqe = bytes([0x1C]) + bytes(39) + bytes([9, 0, Z, 0]) + bytes(20)
    assert bench.x.admin.status(sqe) == Status.SUCCESS
    assert bench.z.read(Property.CSTS) == 1


DWORDS = 26
"""Of the state that is sent."""

parts = st.lists(
    st.tuples(
        st.sampled_from(SequenceIndicator), st.integers(0, DWORDS + 3), st.integers(0, DWORDS), st.booleans()
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@example([(ONLY, 0, DWORDS, True)])
@example([(FIRST, 0, DWORDS, False), (MIDDLE, 12, 14, True), (MIDDLE, 0, 13, True), (LAST, 26, 0, True)])
@example([(FIRST, 12, 14, True), (LAST, 0, 12, True)])
@example([(FIRST, 0, 20, True), (FIRST, 20, 6, True), (LAST, 0, 0, True), (LAST, 0, 20, True)])
@given(parts)
def test_random_parts_are_put_together_as_a_plain_model_does(
    sent: list[tuple[SequenceIndicator, int, int, bool]],
) -> None:
    bench, state = bench_and_state()
    model: dict[int, int] | None = None
    for sequence, at, count, true in sent:
        if 1 in bench.z.controller.sqs:
            break
        part = state[4 * at : 4 * (at + count)] if true else b"\xee" * 4 * count
        part = part[: 4 * count]
        status = send(bench, part, 4 * at, sequence)
        base = {} if sequence in (FIRST, ONLY) else model
        if base is None:
            assert status == Status.COMMAND_SEQUENCE_ERROR
            continue
        size = _stated(base)
        if (not part and sequence != LAST) or (size is not None and 4 * at > size):
            assert status == Status.INVALID_FIELD
            continue
        merged = {**base, **{4 * at + n: byte for n, byte in enumerate(part)}}
        if sequence in (FIRST, MIDDLE):
            assert status == Status.SUCCESS
            model = merged
            continue
        good = all(merged.get(n) == byte for n, byte in enumerate(state))
        assert (status == Status.SUCCESS) == good
        if good:
            model = None
            assert queues_of(bench) == state
            assert bench.x.resume(Z) == Status.SUCCESS
    waits = model is not None
    assert (bench.x.resume(Z) == Status.COMMAND_SEQUENCE_ERROR) == waits


def _stated(image: dict[int, int]) -> int | None:
    """How long the header says that the state is, if one that can be read has come."""
    if any(n not in image for n in range(48)) or image[0] or image[1]:
        return None
    queues, vendor = (
        int.from_bytes(bytes(image[n] for n in range(first, first + 16)), "little") for first in (16, 32)
    )
    return 48 + 4 * (queues + vendor)

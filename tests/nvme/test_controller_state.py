"""Controller state against the 104-byte example of the fact sheet, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.controller_state import (
    CompletionQueueState,
    ControllerState,
    QueueStates,
    SubmissionQueueState,
    pack_controller_state,
    stated_sizes,
    unpack_controller_state,
)

EXAMPLE_BYTES = bytes.fromhex(
    """
    00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00
    0e 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 00 01 00 01 00 00 00 00 00 34 12 00 00 00 00
    3f 00 01 00 01 00 01 00 05 00 07 00 00 00 00 00
    00 00 35 12 00 00 00 00 3f 00 01 00 05 00 05 00
    07 00 00 00 00 00 00 00
    """
)

SQ1 = SubmissionQueueState(qid=1, cqid=1, prp1=0x12340000, entries=64, head=5, tail=7)
CQ1 = CompletionQueueState(qid=1, prp1=0x12350000, entries=64, head=5, tail=5, slot0_phase=1)
EXAMPLE = ControllerState(suspended=True, queues=QueueStates((SQ1,), (CQ1,)))


def test_the_example_packs_to_its_bytes():
    assert pack_controller_state(EXAMPLE) == EXAMPLE_BYTES


def test_the_example_unpacks_from_its_bytes():
    assert unpack_controller_state(EXAMPLE_BYTES) == EXAMPLE


def test_the_header_alone_tells_the_whole_size():
    assert stated_sizes(EXAMPLE_BYTES[:48]) == (56, 0)
    assert stated_sizes(EXAMPLE_BYTES[:48]).total == 104


def test_without_a_format_only_the_header_travels():
    state = ControllerState(suspended=False, queues=None)
    assert pack_controller_state(state) == bytes(48)
    assert unpack_controller_state(bytes(48)) == state


def test_a_controller_without_io_queues_still_has_a_state():
    packed = pack_controller_state(ControllerState(suspended=True, queues=QueueStates()))
    assert len(packed) == 56
    assert packed[16] == 2
    assert unpack_controller_state(packed).queues == QueueStates()


def test_what_was_read_beyond_the_state_is_ignored():
    assert unpack_controller_state(EXAMPLE_BYTES + b"\xff" * 20) == EXAMPLE


QID = st.integers(1, 2**16 - 1)


@st.composite
def slots(draw):
    entries = draw(st.integers(2, 2**16))
    return entries, draw(st.integers(0, entries - 1)), draw(st.integers(0, entries - 1))


@st.composite
def submission_queues(draw):
    entries, head, tail = draw(slots())
    return SubmissionQueueState(
        draw(QID),
        draw(QID),
        draw(st.integers(0, 2**64 - 1)),
        entries,
        head,
        tail,
        draw(st.integers(0, 3)),
        draw(st.booleans()),
    )


@st.composite
def completion_queues(draw):
    entries, head, tail = draw(slots())
    return CompletionQueueState(
        draw(QID),
        draw(st.integers(0, 2**64 - 1)),
        entries,
        head,
        tail,
        draw(st.integers(0, 1)),
        draw(st.integers(0, 2**16 - 1)),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def ascending(queues):
    listed = st.lists(queues, max_size=5, unique_by=lambda each: each.qid)
    return listed.map(lambda each: tuple(sorted(each, key=lambda queue: queue.qid)))


states = st.builds(
    ControllerState,
    st.booleans(),
    st.none() | st.builds(QueueStates, ascending(submission_queues()), ascending(completion_queues())),
    st.binary(max_size=8).map(lambda data: data * 4),
)


@given(states)
def test_a_state_comes_back_as_it_went(state):
    packed = pack_controller_state(state)
    assert stated_sizes(packed).total == len(packed)
    assert unpack_controller_state(packed) == state


def changed(offset, value, data=EXAMPLE_BYTES):
    return data[:offset] + bytes(value) + data[offset + len(value) :]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (EXAMPLE_BYTES[:47], "controller state of 47 bytes: its header alone has 48"),
        (EXAMPLE_BYTES[:103], "controller state of 103 bytes: its header says 104"),
        (changed(0, [1]), "controller state of version 1: must be version 0"),
        (changed(48, [1]), "NVMe Controller State of version 1: must be version 0"),
        (changed(16, [1]), "NVMe Controller State of 4 bytes: must be at least 8"),
        (
            changed(50, [2]),
            "NVMe Controller State of 56 bytes: 2 submission and 1 completion queues need 80",
        ),
        (
            changed(66, [0]),
            "submission queue 0 listed after 0: I/O queues start at 1 and must be listed in ascending order",
        ),
        (changed(72, [64]), "head 64 of submission queue 1: it has 64 slots"),
        (changed(74, [64]), "tail 64 of submission queue 1: it has 64 slots"),
        (changed(92, [65]), "head 65 of completion queue 1: it has 64 slots"),
        (changed(94, [65]), "tail 65 of completion queue 1: it has 64 slots"),
    ],
)
def test_malformed_bytes_are_refused_with_what_is_wrong(data, sentence):
    with pytest.raises(InputError) as refused:
        unpack_controller_state(data)
    assert str(refused.value) == sentence


def test_queues_out_of_order_are_refused():
    packed = bytearray(pack_controller_state(ControllerState(True, QueueStates((SQ1, SQ1)))))
    with pytest.raises(InputError, match="submission queue 1 listed after 1"):
        unpack_controller_state(packed)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (ControllerState(True, None, b"abc"), "vendor data of 3 bytes: must be a multiple of 4"),
        (
            ControllerState(True, QueueStates((SubmissionQueueState(1, 1, 0, 0, 0, 0),))),
            "entries 0: must be a whole number from 1 to 65536",
        ),
        (
            ControllerState(True, QueueStates((SubmissionQueueState(65536, 1, 0, 2, 0, 0),))),
            "QID 65536 of a queue state: must be 0 to 65535",
        ),
        (
            ControllerState(True, QueueStates((), (CompletionQueueState(1, 0, 2, 0, 0, 2),))),
            "slot0_phase 2 of a queue state: must be 0 to 1",
        ),
    ],
)
def test_values_that_do_not_fit_are_refused(state, sentence):
    with pytest.raises(InputError) as refused:
        pack_controller_state(state)
    assert str(refused.value) == sentence

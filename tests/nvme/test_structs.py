"""Ring entries against the byte dumps of the fact sheet."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.nvme.codes import EntrySpecial, LbaChange
from nvmelm_lab.nvme.structs import (
    COPY_RANGE,
    CQE,
    MQE,
    RANGE,
    SQE,
    Cqe,
    Mqe,
    Sqe,
    pack_copy_ranges,
    pack_mqe,
    pack_ranges,
    unpack_copy_ranges,
    unpack_mqe,
    unpack_ranges,
)

U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)


def test_sizes_are_those_of_the_standard():
    assert (SQE.size, CQE.size, MQE.size, RANGE.size, COPY_RANGE.size) == (64, 16, 32, 16, 32)
    assert len(Sqe._fields) == 15


def test_mqe_of_a_write_in_the_first_pass():
    dump = "01 00 00 00 07 00 00 00 00 01 00 00 00 00 00 00" + " 00" * 15 + " 01"
    assert pack_mqe(1, 0x100, 8, phase=1) == bytes.fromhex(dump)


RANGELESS = {"change": LbaChange.NONE}


@pytest.mark.parametrize(
    ("entry", "with_phase_1"),
    [
        ({}, 0x01),
        ({"deallocated": True}, 0x21),
        ({"esa": EntrySpecial.FIRST, **RANGELESS}, 0x83),
        ({"esa": EntrySpecial.FIRST}, 0x03),
        ({"esa": EntrySpecial.STOPPED, **RANGELESS}, 0x85),
        ({"esa": EntrySpecial.SUSPENDED, **RANGELESS}, 0x87),
        ({"esa": EntrySpecial.FULL}, 0x0F),
        ({"esa": EntrySpecial.FULL, **RANGELESS}, 0x8F),
        ({"esa": EntrySpecial.FIRST, "change": LbaChange.ALL}, 0x43),
    ],
)
def test_attribute_bytes_of_the_fact_sheet(entry, with_phase_1):
    assert pack_mqe(1, 0, 1, phase=1, **entry)[31] == with_phase_1
    assert pack_mqe(1, 0, 1, phase=0, **entry)[31] == with_phase_1 - 1


def test_an_entry_without_range_names_no_namespace_and_no_lbas():
    packed = pack_mqe(1, 100, 8, esa=EntrySpecial.SUSPENDED, change=LbaChange.NONE, phase=1)
    assert packed[:31] == bytes(31)
    assert unpack_mqe(packed).blocks == 0


def test_an_entry_for_a_whole_namespace_names_it_and_no_lbas():
    packed = pack_mqe(7, 100, 8, esa=EntrySpecial.FIRST, change=LbaChange.ALL, phase=1)
    assert packed[:31] == bytes([7]) + bytes(30)
    assert unpack_mqe(packed).blocks == 0


@given(U32, U64, st.integers(1, 2**32), st.sampled_from(EntrySpecial), st.booleans(), st.integers(0, 1))
def test_an_mqe_with_a_range_comes_back_as_it_went(nsid, slba, blocks, esa, deallocated, phase):
    entry = unpack_mqe(pack_mqe(nsid, slba, blocks, esa=esa, deallocated=deallocated, phase=phase))
    assert (entry.nsid, entry.slba, entry.blocks) == (nsid, slba, blocks)
    assert (entry.esa, entry.change, entry.deallocated, entry.phase) == (
        esa,
        LbaChange.RANGE,
        deallocated,
        phase,
    )


def test_an_entry_is_read_in_place_from_the_queue():
    queue = bytearray(64)
    queue[32:64] = pack_mqe(1, 5, 2, phase=1)
    assert unpack_mqe(memoryview(queue)[32:64]) == Mqe(1, 1, 5, 1)


def test_a_range_of_no_lbas_cannot_be_packed():
    with pytest.raises(struct.error):
        pack_mqe(1, 0, 0, phase=1)


@given(st.builds(Sqe, *[st.integers(0, 255)] * 2, U16, *[U32] * 3, *[U64] * 3, *[U32] * 6))
def test_an_sqe_comes_back_as_it_went(sqe):
    assert Sqe._make(SQE.unpack(SQE.pack(*sqe))) == sqe


@given(st.builds(Cqe, U32, U32, U16, U16, U16, U16))
def test_a_cqe_comes_back_as_it_went(cqe):
    assert Cqe._make(CQE.unpack(CQE.pack(*cqe))) == cqe


def test_sqe_fields_lie_where_the_standard_puts_them():
    packed = SQE.pack(0x01, 0x40, 0x0302, 4, 8, 12, 16, 0x1000, 0x2000, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F)
    assert packed[0] == 0x01
    assert packed[1] == 0x40
    assert packed[2:4] == b"\x02\x03"
    assert [packed[at] for at in (4, 8, 12, 16)] == [4, 8, 12, 16]
    assert packed[24:32] == (0x1000).to_bytes(8, "little")
    assert packed[32:40] == (0x2000).to_bytes(8, "little")
    assert [packed[at] for at in range(40, 64, 4)] == [0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F]


def test_cqe_fields_lie_where_the_standard_puts_them():
    packed = CQE.pack(0x11, 0x22, 0x33, 0x44, 0x55, 0x66)
    assert [packed[at] for at in (0, 4, 8, 10, 12, 14)] == [0x11, 0x22, 0x33, 0x44, 0x55, 0x66]


def test_a_dataset_management_range_has_a_plain_count():
    assert pack_ranges([(0x100, 8)]) == bytes.fromhex("00000000 08000000 0001000000000000")


@given(st.lists(st.tuples(U64, U32), max_size=256))
def test_ranges_come_back_as_they_went(ranges):
    assert unpack_ranges(pack_ranges(ranges)) == ranges


def test_a_source_range_of_copy_has_a_0s_based_count():
    assert pack_copy_ranges([(0x100, 8)]) == bytes(8) + bytes.fromhex("0001000000000000 0700") + bytes(14)


@given(st.lists(st.tuples(U64, st.integers(1, 2**16)), max_size=256))
def test_source_ranges_come_back_as_they_went(ranges):
    assert unpack_copy_ranges(pack_copy_ranges(ranges)) == ranges

"""The LBA Status Descriptor List against the example of the fact sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.codes import Completeness, LbaRangeStatus
from nvmelm_lab.nvme.lba_status import (
    LbaStatusDescriptor,
    LbaStatusList,
    pack_lba_status,
    unpack_lba_status,
)

EXAMPLE_BYTES = bytes.fromhex("01 00 00 00 02 00 00 00 00 01 00 00 00 00 00 00 07 00 00 00 00 02 00 00")
EXAMPLE = LbaStatusDescriptor(0x100, 8, LbaRangeStatus.ALLOCATED)


def test_the_example_packs_to_its_bytes():
    assert pack_lba_status([EXAMPLE], Completeness.COMPLETE) == EXAMPLE_BYTES


def test_the_example_unpacks_from_its_bytes():
    assert unpack_lba_status(EXAMPLE_BYTES) == LbaStatusList((EXAMPLE,), Completeness.COMPLETE)


def test_an_empty_list_is_its_header():
    assert pack_lba_status([], Completeness.COMPLETE) == bytes.fromhex("00000000 02000000")


def test_the_rest_of_the_buffer_is_ignored():
    assert unpack_lba_status(memoryview(EXAMPLE_BYTES + bytes(100))).descriptors == (EXAMPLE,)


descriptors = st.builds(
    LbaStatusDescriptor,
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**32),
    st.sampled_from(LbaRangeStatus),
)


@given(st.lists(descriptors, max_size=20), st.sampled_from(Completeness))
def test_a_list_comes_back_as_it_went(listed, completeness):
    assert unpack_lba_status(pack_lba_status(listed, completeness)) == (tuple(listed), completeness)


def test_a_list_longer_than_its_bytes_is_refused():
    with pytest.raises(InputError, match="LBA status of 23 bytes: its 1 descriptors need 24"):
        unpack_lba_status(EXAMPLE_BYTES[:23])
    with pytest.raises(InputError, match="LBA status of 7 bytes: must be at least 8"):
        unpack_lba_status(EXAMPLE_BYTES[:7])

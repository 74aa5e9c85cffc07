"""Stamps: 64 bits that stand for a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.memory import Stamps, make_stamp

sizes = st.sampled_from((512, 4096))


@given(size=sizes, writer=st.integers(1, 0xFFFE), count=st.integers(0, (1 << 48) - 1))
def test_a_writers_block_is_recognised(size: int, writer: int, count: int) -> None:
    stamps, stamp = Stamps(size), make_stamp(writer, count)
    block = stamps.expand(stamp)
    assert len(block) == size
    assert stamps.recognise(block) == stamp


@given(
    one=st.tuples(st.integers(1, 0xFFFE), st.integers(0, 1 << 40)),
    other=st.tuples(st.integers(1, 0xFFFE), st.integers(0, 1 << 40)),
)
def test_two_writes_have_two_stamps(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (make_stamp(*one) == make_stamp(*other)) is (one == other)


@pytest.mark.parametrize("size", [512, 4096])
def test_stamp_zero_is_a_block_of_zeros(size: int) -> None:
    assert Stamps(size).expand(0) == bytes(size)
    assert Stamps(size).recognise(bytes(size)) == 0


@given(size=sizes, head=st.binary(min_size=1, max_size=64), at=st.integers(0, 400))
def test_any_block_comes_back_as_it_was(size: int, head: bytes, at: int) -> None:
    stamps = Stamps(size)
    block = (bytes(at) + head).ljust(size, b"\0")
    assert stamps.expand(stamps.recognise(block)) == block


def test_foreign_blocks_that_differ_have_stamps_that_differ() -> None:
    stamps = Stamps(512)
    found = {stamps.recognise(bytes([n]) + bytes(511)) for n in range(1, 256)}
    assert len(found) == 255


def test_a_pattern_that_looks_like_a_foreign_stamp_is_not_taken_for_one() -> None:
    stamps = Stamps(512)
    foreign = stamps.recognise(b"hello".ljust(512, b"\0"))
    pattern = foreign.to_bytes(8, "little") * 64
    assert stamps.expand(stamps.recognise(pattern)) == pattern
    assert stamps.expand(foreign) == b"hello".ljust(512, b"\0")

"""The PRP walk against a plain reading of Base 2.1, section 4.3.1."""

from random import Random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, PrpError, Stamps, data_pointers, prp_pages

SIZE = 1 << 24
ENTRIES = PAGE_BYTES // 8


@pytest.fixture
def space() -> AddressSpace:
    return AddressSpace("guest", SIZE, Stamps(512))


def write_list(space: AddressSpace, first: int, pages: list[int], spare: list[int]) -> None:
    """Write a PRP list at `first`; when a page of it is full, its last entry leads to a page of `spare`."""
    at = first
    left = list(pages)
    while left:
        room = (PAGE_BYTES - at % PAGE_BYTES) // 8
        if len(left) > room:
            following = spare.pop()
            space.write(at, pack(f"<{room}Q", *left[: room - 1], following))
            left, at = left[room - 1 :], following
        else:
            space.write(at, pack(f"<{len(left)}Q", *left))
            left = []


def page_by_page(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pieces cut where pages end."""
    cut = []
    for address, length in pieces:
        while length:
            part = min(length, PAGE_BYTES - address % PAGE_BYTES)
            cut.append((address, part))
            address, length = address + part, length - part
    return cut


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_buffer_is_found_wherever_its_pages_and_its_lists_lie(data: st.DataObject) -> None:
    space = AddressSpace("guest", SIZE, Stamps(512))
    count = data.draw(st.one_of(st.integers(1, 5), st.integers(500, 1100)), "pages")
    numbers = list(range(1, SIZE // PAGE_BYTES))
    Random(data.draw(st.integers(0, 1 << 32), "seed of where pages lie")).shuffle(numbers)
    pages = [PAGE_BYTES * number for number in numbers[:count]]
    spare = [PAGE_BYTES * number for number in numbers[count : count + 5]]
    offset = 4 * data.draw(st.integers(0, PAGE_BYTES // 4 - 1), "offset in the first page")
    last = 4 * data.draw(st.integers(1, PAGE_BYTES // 4), "bytes in the last page")
    prp2 = 0
    if count == 1:
        last = min(last, PAGE_BYTES - offset)
        length = last
    else:
        length = PAGE_BYTES - offset + PAGE_BYTES * (count - 2) + last
        prp2 = pages[1]
    if count > 2:
        prp2 = spare.pop() + 8 * data.draw(st.integers(0, ENTRIES - 1), "offset in the list")
        write_list(space, prp2, pages[1:], spare)
    expected = [(pages[0] + offset, min(length, PAGE_BYTES - offset))]
    expected += [(page, PAGE_BYTES) for page in pages[1:-1]] + [(page, last) for page in pages[1:][-1:]]
    assert page_by_page(data_pointers(space, pages[0] + offset, prp2, length)) == expected


def test_neighbouring_pages_are_one_piece(space: AddressSpace) -> None:
    pages = [PAGE_BYTES * n for n in (10, 11, 12, 20)]
    write_list(space, PAGE_BYTES, pages[1:], [])
    assert data_pointers(space, pages[0] + 8, PAGE_BYTES, 4 * PAGE_BYTES - 8) == [
        (pages[0] + 8, 3 * PAGE_BYTES - 8),
        (pages[3], PAGE_BYTES),
    ]


def test_prp2_is_not_looked_at_when_the_first_page_is_enough(space: AddressSpace) -> None:
    assert data_pointers(space, PAGE_BYTES, 0xDEAD_BEEF_DEAD_BEEF, PAGE_BYTES) == [(PAGE_BYTES, PAGE_BYTES)]


def test_a_buffer_may_end_where_memory_ends(space: AddressSpace) -> None:
    assert data_pointers(space, SIZE - 8, 0, 8) == [(SIZE - 8, 8)]


@pytest.mark.parametrize(
    ("prp1", "prp2", "length", "offset_is_wrong"),
    [
        (PAGE_BYTES + 2, 0, 8, True),
        (SIZE, 0, 8, False),
        (1 << 63, 0, 8, False),
        (PAGE_BYTES, 2 * PAGE_BYTES + 8, 2 * PAGE_BYTES, True),
        (PAGE_BYTES, SIZE, 2 * PAGE_BYTES, False),
        (PAGE_BYTES, 2 * PAGE_BYTES + 4, 3 * PAGE_BYTES, True),
        (PAGE_BYTES, SIZE, 3 * PAGE_BYTES, False),
    ],
)
def test_a_pointer_that_cannot_be_followed_is_told_from_a_misaligned_one(
    space: AddressSpace, prp1: int, prp2: int, length: int, offset_is_wrong: bool
) -> None:
    with pytest.raises(PrpError) as refused:
        data_pointers(space, prp1, prp2, length)
    assert refused.value.offset is offset_is_wrong


@pytest.mark.parametrize(
    ("entry", "offset_is_wrong"), [(4 * PAGE_BYTES + 8, True), (SIZE, False), (SIZE - 1, True)]
)
def test_each_entry_of_a_list_is_checked(space: AddressSpace, entry: int, offset_is_wrong: bool) -> None:
    for position in range(3):
        pages = [PAGE_BYTES * n for n in (20, 21, 22)]
        pages[position] = entry
        write_list(space, PAGE_BYTES, pages, [])
        with pytest.raises(PrpError) as refused:
            data_pointers(space, 2 * PAGE_BYTES, PAGE_BYTES, 4 * PAGE_BYTES)
        assert refused.value.offset is offset_is_wrong


@pytest.mark.parametrize(("chained_to", "offset_is_wrong"), [(3 * PAGE_BYTES + 8, True), (SIZE, False)])
def test_the_pointer_to_the_next_page_of_a_list_is_checked(
    space: AddressSpace, chained_to: int, offset_is_wrong: bool
) -> None:
    first = 2 * PAGE_BYTES - 16
    space.write(first, pack("<2Q", 8 * PAGE_BYTES, chained_to))
    with pytest.raises(PrpError) as refused:
        prp_pages(space, first, 3)
    assert refused.value.offset is offset_is_wrong


def test_a_list_that_fits_its_page_exactly_has_no_next_page(space: AddressSpace) -> None:
    first = 2 * PAGE_BYTES - 16
    space.write(first, pack("<2Q", 8 * PAGE_BYTES, 9 * PAGE_BYTES))
    assert prp_pages(space, first, 2) == [8 * PAGE_BYTES, 9 * PAGE_BYTES]

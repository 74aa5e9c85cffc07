"""An address space against a plain bytearray: whatever way bytes and blocks are written, they read the same."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nvmelm_lab.errors import InputError
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, Ring, Stamps, make_stamp

PAGES = 4
SIZE = PAGES * PAGE_BYTES
BLOCKS = (512, 4096)

stamps_of_writers = st.builds(make_stamp, st.integers(1, 0xFFFE), st.integers(0, 1 << 40))
any_stamp = st.one_of(st.just(0), stamps_of_writers)
addresses = st.one_of(
    st.integers(0, SIZE - 1),
    st.integers(0, PAGES * 8 - 1).map(lambda n: 512 * n),
    st.integers(0, PAGES - 1).map(lambda n: PAGE_BYTES * n),
)


def touched(address: int, length: int) -> set[int]:
    return {at // PAGE_BYTES for at in range(address, address + length)}


class MemoryMachine(RuleBasedStateMachine):
    """Two address spaces, such as a guest's on two hosts, and two bytearrays that always hold the same."""

    def __init__(self) -> None:
        super().__init__()
        self.dirty: dict[str, set[int]] | None = None
        self.pinned: dict[tuple[bool, int], bytearray] = {}

    @initialize(block_bytes=st.sampled_from(BLOCKS))
    def make(self, block_bytes: int) -> None:
        self.stamps = Stamps(block_bytes)
        self.space = AddressSpace("here", SIZE, self.stamps)
        self.other = AddressSpace("there", SIZE, self.stamps)
        self.model = bytearray(SIZE)
        self.other_model = bytearray(SIZE)

    def note(self, who: str, address: int, length: int) -> None:
        if self.dirty is not None:
            self.dirty[who] |= touched(address, length)

    @rule(address=addresses, data=st.binary(min_size=1, max_size=6000), device=st.booleans())
    def write(self, address: int, data: bytes, device: bool) -> None:
        data = data[: SIZE - address]
        (self.space.dma_write if device else self.space.write)(address, data)
        self.model[address : address + len(data)] = data
        self.note("device" if device else "processor", address, len(data))

    @rule(address=addresses, stamps=st.lists(any_stamp, min_size=1, max_size=10), device=st.booleans())
    def write_blocks(self, address: int, stamps: list[int], device: bool) -> None:
        size = self.stamps.block_bytes
        stamps = stamps[: (SIZE - address) // size]
        if not stamps:
            return
        (self.space.dma_write_stamps if device else self.space.write_stamps)(address, stamps)
        data = b"".join(stamp.to_bytes(8, "little") * (size // 8) for stamp in stamps)
        self.model[address : address + len(data)] = data
        self.note("device" if device else "processor", address, len(data))

    @rule(address=addresses, value=st.integers(0, 255), device=st.booleans())
    def write_in_place(self, address: int, value: int, device: bool) -> None:
        if device:
            page, offset = self.space.dma_touch(address)
        else:
            page, offset = self.space.pin(address // PAGE_BYTES), address % PAGE_BYTES
            self.space.has_written(address)
            self.pinned[True, address // PAGE_BYTES] = page
        page[offset] = value
        self.model[address] = value
        self.note("device" if device else "processor", address, 1)

    @rule(address=addresses)
    def pin_over_there(self, address: int) -> None:
        number = address // PAGE_BYTES
        self.pinned[False, number] = self.other.pin(number)

    @invariant()
    def a_pinned_page_stays_in_place(self) -> None:
        for (here, number), page in self.pinned.items():
            model = self.model if here else self.other_model
            assert page == model[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]

    @rule(address=addresses, length=st.integers(0, 6000))
    def read(self, address: int, length: int) -> None:
        length = min(length, SIZE - address)
        assert self.space.read(address, length) == self.model[address : address + length]

    @rule(address=addresses)
    def look(self, address: int) -> None:
        page, offset = self.space.look(address)
        assert page[offset] == self.model[address]

    @rule(address=addresses, blocks=st.integers(1, 10))
    def read_blocks(self, address: int, blocks: int) -> None:
        size = self.stamps.block_bytes
        blocks = min(blocks, (SIZE - address) // size)
        found = self.space.read_stamps(address, blocks)
        data = b"".join(map(self.stamps.expand, found))
        assert data == self.model[address : address + blocks * size]

    @rule(page=st.integers(0, PAGES - 1), back=st.booleans())
    def move_a_page(self, page: int, back: bool) -> None:
        here = slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
        if back:
            self.other.copy_page(page, self.space)
            self.model[here] = self.other_model[here]
        else:
            self.space.copy_page(page, self.other)
            self.other_model[here] = self.model[here]

    @rule()
    def track(self) -> None:
        self.space.processor_dirty, self.space.device_dirty = set(), set()
        self.dirty = {"processor": set(), "device": set()}

    @invariant()
    def the_same_bytes_everywhere(self) -> None:
        if hasattr(self, "space"):
            assert self.other.read(0, SIZE) == self.other_model
            if self.dirty is not None:
                assert self.space.processor_dirty == self.dirty["processor"]
                assert self.space.device_dirty == self.dirty["device"]

    def teardown(self) -> None:
        if hasattr(self, "space"):
            assert self.space.read(0, SIZE) == self.model


MemoryMachine.TestCase.settings = settings(
    deadline=None, max_examples=120, stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow]
)
TestMemoryAgainstABytearray = MemoryMachine.TestCase


@pytest.fixture(params=BLOCKS)
def space(request: pytest.FixtureRequest) -> AddressSpace:
    return AddressSpace("guest", SIZE, Stamps(request.param))


def test_memory_that_nobody_wrote_is_zeros_however_one_looks(space: AddressSpace) -> None:
    assert space.read(100, 5000) == bytes(5000)
    assert list(space.read_stamps(0, 2)) == [0, 0]
    assert space.look(PAGE_BYTES + 7) == (bytearray(PAGE_BYTES), 7)


def test_only_pages_that_were_touched_exist(space: AddressSpace) -> None:
    assert space.pages() == []
    space.write(2 * PAGE_BYTES - 1, b"ab")
    space.write_stamps(3 * PAGE_BYTES, [make_stamp(1, 1)])
    assert space.pages() == [1, 2, 3]


def test_blocks_keep_their_stamps_while_nobody_looks_at_their_bytes(space: AddressSpace) -> None:
    written = [make_stamp(3, n) for n in range(PAGES)]
    space.write_stamps(0, written)
    assert list(space.read_stamps(0, PAGES)) == written


def test_blocks_keep_their_stamps_when_their_bytes_go_another_way(space: AddressSpace) -> None:
    size = space.stamps.block_bytes
    space.write_stamps(0, [make_stamp(3, 7)])
    space.write(PAGE_BYTES + 8, space.read(0, size))
    assert list(space.read_stamps(PAGE_BYTES + 8, 1)) == [make_stamp(3, 7)]


@settings(deadline=None)
@given(block_bytes=st.sampled_from(BLOCKS), data=st.binary(min_size=1, max_size=600))
def test_a_block_of_foreign_bytes_travels_as_a_stamp_and_arrives_as_it_was(
    block_bytes: int, data: bytes
) -> None:
    stamps = Stamps(block_bytes)
    here, there = AddressSpace("here", SIZE, stamps), AddressSpace("there", SIZE, stamps)
    here.write(3, data)
    there.write_stamps(0, here.read_stamps(0, PAGE_BYTES // block_bytes))
    assert there.read(0, PAGE_BYTES) == here.read(0, PAGE_BYTES)


def test_dirty_pages_are_not_told_apart_before_tracking_begins(space: AddressSpace) -> None:
    space.write(0, b"a")
    space.dma_write_stamps(0, [make_stamp(1, 1)])
    assert (space.processor_dirty, space.device_dirty) == (None, None)


def test_a_page_that_arrives_is_no_copy_that_changes_along(space: AddressSpace) -> None:
    there = AddressSpace("there", SIZE, space.stamps)
    space.write(0, b"before")
    space.write_stamps(PAGE_BYTES, [make_stamp(1, 1)])
    for page in (0, 1):
        space.copy_page(page, there)
    space.write(0, b"after!")
    space.write_stamps(PAGE_BYTES, [make_stamp(1, 2)])
    assert there.read(0, 6) == b"before"
    assert there.read_stamps(PAGE_BYTES, 1)[0] == make_stamp(1, 1)


@pytest.mark.parametrize(
    "access",
    [
        lambda space: space.write(SIZE - 1, b"ab"),
        lambda space: space.dma_write(SIZE, b"a"),
        lambda space: space.write_stamps(SIZE, [1]),
        lambda space: space.dma_write_stamps(SIZE, [1]),
        lambda space: space.read(SIZE - 1, 2),
        lambda space: space.read_stamps(SIZE, 1),
        lambda space: space.look(SIZE),
        lambda space: space.pin(-1),
        lambda space: Ring(space, SIZE - PAGE_BYTES, PAGE_BYTES // 16 + 1, 16),
        lambda space: space.dma_touch(SIZE),
    ],
)
def test_an_address_outside_memory_is_refused_by_name(
    space: AddressSpace, access: Callable[[AddressSpace], object]
) -> None:
    with pytest.raises(InputError, match=f"is outside the {SIZE} bytes of guest"):
        access(space)
    assert all(page < PAGES for page in space.pages())


def test_contains_says_whether_all_of_a_range_is_memory(space: AddressSpace) -> None:
    assert space.contains(0, SIZE)
    assert space.contains(SIZE - 1, 1)
    assert not space.contains(SIZE - 1, 2)
    assert not space.contains(-1, 1)


@pytest.mark.parametrize(
    ("size", "block_bytes", "wrong"),
    [
        (0, 512, "guest cannot have 0 bytes of memory; give a multiple of 4096"),
        (-4096, 512, "cannot have -4096 bytes"),
        (5000, 512, "cannot have 5000 bytes"),
        (4096, 520, "a block of 520 bytes does not divide a page of 4096"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(size: int, block_bytes: int, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        AddressSpace("guest", size, Stamps(block_bytes))


def test_an_audit_sees_each_access_and_whether_it_writes(space: AddressSpace) -> None:
    seen: list[tuple[int, bool]] = []
    space.audit = lambda address, write: seen.append((address, write))
    space.write(5, b"a")
    space.read(6, 1)
    space.dma_touch(7)
    space.look(8)
    space.dma_write_stamps(PAGE_BYTES, [1])
    space.read_stamps(PAGE_BYTES, 1)
    assert seen == [(5, True), (6, False), (7, True), (8, False), (PAGE_BYTES, True), (PAGE_BYTES, False)]

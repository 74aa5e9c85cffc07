"""The ledger against a plain model: all worlds that could be, each write taking effect at any moment of its life."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.host.ledger import UNREADABLE, Ledger, Reading

World = tuple[int, frozenset[int]]
"""What one LBA holds, and which writes can take effect no more."""


class Worlds:
    """All that one LBA may hold, by trying every order."""

    def __init__(self) -> None:
        self.worlds: set[World] = {(0, frozenset())}
        self.values: dict[int, int] = {}

    def let_happen(self) -> None:
        """Any write in flight may take effect now, alone or after others."""
        todo = list(self.worlds)
        while todo:
            _, over = todo.pop()
            for write, value in self.values.items():
                world = (value, over | {write})
                if write not in over and world not in self.worlds:
                    self.worlds.add(world)
                    todo.append(world)

    def submit(self, write: int, value: int) -> None:
        self.values[write] = value
        self.let_happen()

    def acknowledge(self, write: int) -> None:
        self.worlds = {world for world in self.worlds if write in world[1]}

    def fail(self, write: int) -> None:
        self.worlds = {(value, over | {write}) for value, over in self.worlds}

    @property
    def possible(self) -> frozenset[int]:
        return frozenset(value for value, _ in self.worlds)


# A history of one LBA: each number is a write, met first when it is submitted and again when it ends.
histories = st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12)


def events(history: Iterable[tuple[int, bool]]) -> Iterable[tuple[str, int]]:
    in_flight: set[int] = set()
    ended: set[int] = set()
    for write, good in history:
        if write in ended:
            continue
        if write not in in_flight:
            in_flight.add(write)
            yield "submit", write
        else:
            ended.add(write)
            yield "acknowledge" if good else "fail", write


@settings(deadline=None, max_examples=400)
@given(history=histories, values=st.lists(st.integers(-1, 9), min_size=5, max_size=5))
def test_exactly_what_some_order_of_effects_leaves_is_allowed(
    history: list[tuple[int, bool]], values: list[int]
) -> None:
    ledger, model = Ledger(), Worlds()
    # Writes of one value cannot be told apart by it, and need not be: values differ here.
    values = [value * 10 + n for n, value in enumerate(values)]
    for event, write in events(history):
        if event == "submit":
            ledger.submitted(7, [values[write]])
            model.submit(write, values[write])
        elif event == "acknowledge":
            ledger.acknowledged(7, [values[write]])
            model.acknowledge(write)
        else:
            ledger.failed(7, [values[write]])
            model.fail(write)
        assert ledger.allowed(7) == model.possible


@settings(deadline=None, max_examples=300)
@given(history=histories, begins=st.integers(0, 12), ends=st.integers(0, 12))
def test_a_read_may_find_exactly_what_was_possible_at_some_moment_of_its_life(
    history: list[tuple[int, bool]], begins: int, ends: int
) -> None:
    ledger, model = Ledger(), Worlds()
    reading: Reading | None = None
    possible: set[int] = set()
    values = [100 + write for write in range(5)]
    for moment, (event, write) in enumerate([*events(history), ("end", 0)]):
        if moment == min(begins, ends):
            reading = ledger.read_submitted(7, 1)
            possible |= model.possible
        if moment == max(begins, ends) or event == "end":
            break
        if event == "submit":
            ledger.submitted(7, [values[write]])
            model.submit(write, values[write])
        elif event == "acknowledge":
            ledger.acknowledged(7, [values[write]])
            model.acknowledge(write)
        else:
            ledger.failed(7, [values[write]])
            model.fail(write)
        if reading is not None:
            possible |= model.possible
    if reading is None:
        return
    ledger.read_ended(reading)
    assert {value for value in (0, *values, 999) if ledger.may_find(reading, 7, value)} == possible


def test_a_namespace_begins_as_zeros() -> None:
    assert Ledger().allowed(12) == {0}
    assert Ledger().first_broken(0, [0, 0, 5]) == 2


def test_an_acknowledged_write_must_be_found_on_each_of_its_lbas() -> None:
    ledger = Ledger()
    ledger.submitted(4, [11, 12, 13])
    ledger.acknowledged(4, [11, 12, 13])
    assert ledger.first_broken(3, [0, 11, 12, 13, 0]) is None
    assert ledger.first_broken(3, [0, 11, 0, 13, 0]) == 5


def test_a_write_in_flight_may_be_found_or_not_block_by_block() -> None:
    ledger = Ledger()
    ledger.submitted(4, [11, 12])
    assert ledger.first_broken(4, [11, 0]) is None
    assert ledger.first_broken(4, [0, 12]) is None
    assert ledger.first_broken(4, [12, 0]) == 4


def test_a_lost_write_is_told_from_one_that_was_overwritten() -> None:
    ledger = Ledger()
    for value in (1, 2):
        ledger.submitted(0, [value])
        ledger.acknowledged(0, [value])
    assert ledger.allowed(0) == {2}


@pytest.mark.parametrize("last", [1, 2])
def test_of_two_overlapping_writes_either_may_have_come_last(last: int) -> None:
    ledger = Ledger()
    ledger.submitted(0, [1])
    ledger.submitted(0, [2])
    ledger.acknowledged(0, [2])
    ledger.acknowledged(0, [1])
    assert ledger.first_broken(0, [last]) is None
    assert ledger.first_broken(0, [0]) == 0


def test_a_failed_write_may_be_found_until_another_is_acknowledged() -> None:
    ledger = Ledger()
    ledger.submitted(0, [1])
    ledger.failed(0, [1])
    assert ledger.allowed(0) == {0, 1}
    ledger.submitted(0, [2])
    assert ledger.allowed(0) == {0, 1, 2}
    ledger.acknowledged(0, [2])
    assert ledger.allowed(0) == {2}


def test_unreadable_is_a_value_like_others() -> None:
    ledger = Ledger()
    ledger.submitted(0, [UNREADABLE])
    ledger.acknowledged(0, [UNREADABLE])
    assert ledger.allowed(0) == {UNREADABLE}


def test_an_lba_is_busy_from_submission_to_end() -> None:
    ledger = Ledger()
    assert not ledger.is_busy(0, 100)
    ledger.submitted(10, [1, 2])
    assert ledger.is_busy(0, 11)
    assert ledger.is_busy(11, 5)
    assert not ledger.is_busy(0, 10)
    assert not ledger.is_busy(12, 5)
    ledger.failed(10, [1, 2])
    assert not ledger.is_busy(10, 2)


def test_the_first_lba_of_a_read_that_is_wrong_is_named() -> None:
    ledger = Ledger()
    reading = ledger.read_submitted(4, 4)
    ledger.submitted(5, [11])
    ledger.acknowledged(5, [11])
    ledger.read_ended(reading)
    assert ledger.first_wrong(reading, [0, 0, 0, 0]) is None
    assert ledger.first_wrong(reading, [0, 11, 0, 0]) is None
    assert ledger.first_wrong(reading, [0, 12, 0, 13]) == 5

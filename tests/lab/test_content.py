"""What both sides of a migration hold, and what tiles show of it, held against a plain map of LBAs."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.runs.content import DESTINATION, NOTHING, SOURCE, UNREADABLE, Content
from nvmelm_lab.runs.states import RANK, State

BLOCKS = 21


class Plain:
    """The same by dictionaries, looked at LBA by LBA after each change."""

    def __init__(self, held):
        self.sides = (dict(enumerate(held)), {})
        self.promised = self.sides[SOURCE]
        self.behind, self.copying = set(), Counter()
        self.watched = self.settled = False

    def guest_changed(self, side, slba, values):
        if side == DESTINATION and not self.settled:
            self.settle()
        for lba, value in enumerate(values, slba):
            due = self.watched or lba in self.sides[DESTINATION] or self.copying[lba]
            if side == SOURCE and not self.settled and due:
                self.behind.add(lba)
            for where in (self.sides[side], self.promised):
                put(where, lba, value)

    def copied(self, slba, values):
        for lba, value in enumerate(values, slba):
            put(self.sides[DESTINATION], lba, value)

    def copy_begins(self, slba, blocks):
        self.copying.update(range(slba, slba + blocks))

    def copy_ends(self, slba, blocks):
        self.copying.subtract(range(slba, slba + blocks))

    def settle(self):
        self.promised, self.settled = dict(self.sides[SOURCE]), True

    def unsettle(self):
        self.promised, self.settled = self.sides[SOURCE], False

    def lose_destination(self):
        self.sides[DESTINATION].clear()
        self.behind.clear()

    def look(self):
        if not self.settled:
            self.behind = {lba for lba in self.behind if not self.same(lba)}

    def same(self, lba):
        return self.promised.get(lba, 0) == self.sides[DESTINATION].get(lba, 0)

    def state(self, side, lba):
        value = self.sides[side].get(lba)
        if side == DESTINATION and self.settled and not self.same(lba):
            return State.LOST
        if side == DESTINATION and self.copying[lba]:
            return State.COPYING
        if value == UNREADABLE:
            return State.UNREADABLE
        if side == SOURCE and lba in self.behind and not self.settled:
            return State.CHANGED
        if value is None:
            return State.DEALLOCATED
        return State.EQUAL if side == DESTINATION and self.same(lba) else State.MAPPED

    def worst(self, side, lbas):
        def rank(lba):
            found = self.state(side, lba)
            missing = found == State.DEALLOCATED != self.state(SOURCE, lba) and side == DESTINATION
            return 1.5 if missing else RANK[found]

        return self.state(side, max(lbas, key=rank))


def put(side, lba, value):
    if value == NOTHING:
        side.pop(lba, None)
    else:
        side[lba] = value


_spans = st.tuples(st.integers(0, BLOCKS - 1), st.integers(1, 9)).map(
    lambda s: (s[0], min(s[1], BLOCKS - s[0]))
)
_values = st.sampled_from((0, 7, 8, 9, UNREADABLE, NOTHING))
_changes = st.tuples(_spans, _values).map(lambda c: (c[0][0], [c[1]] * c[0][1]))
_events = st.lists(
    st.one_of(
        st.tuples(st.just("guest_changed"), st.tuples(st.just(SOURCE), _changes).map(lambda c: (c[0], *c[1]))),
        st.tuples(st.just("guest_changed"), st.tuples(st.just(DESTINATION), _changes).map(lambda c: (c[0], *c[1]))),
        st.tuples(st.just("copied"), _changes),
        st.tuples(st.sampled_from(("copy_begins", "copy_ends")), _spans),
        st.tuples(st.sampled_from(("settle", "unsettle", "lose_destination", "watch")), st.just(())),
    ),
    max_size=30,
)  # fmt: skip


@given(st.lists(st.sampled_from((1, 2, 3)), max_size=BLOCKS), _events, st.sampled_from((1, 2, 8, 32)))
def test_states_and_tiles_are_those_of_a_plain_map(held, events, tile):
    content, plain = Content(BLOCKS, held, tile), Plain(held)
    shown = (bytearray(content.tiles), bytearray(content.tiles))
    under_way = Counter()
    for word, values in [("watch", ()), *events]:
        if word == "watch":
            content.watched = plain.watched = not plain.watched
        elif word != "copy_ends" or under_way[values]:
            if word.startswith("copy_"):
                under_way[values] += 1 if word == "copy_begins" else -1
            getattr(content, word)(*values)
            getattr(plain, word)(*values)
        plain.look()
        check(content, plain, shown)


def check(content, plain, shown):
    for side in (SOURCE, DESTINATION):
        assert [content.state(side, lba) for lba in range(BLOCKS)] == [
            plain.state(side, lba) for lba in range(BLOCKS)
        ]
    for side, runs in enumerate(content.news()):
        for first, count, state in runs:
            shown[side][first : first + count] = bytes([state]) * count
        tiles = [range(n * content.tile, min((n + 1) * content.tile, BLOCKS)) for n in range(content.tiles)]
        assert list(shown[side]) == [plain.worst(side, tile) for tile in tiles]
    assert content.news() == ([], [])
    assert content.behind == (0 if plain.settled else len(plain.behind))
    wrong = [(lba, plain.promised.get(lba, 0)) for lba in range(BLOCKS) if not plain.same(lba)]
    assert content.wrong() == wrong
    behind = [lba for lba in range(4, 15) if lba in plain.behind and not plain.same(lba)]
    assert content.first_behind(4, 11) == (behind[0] if behind else None)


def test_zeros_that_were_deallocated_are_not_behind_a_destination_that_holds_nothing():
    content = Content(4, [5, 5])
    content.watched = True
    content.guest_changed(SOURCE, 0, [NOTHING])
    content.guest_changed(SOURCE, 1, [0])
    content.guest_changed(SOURCE, 2, [6])
    assert [content.state(SOURCE, lba) for lba in range(4)] == [
        State.DEALLOCATED,
        State.MAPPED,
        State.CHANGED,
        State.DEALLOCATED,
    ]
    assert content.behind == 1


def test_what_the_guest_writes_at_the_destination_brings_nothing_up_to_date_when_it_goes_back():
    content = Content(4, [5, 5, 5, 5])
    content.copied(0, [5, 5, 5, 5])
    content.guest_changed(SOURCE, 1, [6])
    content.guest_changed(DESTINATION, 1, [7])
    assert content.state(DESTINATION, 1) == State.EQUAL
    content.unsettle()
    assert (content.state(SOURCE, 1), content.behind) == (State.CHANGED, 1)


@pytest.mark.parametrize(("tile", "tiles"), [(1, 21), (2, 11), (8, 3), (32, 1)])
def test_the_last_tile_of_a_namespace_may_be_short(tile, tiles):
    assert Content(BLOCKS, range(1, BLOCKS + 1), tile).news()[0] == [[0, tiles, State.MAPPED]]

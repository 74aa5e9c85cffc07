"""What both namespaces of a migration hold as a run goes on: the state of each LBA on either side.

It is fed with changes and asked which tiles look otherwise since it was last asked.  A *tile* is some LBAs that are
shown as one; the worst state among them wins.  Nothing here knows effects, steps or commands.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from nvmelm_lab.runs.states import MISSING, WORST_FIRST, State

NOTHING: Final = (1 << 64) - 1
"""Stands for a deallocated block, where a stamp would stand."""

UNREADABLE: Final = (1 << 64) - 2
"""Stands for a block whose Reads end with an error, where a stamp would stand."""

SOURCE, DESTINATION = 0, 1

Run = list[int]
"""``[first tile, tiles, state]``."""

# A deallocated block reads as zeros.
_ZEROS: Final = (0, NOTHING)

BYTES_PER_LBA: Final = 30
"""Memory for each LBA: three values, two states, a count of copies under way, a mark."""


class Content:
    """Source and destination of one namespace of `blocks` LBAs, in tiles of `tile` LBAs.

    held
        Stamps that the source holds from LBA 0 on, before anything else happens.
    watched
        Whether the source's changes are logged: each of them has to be copied.
    settled
        Whether the guest has been started at the destination: from then on nothing there may differ from what
        the guest is promised.
    """

    def __init__(self, blocks: int, held: Sequence[int] = (), tile: int = 1) -> None:
        self.blocks = blocks
        self.tile = tile
        self.tiles = -(-blocks // tile)
        self.watched = False
        self.settled = False
        here = array("Q", [NOTHING]) * blocks
        here[: len(held)] = array("Q", held)
        self._sides = (here, array("Q", [NOTHING]) * blocks)
        # What the guest must find: the source's content until it runs at the destination.
        self._promised = here
        self._behind = bytearray(blocks)
        self._marked = 0
        self._copying = array("H", [0]) * blocks
        self._states = (bytearray(blocks), bytearray(blocks))
        self._shown = (bytearray(self.tiles), bytearray(self.tiles))
        self._touched = bytearray(self.tiles)
        self._renew(0, blocks)

    # -- what happens --------------------------------------------------------------------------------------

    def guest_changed(self, side: int, slba: int, values: Sequence[int]) -> None:
        """The guest's command put `values` into the LBAs from `slba` on."""
        if side == DESTINATION and not self.settled:
            self.settle()
        mine, end = self._sides[side], slba + len(values)
        new = array("Q", values)
        if self._promised is not mine:
            self._promised[slba:end] = new
        elif side == SOURCE:
            self._note_behind(slba, end)
        mine[slba:end] = new
        self._renew(slba, end)

    def copied(self, slba: int, values: Sequence[int]) -> None:
        """Somebody other than the guest put `values` into the destination's LBAs from `slba` on."""
        end = slba + len(values)
        self._sides[DESTINATION][slba:end] = array("Q", values)
        self._renew(slba, end)

    def copy_begins(self, slba: int, blocks: int) -> None:
        """A copy of these LBAs is under way from now on."""
        for lba in range(slba, slba + blocks):
            self._copying[lba] += 1
        self._renew(slba, slba + blocks)

    def copy_ends(self, slba: int, blocks: int) -> None:
        """One copy of these LBAs is not under way any more."""
        for lba in range(slba, slba + blocks):
            self._copying[lba] -= 1
        self._renew(slba, slba + blocks)

    def settle(self) -> None:
        """The guest runs at the destination from now on: what it finds there is held against its promises."""
        self._promised = self._sides[SOURCE][:]
        self.settled = True
        self._renew(0, self.blocks)

    def unsettle(self) -> None:
        """The guest runs at the source again."""
        self._promised = self._sides[SOURCE]
        self.settled = False
        self._renew(0, self.blocks)

    def lose_destination(self) -> None:
        """The destination's namespace is gone, and with it all that it held."""
        self._sides[DESTINATION][:] = array("Q", [NOTHING]) * self.blocks
        self._behind = bytearray(self.blocks)
        self._marked = 0
        self._renew(0, self.blocks)

    # -- what is to be seen --------------------------------------------------------------------------------

    def news(self) -> tuple[list[Run], list[Run]]:
        """Runs of tiles that show another state than when last asked, at the source, then at the destination."""
        touched, tile = [], self._touched.find(1)
        while tile >= 0:
            touched.append(tile)
            tile = self._touched.find(1, tile + 1)
        self._touched = bytearray(self.tiles)
        return self._changed(SOURCE, touched), self._changed(DESTINATION, touched)

    @property
    def behind(self) -> int:
        """LBAs that changed at the source and are otherwise at the destination; 0 once the guest runs there."""
        return 0 if self.settled else self._marked

    def state(self, side: int, lba: int) -> State:
        """The state of one LBA on one side."""
        return State(_SHOWN[self._states[side][lba]])

    def wrong(self, lbas: Iterable[int] | None = None) -> list[tuple[int, int]]:
        """LBAs, of `lbas` or of all, that are not as promised at the destination: ``(lba, promised)``.

        Zeros are promised where nothing was written.
        """
        promised = self._promised
        return [
            (lba, 0 if promised[lba] == NOTHING else promised[lba])
            for lba in (range(self.blocks) if lbas is None else lbas)
            if not self._is_as_promised(lba)
        ]

    def first_behind(self, slba: int, blocks: int) -> int | None:
        """The first LBA of the range that was changed at the source and is otherwise at the destination."""
        lbas = range(slba, slba + blocks)
        return next((lba for lba in lbas if self._behind[lba] and not self._is_as_promised(lba)), None)

    # -- inside --------------------------------------------------------------------------------------------

    def _is_as_promised(self, lba: int) -> bool:
        promised, found = self._promised[lba], self._sides[DESTINATION][lba]
        return promised == found or (promised in _ZEROS and found in _ZEROS)

    def _note_behind(self, start: int, end: int) -> None:
        """LBAs that are about to change: what was copied of them, is being copied or will be, is out of date."""
        behind, there, copying = self._behind, self._sides[DESTINATION], self._copying
        for lba in range(start, end):
            if not behind[lba] and (self.watched or there[lba] != NOTHING or copying[lba]):
                behind[lba] = 1
                self._marked += 1

    def _renew(self, start: int, end: int) -> None:
        """Look again at the state of LBAs, after a change."""
        (here, there), (here_states, there_states) = self._sides, self._states
        promised, behind, copying, settled = self._promised, self._behind, self._copying, self.settled
        for lba in range(start, end):
            value, copy, wanted = here[lba], there[lba], promised[lba]
            same = copy == wanted or (copy in _ZEROS and wanted in _ZEROS)
            if behind[lba] and same and not settled:
                behind[lba] = 0
                self._marked -= 1
            if value == UNREADABLE:
                here_states[lba] = _UNREADABLE
            elif behind[lba] and not settled:
                here_states[lba] = _CHANGED
            else:
                here_states[lba] = _DEALLOCATED if value == NOTHING else _MAPPED
            if settled and not same:
                there_states[lba] = _LOST
            elif copying[lba]:
                there_states[lba] = _COPYING
            elif copy == NOTHING:
                there_states[lba] = MISSING if here_states[lba] else _DEALLOCATED
            elif copy == UNREADABLE:
                there_states[lba] = _UNREADABLE
            else:
                there_states[lba] = _EQUAL if same else _MAPPED
        first, last = start // self.tile, -(-end // self.tile)
        self._touched[first:last] = b"\1" * (last - first)

    def _changed(self, side: int, touched: list[int]) -> list[Run]:
        states, shown, single = self._states[side], self._shown[side], self.tile == 1
        runs: list[Run] = []
        for tile in touched:
            state = _SHOWN[states[tile] if single else self._worst(states, tile)]
            if state == shown[tile]:
                continue
            shown[tile] = state
            if runs and runs[-1][0] + runs[-1][1] == tile and runs[-1][2] == state:
                runs[-1][1] += 1
            else:
                runs.append([tile, 1, state])
        return runs

    def _worst(self, states: bytearray, tile: int) -> int:
        """The worst of the states of a tile's LBAs."""
        start, end = tile * self.tile, min((tile + 1) * self.tile, self.blocks)
        first = states[start]
        if states.count(first, start, end) == end - start:
            return first
        return next(state for state in WORST_FIRST if states.find(state, start, end) >= 0)


# Asked for each LBA; a member of an enumeration takes several times as long to look up.
_DEALLOCATED, _MAPPED, _CHANGED, _COPYING, _EQUAL, _LOST, _UNREADABLE = map(int, State)

_SHOWN: Final = (*map(int, State), _DEALLOCATED)
"""What people see of each state; `MISSING` is the last."""

"""What both namespaces hold as a run goes on: the state and the version of each LBA on either side.

It is fed with the changes that a trace tells of and asked for what differs since it was last asked.  Nothing
here knows steps or commands.  Only LBAs that were ever touched are kept, so a large namespace that is mostly
empty costs nothing.
"""

from collections.abc import Iterable, Iterator

from nvmelm_lab.views.model import State

UNREADABLE = -1
"""Stands for a block whose Reads end with an error, where a stamp would stand."""

SOURCE, DESTINATION = 0, 1

Run = list[int]
Version = list[int | str]


class Content:
    """Source and destination of one namespace.

    held
        Stamps that the source holds from LBA 0 on, before anything else happens.
    settled
        Whether the guest has been started at the destination: from then on nothing there may differ from what
        the guest is promised.
    """

    def __init__(self, held: Iterable[int] = ()) -> None:
        here = dict(enumerate(held))
        self._sides: tuple[dict[int, int], dict[int, int]] = (here, {})
        # What the guest must find: the source's content until it runs at the destination.
        self._promised = here
        self._behind: set[int] = set()
        self._copying: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        # What it held before the run, zeros included, is v0.
        self._names: dict[tuple[int, int], str] = {(lba, stamp): "v0" for lba, stamp in here.items()}
        self._shown: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._touched: set[int] = set(here)
        self._versions: list[Version] = []
        self.watched = False
        self.settled = False

    # -- what happens --------------------------------------------------------------------------------------

    def guest_changed(self, side: int, slba: int, values: Iterable[int | None], writer: str) -> None:
        """The guest's command put `values` (None: deallocated) into the LBAs from `slba` on."""
        if side == DESTINATION and not self.settled:
            self.settle()
        mine = self._sides[side]
        names = []
        for lba, value in enumerate(values, slba):
            _put(mine, lba, value)
            if self._promised is not mine:
                _put(self._promised, lba, value)
            elif side == SOURCE and (self.watched or lba in self._sides[DESTINATION] or lba in self._copying):
                self._behind.add(lba)
            self._counts[lba] = number = self._counts.get(lba, 0) + 1
            names.append(self._name(lba, value, f"v{number}"))
            self._touched.add(lba)
        self._note(side, slba, names, writer)

    def copied(self, slba: int, values: Iterable[int | None], writer: str) -> None:
        """Somebody other than the guest put `values` into the destination's LBAs from `slba` on."""
        names = []
        for lba, value in enumerate(values, slba):
            _put(self._sides[DESTINATION], lba, value)
            names.append(self._names.get((lba, value or 0), "unknown data" if value else "v0"))
            self._touched.add(lba)
        self._note(DESTINATION, slba, names, writer)

    def copy_begins(self, slba: int, blocks: int) -> None:
        """A copy of these LBAs is under way from now on."""
        for lba in range(slba, slba + blocks):
            self._copying[lba] = self._copying.get(lba, 0) + 1
            self._touched.add(lba)

    def copy_ends(self, slba: int, blocks: int) -> None:
        """One copy of these LBAs is not under way any more."""
        for lba in range(slba, slba + blocks):
            self._copying[lba] -= 1
            if not self._copying[lba]:
                del self._copying[lba]
            self._touched.add(lba)

    def settle(self) -> None:
        """The guest runs at the destination from now on: what it finds there is held against its promises."""
        self._promised = dict(self._sides[SOURCE])
        self.settled = True
        self._touch_all()

    def unsettle(self) -> None:
        """The guest runs at the source again."""
        self._promised = self._sides[SOURCE]
        self.settled = False
        self._touch_all()

    def lose_destination(self) -> None:
        """The destination's namespace is gone, and with it all that it held."""
        self._touch_all()
        self._sides[DESTINATION].clear()
        self._behind.clear()

    # -- what is to be seen --------------------------------------------------------------------------------

    def news(self) -> tuple[list[Run], list[Run], list[Version]]:
        """What is new since last asked: runs of LBAs with another state, at the source, then at the
        destination, and versions.
        """
        touched = sorted(self._touched)
        self._touched.clear()
        versions, self._versions = self._versions, []
        return self._changed(SOURCE, touched), self._changed(DESTINATION, touched), versions

    def state(self, side: int, lba: int) -> State:
        """The state of one LBA on one side."""
        value = self._sides[side].get(lba)
        if side == SOURCE:
            return self._source_state(lba, value)
        if self.settled and not self._is_as_promised(lba):
            return State.LOST
        if lba in self._copying:
            return State.COPYING
        if value is None:
            return State.DEALLOCATED
        if value == UNREADABLE:
            return State.UNREADABLE
        return State.EQUAL if self._is_as_promised(lba) else State.MAPPED

    def wrong(self, lbas: Iterable[int] | None = None) -> list[tuple[int, int]]:
        """LBAs, of `lbas` or of all, that are not as promised at the destination: ``(lba, promised)``."""
        looked_at = self._promised.keys() | self._sides[DESTINATION].keys() if lbas is None else lbas
        return sorted((lba, self._promised.get(lba, 0)) for lba in looked_at if not self._is_as_promised(lba))

    def first_behind(self, slba: int, blocks: int) -> int | None:
        """The first LBA of the range that was changed at the source and is otherwise at the destination."""
        return next((lba for lba in range(slba, slba + blocks) if self._is_behind(lba)), None)

    def _source_state(self, lba: int, value: int | None) -> State:
        if value == UNREADABLE:
            return State.UNREADABLE
        if not self.settled and self._is_behind(lba):
            return State.CHANGED
        return State.DEALLOCATED if value is None else State.MAPPED

    def _is_behind(self, lba: int) -> bool:
        if lba not in self._behind:
            return False
        if self._is_as_promised(lba):
            self._behind.discard(lba)
            return False
        return True

    def _is_as_promised(self, lba: int) -> bool:
        # A deallocated block reads as zeros.
        return self._promised.get(lba, 0) == self._sides[DESTINATION].get(lba, 0)

    # -- inside --------------------------------------------------------------------------------------------

    def _name(self, lba: int, value: int | None, version: str) -> str:
        said = {None: ", deallocated", 0: ", zeros", UNREADABLE: ", unreadable"}.get(value, "")
        self._names[lba, value or 0] = version + said
        return version + said

    def _note(self, side: int, slba: int, names: list[str], writer: str) -> None:
        self._versions += [[side, slba + at, count, name, writer] for at, count, name in _runs(names)]

    def _touch_all(self) -> None:
        self._touched.update(*self._sides, self._copying)

    def _changed(self, side: int, touched: list[int]) -> list[Run]:
        shown = self._shown[side]
        runs: list[Run] = []
        for lba in touched:
            state = int(self.state(side, lba))
            if state == shown.get(lba, 0):
                continue
            shown[lba] = state
            if runs and runs[-1][0] + runs[-1][1] == lba and runs[-1][2] == state:
                runs[-1][1] += 1
            else:
                runs.append([lba, 1, state])
        return runs


def _put(side: dict[int, int], lba: int, value: int | None) -> None:
    if value is None:
        side.pop(lba, None)
    else:
        side[lba] = value


def _runs(names: list[str]) -> Iterator[tuple[int, int, str]]:
    """Runs of equal names: where each starts, how long it is, the name."""
    start = 0
    for at in range(1, len(names) + 1):
        if at == len(names) or names[at] != names[start]:
            yield start, at - start, names[start]
            start = at

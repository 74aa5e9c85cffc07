"""Which version of each LBA is where: v0 is what it held before the run, then one more with each change by the guest.

A copy brings a version over by its stamp, so that a stale one is told from the current one.
"""

from collections.abc import Iterable, Iterator, Sequence

from nvmelm_lab.runs.content import DESTINATION, NOTHING, UNREADABLE

Version = list[int | str]
"""``[side, slba, blocks, version, writer]``."""

_SAID = {NOTHING: ", deallocated", 0: ", zeros", UNREADABLE: ", unreadable"}


class Versions:
    """The versions of one namespace's LBAs; `held` are the stamps that it holds from LBA 0 on at the start."""

    def __init__(self, held: Iterable[int] = ()) -> None:
        self._counts: dict[int, int] = {}
        # What it held before the run, zeros included, is v0.
        self._names: dict[tuple[int, int], str] = {(lba, stamp): "v0" for lba, stamp in enumerate(held)}
        self._news: list[Version] = []

    def guest_changed(self, side: int, slba: int, values: Sequence[int], writer: str) -> None:
        """The guest's command put `values` into the LBAs from `slba` on."""
        names = []
        for lba, value in enumerate(values, slba):
            self._counts[lba] = number = self._counts.get(lba, 0) + 1
            name = f"v{number}{_SAID.get(value, '')}"
            self._names[lba, _read(value)] = name
            names.append(name)
        self._note(side, slba, names, writer)

    def copied(self, slba: int, values: Sequence[int], writer: str) -> None:
        """Somebody other than the guest put `values` into the destination's LBAs from `slba` on."""
        found = [(lba, _read(value)) for lba, value in enumerate(values, slba)]
        names = [self._names.get(each, "unknown data" if each[1] else "v0") for each in found]
        self._note(DESTINATION, slba, names, writer)

    def news(self) -> list[Version]:
        """What is new since last asked."""
        news, self._news = self._news, []
        return news

    def _note(self, side: int, slba: int, names: list[str], writer: str) -> None:
        self._news += [[side, slba + at, count, name, writer] for at, count, name in _runs(names)]


def _read(value: int) -> int:
    """What a Read finds of it."""
    return 0 if value == NOTHING else value


def _runs(names: list[str]) -> Iterator[tuple[int, int, str]]:
    """Runs of equal names: where each starts, how long it is, the name."""
    start = 0
    for at in range(1, len(names) + 1):
        if at == len(names) or names[at] != names[start]:
            yield start, at - start, names[start]
            start = at

"""What happened in a run of any length, in a few hundred frames: levels of counters, and what maps show.

A *map* is a row of up to `MOST_TILES` tiles, each in one of a few states.  A frame holds the tiles that show another
state than in the frame before.  When a summary is full, every second frame goes, and frames are wanted half as often
from then on; what a frame told goes into the one after it, so nothing but moments is lost.  A summary is plain data:
it goes to JSON and back without loss.  What counters, states and words mean is the business of upper floors.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from struct import Struct
from typing import Any

from nvmelm_lab.errors import InputError

MOST_FRAMES = 512
MOST_TILES = 65_536

FORMAT = "nvmelm summary 1"

_RUN = Struct("<IIB")


@dataclass(frozen=True, slots=True)
class Frame:
    """How things stand after the step `step`.

    time
        Of that step, in ns; -1 without a clock.
    words
        What happened since the frame before and has a name: tuples of plain values.
    counters
        The level of each counter.
    maps
        For each map the tiles that show another state than before: runs, as `pack_runs` makes them.
    """

    time: int
    step: int
    words: tuple[tuple[Any, ...], ...]
    counters: tuple[int, ...]
    maps: tuple[bytes, ...]


@dataclass(slots=True)
class Summary:
    """The frames of a run, in order.  All tiles of all maps are in state 0 before the first.

    about
        Whatever readers have to know of the run: plain values of JSON.
    counters
        The counters' names.
    tiles
        Tiles of each map.
    interval
        How far apart frames are wanted, in ns, or in steps where no clock runs.
    limit
        Frames that it may hold.
    """

    about: dict[str, Any]
    counters: tuple[str, ...]
    tiles: int
    interval: int
    limit: int = MOST_FRAMES
    frames: list[Frame] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """One more frame; makes room for it first where there is none."""
        if len(self.frames) >= self.limit:
            self.frames = _thinned(self.frames)
            self.interval *= 2
        self.frames.append(frame)

    def to_json(self) -> str:
        """The summary as text."""
        rows = [
            [each.time, each.step, each.words, each.counters, [_as_text(runs) for runs in each.maps]]
            for each in self.frames
        ]
        head = {"format": FORMAT, "about": self.about, "counters": self.counters, "tiles": self.tiles}
        size = {"interval": self.interval, "limit": self.limit, "frames": rows}
        return json.dumps(head | size, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """The summary that `to_json` wrote.  Raises InputError when the text is not one."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise InputError(f"this is a {data['format']!r}, not a {FORMAT!r}")
            counters, tiles = tuple(map(str, data["counters"])), int(data["tiles"])
            frames = [_frame(row, len(counters), tiles) for row in data["frames"]]
            about, interval, limit = dict(data["about"]), int(data["interval"]), int(data["limit"])
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"this text is not a summary ({error}); give what Summary.to_json wrote"
            ) from error
        return cls(about, counters, tiles, interval, limit, frames)


def pack_runs(runs: Iterable[Sequence[int]]) -> bytes:
    """Runs of tiles, ``(first tile, tiles, state)`` in ascending order, as bytes."""
    return b"".join(_RUN.pack(*run) for run in runs)


def unpack_runs(packed: bytes) -> Iterator[tuple[int, int, int]]:
    """The runs that `pack_runs` packed."""
    yield from _RUN.iter_unpack(packed)


# -- making room ------------------------------------------------------------------------------------------


def _thinned(frames: list[Frame]) -> list[Frame]:
    """The frames without every second of those that have no words; of all where most have some.  Ends stay."""
    inner = range(1, len(frames) - 1)
    loose = [at for at in inner if not frames[at].words]
    if 2 * len(loose) < len(inner):
        loose = list(inner)
    dropped = frozenset(loose[::2])
    kept: list[Frame] = []
    before: Frame | None = None
    for at, frame in enumerate(frames):
        if before is not None:
            frame = _merged(before, frame)
        before = frame if at in dropped else None
        if before is None:
            kept.append(frame)
    return kept


def _merged(before: Frame, frame: Frame) -> Frame:
    """`frame` with what `before` told; counters are levels, of which the later stands."""
    maps = tuple(_merged_runs(*pair) for pair in zip(before.maps, frame.maps, strict=True))
    return replace(frame, words=(*before.words, *frame.words), maps=maps)


def _merged_runs(before: bytes, packed: bytes) -> bytes:
    if not before or not packed:
        return before or packed
    tiles: dict[int, int] = {}
    for first, count, state in (*unpack_runs(before), *unpack_runs(packed)):
        tiles.update(dict.fromkeys(range(first, first + count), state))
    # Tiles of one run have the same state and the same distance from their place among all.
    by_run = groupby(enumerate(sorted(tiles)), key=lambda pair: (pair[1] - pair[0], tiles[pair[1]]))
    runs = []
    for (_, state), pairs in by_run:
        numbers = [tile for _, tile in pairs]
        runs.append((numbers[0], len(numbers), state))
    return pack_runs(runs)


# -- text -------------------------------------------------------------------------------------------------


def _as_text(packed: bytes) -> str:
    return base64.b64encode(zlib.compress(packed)).decode() if packed else ""


def _frame(row: Sequence[Any], counters: int, tiles: int) -> Frame:
    time, step, words, levels, maps = row
    if len(levels) != counters:
        raise ValueError(f"a frame has {len(levels)} counters of {counters}")
    unpacked = tuple(_from_text(text, tiles) for text in maps)
    return Frame(int(time), int(step), tuple(map(tuple, words)), tuple(map(int, levels)), unpacked)


def _from_text(text: str, tiles: int) -> bytes:
    packed = zlib.decompress(base64.b64decode(text, validate=True)) if text else b""
    if len(packed) % _RUN.size:
        raise ValueError("a map is cut short")
    if any(first + count > tiles for first, count, _ in unpack_runs(packed)):
        raise ValueError(f"a map has more than {tiles} tiles")
    return packed

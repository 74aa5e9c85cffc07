"""The state of a run at one step, from its player model: maps, queue, verdicts, and the story of one LBA.

The browser has the same rules in `js/run.js`; the tests hold the two against each other.  Nothing here draws.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.model import RANK, WORDS, PlayerModel, Runs, State, Step, Verdict, grain


@dataclass(frozen=True, slots=True)
class Moment:
    """A run after one step.

    `source` and `destination` hold one state a tile of `grain` LBAs, of which the last is `short` of some at the
    end of the namespace.  `tags[slot]` is the phase tag in a slot of the Migration Queue and `marks[slot]` its
    ``(ESA, word)``.  `read` and `posted` count entries from the start of the run and never wrap: an entry with
    number n has been read when n < `read`.
    """

    index: int
    phase: int
    grain: int
    short: int
    source: bytes
    destination: bytes
    head: int
    tail: int
    read: int
    posted: int
    tags: tuple[int, ...]
    marks: tuple[tuple[int, str], ...]
    verdicts: tuple[tuple[Verdict, str], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one LBA at a moment: its version on either side (``v0`` for a source that was not
    written in the run, ``none yet`` for a destination), the source's last writer, and its entry: ``none``, or
    the slot that announced the version and whether it has been read.
    """

    lba: int
    source: str
    destination: str
    writer: str
    entry: str


def phase_at(model: PlayerModel, index: int) -> int:
    """The number (from 0) of the phase that the step belongs to."""
    begun = [
        n for n, phase in enumerate(model["phases"]) if phase["first"] is not None and phase["first"] <= index
    ]
    return begun[-1] if begun else 0


def at(model: PlayerModel, index: int) -> Moment:
    """The run after step `index` (from 0), played from the start."""
    if not 0 <= index < len(model["steps"]):
        raise InputError(f"step {index}: the run has steps 0 to {len(model['steps']) - 1}")
    tile = grain(model)
    tiles = -(-model["blocks"] // tile)
    sides = tuple(_tiles(tiles, model[side]["start"], tile) for side in ("source", "destination"))
    slots = model["queue"]["slots"]
    tags, marks = [0] * slots, [(0, "")] * slots
    verdicts: list[tuple[Verdict, str]] = [("open", "")] * len(model["properties"])
    head = tail = read = posted = 0
    for step in model["steps"][: index + 1]:
        _lay(sides[0], step.get("source", ()), tile)
        _lay(sides[1], step.get("destination", ()), tile)
        if (entry := step.get("entry")) is not None:
            slot, tag, esa, word = entry
            tags[int(slot)], marks[int(slot)] = int(tag), (int(esa), str(word))
        new_head, new_tail = ends(step, head, tail)
        read, posted = read + (new_head - head) % slots, posted + (new_tail - tail) % slots
        head, tail = new_head, new_tail
        for which, verdict, word in step.get("verdicts", ()):
            verdicts[int(which)] = (verdict, str(word))  # type: ignore[assignment]
    return Moment(
        index, phase_at(model, index), tile, tiles * tile - model["blocks"], bytes(sides[0]), bytes(sides[1]),
        head, tail, read, posted, tuple(tags), tuple(marks), tuple(verdicts),
    )  # fmt: skip


_ONE: Final = tuple(bytes([state]) for state in range(len(WORDS)))


def _tiles(count: int, runs: Runs, tile: int) -> bytearray:
    tiles = bytearray(count)
    _lay(tiles, runs, tile)
    return tiles


def _lay(tiles: bytearray, runs: Runs, tile: int) -> None:
    for slba, blocks, state in runs:
        count = -(-blocks // tile)
        first = slba // tile
        tiles[first : first + count] = _ONE[state] * count


def ends(step: Step, head: int, tail: int) -> tuple[int, int]:
    """Head and tail of the Migration Queue after the step, given those before it."""
    new_head, new_tail = step.get("head"), step.get("tail")
    return head if new_head is None else new_head, tail if new_tail is None else new_tail


def rank(source: int, destination: int | None = None) -> float:
    """How much a state weighs against the others in a cell: of the source, or of the destination beside it.

    A destination tile that is still deallocated although its source is not weighs more than an equal one, so
    that a half-copied cell never looks finished.
    """
    if destination is None:
        return RANK[source]
    return 1.5 if destination == State.DEALLOCATED and source != State.DEALLOCATED else RANK[destination]


def cells(moment: Moment, side: int, cell_lbas: int) -> bytes:
    """The worst state in each cell of `cell_lbas` LBAs, on one side."""
    per = max(1, cell_lbas // moment.grain)
    found = bytearray()
    for start in range(0, len(moment.source), per):
        source, destination = moment.source[start : start + per], moment.destination[start : start + per]
        if side:
            found.append(max(set(zip(source, destination, strict=True)), key=lambda pair: rank(*pair))[1])
        else:
            found.append(max(set(source), key=rank))
    return bytes(found)


def _rank_of(moment: Moment, side: int, tile: int) -> float:
    source = moment.source[tile]
    return rank(source, moment.destination[tile]) if side else rank(source)


def counts(moment: Moment, side: int | None = None) -> tuple[int, ...]:
    """LBAs in each state on one side; without a side, LBAs that have the state on either of them."""
    pairs = Counter(zip(moment.source, moment.destination, strict=True))
    blocks = {pair: tiles * moment.grain for pair, tiles in pairs.items()}
    blocks[moment.source[-1], moment.destination[-1]] -= moment.short
    return tuple(
        sum(n for pair, n in blocks.items() if state in (pair if side is None else pair[side : side + 1]))
        for state in range(len(WORDS))
    )


def worst_lba(moment: Moment, slba: int, blocks: int) -> int:
    """The first LBA of the range whose state, on the worse of its two sides, weighs most."""
    first, last = slba // moment.grain, (slba + blocks - 1) // moment.grain
    worst = max(
        range(first, last + 1), key=lambda tile: max(_rank_of(moment, 0, tile), _rank_of(moment, 1, tile))
    )
    return max(slba, worst * moment.grain)


def story(model: PlayerModel, moment: Moment, lba: int) -> Story:
    """The versions of one LBA on both sides, who wrote it last, and the entry that announced that write.

    An entry belongs to the source's version when it covers the LBA and was posted after the write took
    effect, or before it by the same actor: a controller may post the entry first.
    """
    source, before = _last_versions(model, moment.index, 0, lba)
    destination, _ = _last_versions(model, moment.index, 1, lba)
    written, version, writer = source or (0, "v0", "none")
    entry = _entry(model, moment, lba, written, before)
    return Story(lba, version, destination[1] if destination else "none yet", writer, entry)


def _last_versions(
    model: PlayerModel, index: int, side: int, lba: int
) -> tuple[tuple[int, str, str] | None, int]:
    """The last version as (step, version, writer), and the step of the version before it (-1 for none)."""
    found = _versions(model, index, side, lba)
    last = next(found, None)
    before = next(found, None)
    return last, before[0] if before else -1


def _versions(model: PlayerModel, index: int, side: int, lba: int) -> Iterator[tuple[int, str, str]]:
    for at_step in range(index, -1, -1):
        for which, slba, blocks, version, writer in reversed(model["steps"][at_step].get("versions", ())):
            if which == side and int(slba) <= lba < int(slba) + int(blocks):
                yield at_step, str(version), str(writer)


def _entry(model: PlayerModel, moment: Moment, lba: int, written: int, before: int) -> str:
    steps = model["steps"]
    for at_step in range(moment.index, before, -1):
        step = steps[at_step]
        entry, lbas = step.get("entry"), step.get("lbas")
        if entry is None or lbas is None or not lbas[0] <= lba < lbas[0] + lbas[1]:
            continue
        if at_step < written and step["actor"] != steps[written]["actor"]:
            continue
        slot = int(entry[0])
        return f"slot {slot}, {'read' if _number(model, at_step, slot) < moment.read else 'waiting'}"
    return "none"


def _number(model: PlayerModel, index: int, slot: int) -> int:
    """The running number, over the whole run, of the entry that the step posted in the slot."""
    slots, head, tail, posted = model["queue"]["slots"], 0, 0, 0
    for step in model["steps"][: index + 1]:
        head, new_tail = ends(step, head, tail)
        posted, tail = posted + (new_tail - tail) % slots, new_tail
    return posted - (tail - slot) % slots

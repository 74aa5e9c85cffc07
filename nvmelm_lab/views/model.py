"""The player model: one run, step by step, as plain data that goes to the browser as JSON.

What lives here is its shape and `check`, which refuses a model that the player could not draw whole.  Nothing
here knows how a model is made (from a trace) or how it is drawn.  Times are ns, places are LBAs, a *side* is
0 for the source and 1 for the destination, and a step is named by its index from 0; people read it from 1.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

from nvmelm_lab.errors import InputError

VERSION: Final = 1
MOST_TILES: Final = 1 << 22
MOST_STEPS: Final = 50_000

PHASES: Final = (
    "Prepare",
    "Start logging",
    "Initial copy",
    "Iterate",
    "Suspend",
    "State",
    "Resume",
    "Clean up",
)


class State(IntEnum):
    """What is known of one LBA on one side; the word for each is in `WORDS`."""

    DEALLOCATED = 0
    MAPPED = 1
    CHANGED = 2
    COPYING = 3
    EQUAL = 4
    LOST = 5
    UNREADABLE = 6


WORDS: Final = ("deallocated", "mapped", "changed", "copying", "equal", "lost or stale", "unreadable")

# The worst state of a cell wins: what a learner must not overlook ranks highest.  A destination LBA that is
# still deallocated although its source holds data ranks just above "equal": see `replay.rank`.
RANK: Final = (0, 2, 4, 3, 1, 6, 5)

Runs = Sequence[Sequence[int]]
"""``[[slba, blocks, state], ...]``: `blocks` LBAs from `slba` on have (or now take) `state`."""

Verdict = Literal["open", "good", "bad"]


class Phase(TypedDict):
    """One of the eight phases and the index of its first step; None when the run never came to it."""

    name: str
    first: int | None


class Queue(TypedDict):
    """The Migration Queue: its size in slots, of which one always stays empty, and its CDQID."""

    slots: int
    cdqid: int


class Side(TypedDict):
    """One namespace: the name above its map, and its state before the first step."""

    name: str
    start: Runs


class Property(TypedDict):
    """One promise that the run is judged by: a short name and the sentence behind it."""

    name: str
    sentence: str


class Field(TypedDict):
    """One field of a layout: bits `low_bit` to `high_bit` of the little-endian number in `size` bytes from
    `byte` on.  `values` gives the meaning of single values, by their decimal text; `source` is the section.
    """

    name: str
    byte: int
    size: int
    low_bit: int
    high_bit: int
    meaning: str
    source: str
    values: NotRequired[dict[str, str]]


class Layout(TypedDict):
    """How the bytes of one structure (an SQE, a CQE, an MQE ...) are read; `size` in bytes."""

    size: int
    fields: Sequence[Field]


class Step(TypedDict):
    """One step: who did what, when, and what it changed.  What is absent did not change.

    `t` is ns; `cause` the index of the step that made this one possible; `lbas` is ``[slba, blocks]``;
    `versions` is ``[[side, slba, blocks, version, writer], ...]``; `entry` is the entry posted in this step,
    ``[slot, phase tag, ESA, word]``; `head` and `tail` are slots after the step; `bytes` is
    ``[layout name, hex]``; `verdicts` is ``[[index of the property, verdict, word], ...]``.
    """

    t: int
    lane: int
    actor: str
    text: str
    note: NotRequired[str]
    cause: NotRequired[int | None]
    lbas: NotRequired[Sequence[int] | None]
    source: NotRequired[Runs]
    destination: NotRequired[Runs]
    versions: NotRequired[Sequence[Sequence[int | str]]]
    entry: NotRequired[Sequence[int | str] | None]
    head: NotRequired[int | None]
    tail: NotRequired[int | None]
    bytes: NotRequired[Sequence[str] | None]
    verdicts: NotRequired[Sequence[Sequence[int | str]]]


class PlayerModel(TypedDict):
    """A whole run.  `blocks` is the size of the namespace in LBAs, `cell_lbas` the smallest number of LBAs (a
    power of two) that one map cell stands for; the player takes a larger one where the map has less room.
    """

    version: int
    title: str
    seed: int
    token: str
    timed: bool
    lba_bytes: int
    blocks: int
    cell_lbas: int
    queue: Queue
    phases: Sequence[Phase]
    lanes: Sequence[str]
    source: Side
    destination: Side
    properties: Sequence[Property]
    layouts: Mapping[str, Layout]
    steps: Sequence[Step]


def grain(model: PlayerModel) -> int:
    """The largest power of two, in LBAs, of which every run of the model is a multiple, up to `cell_lbas`.

    A tile of this size is the smallest place whose state can differ from its neighbour's, so states are held
    by tile: a summary of 2^28 LBAs costs no more than its 65 536 tiles.
    """
    edges = model["blocks"] | model["cell_lbas"]
    for runs in _all_runs(model):
        for slba, blocks, _ in runs:
            edges |= slba | blocks
    return edges & -edges


def _all_runs(model: PlayerModel) -> list[Runs]:
    runs = [model["source"]["start"], model["destination"]["start"]]
    for step in model["steps"]:
        runs.extend(changed for changed in (step.get("source"), step.get("destination")) if changed)
    return runs


# --- check ---------------------------------------------------------------------------------------------

# Longest texts that the player draws whole at its design width, in characters of a wide typeface.
_LONGEST = {
    "text": 100,
    "note": 44,
    "actor": 40,
    "lane": 16,
    "phase": 14,
    "map name": 22,
    "property": 26,
    "word": 24,
}


def check(model: Mapping[str, Any]) -> PlayerModel:
    """The model itself, typed, when the player can draw every step of it whole; else `InputError`.

    The error's sentence names the place (``player model, step 12``), what is wrong there and what would be
    right.  Keys that the player does not know are refused too: they would be silently ignored.
    """
    _keys("player model", model, PlayerModel)
    if model["version"] != VERSION:
        raise InputError(
            f"player model: version is {model['version']!r}; this player draws version {VERSION}"
        )
    _check_space(model)
    _check_names(model)
    _check_layouts(model["layouts"])
    blocks = model["blocks"]
    for side in ("source", "destination"):
        _check_runs(f"player model, start of the {side}", model[side]["start"], blocks)
    _check_steps(model)
    typed = cast(PlayerModel, model)
    tiles = blocks // grain(typed)
    if tiles > MOST_TILES:
        raise InputError(
            f"player model: its runs need {tiles} tiles of {grain(typed)} LBAs; at most {MOST_TILES} can be"
            " drawn, so make its runs multiples of a larger power of two"
        )
    return typed


def _keys(where: str, given: Mapping[str, Any], shape: Any) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: must be a mapping, not {type(given).__name__}")
    required: frozenset[str] = shape.__required_keys__
    known: frozenset[str] = required | shape.__optional_keys__
    missing, unknown = sorted(required - given.keys()), sorted(given.keys() - known)
    if missing:
        raise InputError(f"{where}: {missing[0]!r} is missing")
    if unknown:
        raise InputError(
            f"{where}: {unknown[0]!r} is not a key of it; the keys are {', '.join(sorted(known))}"
        )


def _number(where: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{where} is {value!r}; it must be a whole number from {low} to {high}")
    return value


def _text(where: str, kind: str, value: Any) -> None:
    most = _LONGEST[kind]
    if not isinstance(value, str):
        raise InputError(f"{where} is {value!r}; it must be text")
    if len(value) > most:
        raise InputError(f"{where} has {len(value)} characters; the player draws at most {most}: {value!r}")


def _check_space(model: Mapping[str, Any]) -> None:
    blocks = _number("player model: blocks", model["blocks"], 1, 1 << 52)
    cell = _number("player model: cell_lbas", model["cell_lbas"], 1, blocks)
    if cell & (cell - 1):
        raise InputError(f"player model: cell_lbas is {cell}; it must be a power of two")
    _number("player model: lba_bytes", model["lba_bytes"], 1, 1 << 20)
    _number("player model: seed", model["seed"], 0, (1 << 64) - 1)
    _keys("player model, queue", model["queue"], Queue)
    _number("player model, queue: slots", model["queue"]["slots"], 2, 1 << 16)
    _number("player model, queue: cdqid", model["queue"]["cdqid"], 0, 0xFFFF)


def _check_names(model: Mapping[str, Any]) -> None:
    for name in model["lanes"]:
        _text("player model: a lane's name", "lane", name)
    if not 1 <= len(model["lanes"]) <= 6:
        raise InputError(f"player model: there are {len(model['lanes'])} lanes; the player draws 1 to 6")
    for side in ("source", "destination"):
        _keys(f"player model, {side}", model[side], Side)
        _text(f"player model: the name of the {side}", "map name", model[side]["name"])
    for one in model["properties"]:
        _keys("player model, properties", one, Property)
        _text("player model: a property's name", "property", one["name"])
    if tuple(phase["name"] for phase in model["phases"]) != PHASES:
        raise InputError(f"player model: the phases must be {', '.join(PHASES)}, in this order")
    last = -1
    for phase in model["phases"]:
        if phase["first"] is None:
            continue
        first = _number(f"player model, phase {phase['name']}: first", phase["first"], 0, MOST_STEPS)
        if first < last or first >= len(model["steps"]):
            raise InputError(
                f"player model, phase {phase['name']}: its first step {first} comes before that of an earlier"
                f" phase or after the last of {len(model['steps'])} steps"
            )
        last = first


def _check_layouts(layouts: Mapping[str, Any]) -> None:
    for name, layout in layouts.items():
        where = f"player model, layout {name}"
        _keys(where, layout, Layout)
        size = _number(f"{where}: size", layout["size"], 1, 4096)
        for field in layout["fields"]:
            _keys(f"{where}, field {field.get('name')}", field, Field)
            at = f"{where}, field {field['name']}"
            byte = _number(f"{at}: byte", field["byte"], 0, size - 1)
            width = _number(f"{at}: size", field["size"], 1, size - byte)
            low = _number(f"{at}: low_bit", field["low_bit"], 0, 8 * width - 1)
            _number(f"{at}: high_bit", field["high_bit"], low, 8 * width - 1)


def _check_runs(where: str, runs: Any, blocks: int) -> None:
    for run in runs:
        if len(run) != 3:
            raise InputError(f"{where}: {run!r} is not [slba, blocks, state]")
        _check_range(where, run[0], run[1], blocks)
        _number(f"{where}: the state of {run!r}", run[2], 0, len(WORDS) - 1)


def _check_range(where: str, slba: Any, count: Any, blocks: int) -> None:
    _number(f"{where}: slba", slba, 0, blocks - 1)
    _number(f"{where}: the number of LBAs from {slba} on", count, 1, blocks - slba)


def _check_steps(model: Mapping[str, Any]) -> None:
    steps = model["steps"]
    if not 1 <= len(steps) <= MOST_STEPS:
        raise InputError(f"player model: it has {len(steps)} steps; the player plays 1 to {MOST_STEPS}")
    before = 0
    for index, step in enumerate(steps):
        where = f"player model, step {index}"
        _keys(where, step, Step)
        before = _number(f"{where}: t", step["t"], before, (1 << 53) - 1)
        _check_who(where, index, step, len(model["lanes"]))
        _check_effects(where, step, model["blocks"])
        _check_queue(where, step, model["queue"]["slots"])
        _check_facts(where, step, model)


def _check_who(where: str, index: int, step: Mapping[str, Any], lanes: int) -> None:
    _number(f"{where}: lane", step["lane"], 0, lanes - 1)
    for kind in ("actor", "text", "note"):
        _text(f"{where}: {kind}", kind, step.get(kind, ""))
    cause = step.get("cause")
    if cause is not None:
        _number(f"{where}: cause, which must be an earlier step,", cause, 0, index - 1)


def _check_effects(where: str, step: Mapping[str, Any], blocks: int) -> None:
    lbas = step.get("lbas")
    if lbas is not None:
        _check_range(f"{where}, lbas", lbas[0], lbas[1], blocks)
    for side in ("source", "destination"):
        _check_runs(f"{where}, {side}", step.get(side, ()), blocks)
    for version in step.get("versions", ()):
        if len(version) != 5:
            raise InputError(f"{where}, versions: {version!r} is not [side, slba, blocks, version, writer]")
        _number(f"{where}, versions: side", version[0], 0, 1)
        _check_range(f"{where}, versions", version[1], version[2], blocks)
        for word in version[3:]:
            _text(f"{where}, versions: a word", "word", word)


def _check_queue(where: str, step: Mapping[str, Any], slots: int) -> None:
    for end in ("head", "tail"):
        if step.get(end) is not None:
            _number(f"{where}: {end}", step[end], 0, slots - 1)
    entry = step.get("entry")
    if entry is None:
        return
    if len(entry) != 4:
        raise InputError(f"{where}: entry {entry!r} is not [slot, phase tag, ESA, word]")
    for name, value, high in zip(("slot", "phase tag", "ESA"), entry, (slots - 1, 1, 7), strict=False):
        _number(f"{where}, entry: {name}", value, 0, high)
    _text(f"{where}, entry: its word", "word", entry[3])


def _check_facts(where: str, step: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    for verdict in step.get("verdicts", ()):
        if len(verdict) != 3 or verdict[1] not in ("open", "good", "bad"):
            raise InputError(f'{where}: verdict {verdict!r} is not [property, "open", "good" or "bad", word]')
        _number(f"{where}, verdicts: property", verdict[0], 0, len(model["properties"]) - 1)
        _text(f"{where}, verdicts: its word", "word", verdict[2])
    raw = step.get("bytes")
    if raw is None:
        return
    layout = model["layouts"].get(raw[0])
    if layout is None:
        known = ", ".join(sorted(model["layouts"])) or "none"
        raise InputError(f"{where}, bytes: there is no layout {raw[0]!r}; the layouts are {known}")
    if len(raw[1]) != 2 * layout["size"] or set(raw[1]) - set("0123456789abcdefABCDEF"):
        raise InputError(
            f"{where}, bytes: {raw[0]} must be {layout['size']} bytes as {2 * layout['size']} hex digits"
        )

"""A player model is checked before it is shown: `check` refuses one that the player could not draw whole.

What lives here says what is wrong with a model, in one sentence; its shape is in `views/model.py`.
"""

from collections.abc import Mapping
from functools import reduce
from operator import add, or_
from typing import Any, Final, cast

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.model import (
    PHASES,
    VERSION,
    WORDS,
    Counter,
    Field,
    Layout,
    PlayerModel,
    Property,
    Queue,
    Side,
    State,
    Step,
    grain,
    unit_of,
)

MOST_TILES: Final = 1 << 22
MOST_STEPS: Final = 50_000
MOST_LANES: Final = 6

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
    "unit": 8,
    "sentence": 100,
}

_STATES = frozenset(range(len(WORDS)))

# What belongs to one step alone: a frame, which stands for many, would not know whose it is.
_OF_ONE_STEP = ("cause", "lbas", "versions", "entry", "bytes")


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
    if "counters" in model:
        _check_counters(model)
    ground = model["blocks"], model["cell_lbas"] if "counters" in model else 1
    for side in ("source", "destination"):
        _check_runs(f"player model, start of the {side}", model[side]["start"], *ground)
    _check_steps(model)
    typed = cast(PlayerModel, model)
    tiles = -(-model["blocks"] // grain(typed))
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
    if not 1 <= len(model["lanes"]) <= MOST_LANES:
        raise InputError(
            f"player model: there are {len(model['lanes'])} lanes; the player draws 1 to {MOST_LANES}"
        )
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


def _check_counters(model: Mapping[str, Any]) -> None:
    counters = model["counters"]
    if not 1 <= len(counters) <= MOST_LANES:
        raise InputError(f"player model: there are {len(counters)} counters; a summary has 1 to {MOST_LANES}")
    for one in counters:
        _keys("player model, counters", one, Counter)
        _text("player model: a counter's name", "lane", one["name"])
        for kind in ("unit", "sentence"):
            _text(f"player model, counter {one['name']}: its {kind}", kind, one[kind])
    names = [one["name"] for one in counters]
    if list(model["lanes"]) != names:
        raise InputError(
            f"player model: the lanes are {model['lanes']!r}; in a summary they must be the counters' names,"
            f" {names!r}"
        )


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


def _check_runs(where: str, runs: Any, blocks: int, tile: int) -> None:
    if not runs or _are_good(runs, blocks, tile):
        return
    for run in runs:
        if len(run) != 3:
            raise InputError(f"{where}: {run!r} is not [slba, blocks, state]")
        slba, count, state = run
        _check_range(where, slba, count, blocks)
        _number(f"{where}: the state of {run!r}", state, 0, len(WORDS) - 1)
        if slba % tile or ((slba + count) % tile and slba + count < blocks):
            raise InputError(
                f"{where}: {run!r} does not begin and end on tiles of {tile} LBAs, the summary's cell_lbas"
            )


def _are_good(runs: Any, blocks: int, tile: int) -> bool:
    """Whether all is well with plain runs, in few passes over all of them: a large summary has a million."""
    if set(map(len, runs)) != {3}:
        return False
    slbas, counts, states = zip(*runs, strict=True)
    if not {*map(type, slbas), *map(type, counts), *map(type, states)} <= {int, State}:
        return False
    ends = list(map(add, slbas, counts))
    edges = reduce(or_, slbas)  # below 0 when one of them is
    inner = {*ends} - {blocks} if blocks % tile else ends
    inside = edges >= 0 and min(counts) > 0 and max(ends) <= blocks
    return inside and set(states) <= _STATES and not (edges | reduce(or_, inner, 0)) % tile


def _check_range(where: str, slba: Any, count: Any, blocks: int) -> None:
    _number(f"{where}: slba", slba, 0, blocks - 1)
    _number(f"{where}: the number of LBAs from {slba} on", count, 1, blocks - slba)


def _check_steps(model: Mapping[str, Any]) -> None:
    steps = model["steps"]
    if not 1 <= len(steps) <= MOST_STEPS:
        raise InputError(f"player model: it has {len(steps)} steps; the player plays 1 to {MOST_STEPS}")
    before, unit = 0, unit_of(cast(PlayerModel, model))
    tile = model["cell_lbas"] if unit == "frame" else 1
    for index, step in enumerate(steps):
        where = f"player model, {unit} {index}"
        _keys(where, step, Step)
        before = _number(f"{where}: t", step["t"], before, (1 << 53) - 1)
        _check_who(where, index, step, len(model["lanes"]))
        _check_effects(where, step, model["blocks"], tile)
        _check_queue(where, step, model["queue"]["slots"])
        _check_facts(where, step, model)
        if unit == "frame":
            _check_frame(where, step, len(model["counters"]))
        elif "counts" in step:
            raise InputError(f"{where}: it has counts, but the model has no counters")


def _check_who(where: str, index: int, step: Mapping[str, Any], lanes: int) -> None:
    _number(f"{where}: lane", step["lane"], 0, lanes - 1)
    for kind in ("actor", "text", "note"):
        _text(f"{where}: {kind}", kind, step.get(kind, ""))
    cause = step.get("cause")
    if cause is not None:
        _number(f"{where}: cause, which must be an earlier step,", cause, 0, index - 1)


def _check_frame(where: str, frame: Mapping[str, Any], counters: int) -> None:
    """What a frame of a summary has beyond a step, and what it must not have."""
    if "counts" not in frame:
        raise InputError(
            f"{where}: 'counts' is missing; a summary has the levels of its counters in each frame"
        )
    if len(frame["counts"]) != counters:
        raise InputError(f"{where}: counts has {len(frame['counts'])} levels for {counters} counters")
    for n, level in enumerate(frame["counts"]):
        _number(f"{where}, counts: level {n}", level, 0, (1 << 53) - 1)
    _number(f"{where}: the lane of a frame", frame["lane"], 0, 0)
    for key in _OF_ONE_STEP:
        if frame.get(key):
            raise InputError(f"{where}: it has {key!r}, which belongs to one step; a frame stands for many")


def _check_effects(where: str, step: Mapping[str, Any], blocks: int, tile: int) -> None:
    lbas = step.get("lbas")
    if lbas is not None:
        _check_range(f"{where}, lbas", lbas[0], lbas[1], blocks)
    for side in ("source", "destination"):
        _check_runs(f"{where}, {side}", step.get(side), blocks, tile)
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

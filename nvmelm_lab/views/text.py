"""The player in words: the same facts as its picture, for readers without one.

The browser writes the same lines (`js/words.js`); the tests hold the two against each other word for word.
"""

from typing import Final

from nvmelm_lab.views.model import WORDS, Counter, Layout, PlayerModel, unit_of
from nvmelm_lab.views.replay import Moment, Story, at, counts, story, worst_lba

MARKERS = ("ordinary", "first", "stopped", "suspended", "reserved", "reserved", "reserved", "full")
"""What each value of ESA says of the entry, in one word (NVM Command Set Specification, LBA Migration Queue
Entry Type 0)."""


RESERVED = "Reserved"


def duration(ns: int) -> str:
    """A virtual time for reading: ``850 ns``, ``12.345 µs``, ``1.204 ms``, ``3.000 s``; never rounded up."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            return f"{ns // size}.{ns % size * 1000 // size:03d} {unit}"
    return f"{ns} ns"


UNITS: Final = ("ns", "µs", "ms", "s")


def short_duration(ns: int) -> str:
    """A time in three digits, never rounded up: ``12.3 ms``."""
    power = min((len(str(ns)) - 1) // 3, 3)
    whole, rest = divmod(ns, 1000**power)
    digits = 3 - len(str(whole))
    tail = f".{rest * 10**digits // 1000**power:0{digits}}" if power and digits > 0 else ""
    return f"{whole}{tail} {UNITS[power]}"


def grouped(number: int) -> str:
    """A number with its digits in groups of three."""
    return f"{number:,}".replace(",", "\u202f")


COUNT_ROOM: Final = 4
_SIZES: Final = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))


def short_count(number: int) -> str:
    """A count in four characters at most: ``9999``, ``16k``, ``1.2M``; never rounded up."""
    if number < 10**COUNT_ROOM:
        return str(number)
    unit, size = next((unit, size) for unit, size in _SIZES if number >= size)
    whole, tenths = number // size, number % size * 10 // size
    return f"{whole}.{tenths}{unit}" if whole < 10 and tenths else f"{whole}{unit}"


def lbas(slba: int, blocks: int) -> str:
    """``LBA 12`` or ``LBAs 12-15``."""
    return f"LBA {slba}" if blocks == 1 else f"LBAs {slba}-{slba + blocks - 1}"


def sentence(model: PlayerModel, index: int) -> str:
    """The one sentence above the maps: which step or frame, when, what was done, and the note that hangs on it."""
    step = model["steps"][index]
    when = f", {duration(step['t'])}" if model["timed"] else ""
    note = f"; {step['note']}" if step.get("note") else ""
    place = f"{unit_of(model).capitalize()} {index + 1} of {len(model['steps'])}"
    return f"{place}{when}: {step['text']}{note}"


def story_line(told: Story) -> str:
    """What is known of one LBA: both versions, the last writer, the entry."""
    return (
        f"LBA {told.lba}: source {told.source}, destination {told.destination},"
        f" last writer {told.writer}; entry: {told.entry}"
    )


def describe(model: PlayerModel, index: int) -> list[str]:
    """Every fact of the player's picture at step `index` (from 0), one line each."""
    moment = at(model, index)
    return [
        sentence(model, index),
        *(_levels(model, moment) if "counters" in model else _doings(model, moment)),
        f"{model['source']['name']}: {_counted(counts(moment, 0))}",
        f"{model['destination']['name']}: {_counted(counts(moment, 1))}",
        _queue(model, moment),
        "Properties: " + "; ".join(_verdicts(model, moment)),
    ]  # fmt: skip


def amount(value: int, counter: Counter) -> str:
    """A counter's level for reading: ``1 204 LBAs``, ``1.204 ms``."""
    if counter["unit"] == "ns":
        return duration(value)
    return f"{grouped(value)} {counter['unit']}".rstrip()


def highest(model: PlayerModel) -> list[int]:
    """The highest level that each counter of a summary comes to."""
    return [max(levels) for levels in zip(*(step["counts"] for step in model["steps"]), strict=True)]


def _levels(model: PlayerModel, moment: Moment) -> list[str]:
    """What a frame of a summary has in place of one actor, its cause and its LBAs: a line for each counter."""
    tops, levels = highest(model), model["steps"][moment.index]["counts"]
    named = zip(model["counters"], levels, tops, strict=True)
    return [
        f"Phase {_phase(model, moment)}",
        *(f"{one['name']}: {amount(level, one)}, highest {amount(top, one)}. {one['sentence']}"
          for one, level, top in named),
    ]  # fmt: skip


def _doings(model: PlayerModel, moment: Moment) -> list[str]:
    step = model["steps"][moment.index]
    acts = f"{step['actor']} acts, in the lane {model['lanes'][step['lane']]}; phase {_phase(model, moment)}"
    return [acts, _cause(model, moment.index), _where(model, moment)]


def _phase(model: PlayerModel, moment: Moment) -> str:
    return f"{moment.phase + 1} of {len(model['phases'])}, {model['phases'][moment.phase]['name']}"


def _cause(model: PlayerModel, index: int) -> str:
    cause = model["steps"][index].get("cause")
    return "Cause: none" if cause is None else f"Cause: step {cause + 1}: {model['steps'][cause]['text']}"


def _where(model: PlayerModel, moment: Moment) -> str:
    touched = model["steps"][moment.index].get("lbas")
    if touched is None:
        return "Touches no LBA"
    line = story_line(story(model, moment, worst_lba(moment, *touched)))
    return f"Touches {lbas(*touched)}. {line}"


def _counted(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{word} {number}" for word, number in zip(WORDS, numbers, strict=True) if number)


def _queue(model: PlayerModel, moment: Moment) -> str:
    slots = model["queue"]["slots"]
    used = (moment.tail - moment.head) % slots
    name = f"Migration Queue, CDQ {model['queue']['cdqid']}"
    line = f"{name}: used {used} of {slots - 1}, head {moment.head}, tail {moment.tail}"
    entry = model["steps"][moment.index].get("entry")
    if entry is None:
        return line
    slot, tag, esa, word = entry
    return f"{line}; posted now: slot {slot}, phase tag {tag}, ESA {esa}, {word or MARKERS[int(esa)]}"


def _verdicts(model: PlayerModel, moment: Moment) -> list[str]:
    return [
        f"{one['name']}: {verdict}" + (f" ({word})" if word else "")
        for one, (verdict, word) in zip(model["properties"], moment.verdicts, strict=True)
    ]


def decode(model: PlayerModel, index: int) -> list[tuple[str, str, str, str, str, str]]:
    """The step's SQE, CQE or MQE, field by field as `decode_bytes` does; [] when it moved none."""
    raw = model["steps"][index].get("bytes")
    if raw is None:
        return []
    layout = model["layouts"][raw[0]]
    return decode_bytes(layout, bytes.fromhex(raw[1]))


def decode_bytes(layout: Layout, data: bytes) -> list[tuple[str, str, str, str, str, str]]:
    """`data` read as `layout` says, one tuple a field: bytes, raw hex, name, value, meaning, source.

    Reserved fields are left out while they are 0, as they ought to be.
    """
    rows = []
    for field in layout["fields"]:
        part = data[field["byte"] : field["byte"] + field["size"]]
        low, high = field["low_bit"], field["high_bit"]
        value = int.from_bytes(part, "little") >> low & (1 << (high - low + 1)) - 1
        if field["name"] == RESERVED and value == 0:
            continue
        meaning = field.get("values", {}).get(str(value), field["meaning"])
        rows.append((_place(field["byte"], field["size"], low, high), _hex(part), field["name"],
                     _value(value), meaning, field["source"]))  # fmt: skip
    return rows


def _place(byte: int, size: int, low: int, high: int) -> str:
    """``7:4`` for whole bytes, ``31 [3:1]`` for some bits of them: highest first, as the standard writes."""
    where = f"{byte}" if size == 1 else f"{byte + size - 1}:{byte}"
    if (low, high) == (0, 8 * size - 1):
        return where
    return f"{where} [{low}]" if low == high else f"{where} [{high}:{low}]"


def _hex(part: bytes) -> str:
    if len(part) > 8 and not any(part):
        return f"00 x {len(part)}"
    return part.hex(" ") if len(part) <= 8 else f"{part[:7].hex(' ')} .."


def _value(value: int) -> str:
    return str(value) if value < 10 else f"{value} ({value:X}h)"


def summary(model: PlayerModel, index: int = 0) -> str:
    """The whole run in a few lines, then the facts at step `index`: what hosts without pictures show."""
    steps, unit = model["steps"], unit_of(model)
    length = f", {duration(steps[-1]['t'])}" if model["timed"] else ""
    begun = [
        f"{phase['name']} from {unit} {phase['first'] + 1}"
        for phase in model["phases"]
        if phase["first"] is not None
    ]
    last = at(model, len(steps) - 1)
    return "\n".join(
        [
            f"{model['title']} (seed {model['seed']}): {len(steps)} {unit}s{length}",
            "Phases: " + "; ".join(begun),
            "At the end: " + "; ".join(_verdicts(model, last)),
            *describe(model, index),
            f"Token: {model['token']}",
        ]
    )

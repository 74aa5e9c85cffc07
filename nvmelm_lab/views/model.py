"""The player model: one run, step by step, as plain data that goes to the browser as JSON.

What lives here is its shape alone: nothing knows how a model is made (from a trace), checked (`views/check.py`)
or drawn.  Times are ns, places are LBAs, a *side* is 0 for the source and 1 for the destination, and a step is
named by its index from 0; people read it from 1.

A model is *full*, with a step for each thing that happened, or a *summary*: it has `counters`, and each of its
steps is a frame, which stands for all that happened since the frame before.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NotRequired, TypedDict

from nvmelm_lab.runs.stakes import Verdict as Verdict
from nvmelm_lab.runs.states import RANK as RANK
from nvmelm_lab.runs.states import State as State

VERSION: Final = 1

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


WORDS: Final = ("deallocated", "mapped", "changed", "copying", "equal", "lost or stale", "unreadable")

Runs = Sequence[Sequence[int]]
"""``[[slba, blocks, state], ...]``: `blocks` LBAs from `slba` on have (or now take) `state`."""


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


class Counter(TypedDict):
    """One number that a summary follows: a short name, its unit (``ns`` is read as a time; may be empty) and the
    sentence that says what it counts.
    """

    name: str
    unit: str
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

    A frame of a summary has the lane 0, no actor, and `counts`: the level of each counter after it.  What belongs
    to one step alone (`cause`, `lbas`, `versions`, `entry`, `bytes`) it has not.
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
    counts: NotRequired[Sequence[int]]


class PlayerModel(TypedDict):
    """A whole run.  `blocks` is the size of the namespace in LBAs, `cell_lbas` the smallest number of LBAs (a
    power of two) that one map cell stands for; the player takes a larger one where the map has less room.

    A summary has 1 to 6 `counters`, whose names are its lanes; its runs begin and end on tiles of `cell_lbas` LBAs,
    of which the last in the namespace may be short.
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
    counters: NotRequired[Sequence[Counter]]


def unit_of(model: PlayerModel) -> str:
    """What the steps of the model are called: ``frame`` in a summary, else ``step``."""
    return "frame" if "counters" in model else "step"


def grain(model: PlayerModel) -> int:
    """LBAs of a tile, the smallest place whose state can differ from its neighbour's; states are held by tile.

    It is the largest power of two, up to `cell_lbas`, on whose multiples every run begins and ends; the end of the
    namespace need not be one.  A summary says it: its tiles are of `cell_lbas` LBAs.
    """
    edges, blocks = model["cell_lbas"], model["blocks"]
    if "counters" in model:
        return edges
    for runs in all_runs(model):
        for slba, count, _ in runs:
            end = slba + count
            edges |= slba | (end if end < blocks else 0)
    return edges & -edges


def all_runs(model: PlayerModel) -> Iterator[Runs]:
    """All runs of the model: both sides before the first step, then what each step changed."""
    yield model["source"]["start"]
    yield model["destination"]["start"]
    for step in model["steps"]:
        yield step.get("source", ())
        yield step.get("destination", ())

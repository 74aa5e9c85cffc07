"""The fault table: one row a fault; what it may cost and why, who recovers, and how a migration may end.

`docs/faults.md` and `nvmelm doctor --faults` print this table; `matrix.py` holds runs against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nvmelm_lab.host.move import PHASES

MOVED, STAYED = "moved", "stayed"
"""How a migration ends: the guest runs at the destination, or goes on at the source."""

ENDS = (MOVED, STAYED)

COLUMNS = (*PHASES, "After")
"""When a fault may happen: in a phase of the migration, or when it is over."""

_NOWHERE = "nothing has to be marked"
_ALWAYS = "as without the fault: until the VM starts at the destination"


@dataclass(frozen=True, slots=True)
class Row:
    """What one fault is, and what must come of it.

    words
        What happens.
    lost
        What may be lost, and why.
    recovers
        Who recovers, and how.
    marked
        What marks a block that cannot be read.
    takes_over
        Until which step the source can still take over.
    ends
        How the migration may end, by the phase in which the fault happens: a row of `COLUMNS`, each ``"m"`` for
        moved, ``"s"`` for stayed, or ``"ms"`` where either is right.
    """

    words: str
    lost: str
    recovers: str
    marked: str
    takes_over: str
    ends: tuple[str, ...]

    @property
    def title(self) -> str:
        """What happens, without what follows."""
        return self.words.split(",")[0]

    def allowed(self, phase: str) -> frozenset[str]:
        """How the migration may end when the fault happens in `phase`."""
        letters = self.ends[COLUMNS.index(phase)]
        return frozenset(end for end in ENDS if end[0] in letters)


FAULTS: Mapping[str, Row] = {
    "media-error": Row(
        words="a block of the source cannot be read any more",
        lost="what that block held, unless it had been copied before; nothing else",
        recovers="the copy task: it halves the range until the block is alone, and goes on",
        marked="Write Uncorrectable at the destination, until the guest writes the block again",
        takes_over=_ALWAYS,
        ends=("m", "m", "m", "m", "m", "m", "m", "m", "m"),
    ),
    "queue-overflow": Row(
        words="the Migration Queue fills up (ESA 111b), and logging stops",
        lost="which blocks changed since then; no data",
        recovers="the VMM: Track Send starts logging again, and Get LBA Status gives a fresh baseline",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("m", "m", "m", "m", "m", "m", "m", "m", "m"),
    ),
    "link-down": Row(
        words="the link between the hosts is down for some hundred microseconds",
        lost="nothing: a transfer that failed is tried again",
        recovers="the VMM: it waits for the link, and goes back when a transfer failed four times",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("ms", "ms", "ms", "ms", "ms", "ms", "m", "m", "m"),
    ),
    "link-lost": Row(
        words="the link between the hosts is down for good",
        lost="the copies made so far; no data of the guest",
        recovers="the VMM: it goes back, unless all of the guest's memory is over there",
        marked=_NOWHERE,
        takes_over="until the guest's memory is over there; from then on nothing needs the link",
        ends=("s", "s", "s", "s", "s", "ms", "m", "m", "m"),
    ),
    "slow-suspend": Row(
        words="a command in flight takes very long, and the suspend waits for it",
        lost="time: the VM stands still for longer",
        recovers="nobody has to: the suspend completes when the command does",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("m", "m", "m", "m", "m", "m", "m", "m", "m"),
    ),
    "cancel": Row(
        words="the operator cancels the migration",
        lost="the copies made so far; no data of the guest",
        recovers="the VMM: it goes back at the next opportunity, the last of which is the begin of State",
        marked=_NOWHERE,
        takes_over="until State begins; later a cancel changes nothing",
        ends=("s", "s", "s", "s", "s", "m", "m", "m", "m"),
    ),
    "reset-x": Row(
        words="the source's primary controller X is reset, and with it go its Migration Queues; Y goes offline",
        lost="commands in flight on all controllers of that SSD, neighbours' too; the log of what changed",
        recovers="the host's driver initializes X and brings its secondary controllers online; each guest "
        "initializes its own and issues again what was in flight; the VMM goes back, for its log is gone",
        marked=_NOWHERE,
        takes_over="until the VM starts at the destination; before Start logging nothing is lost yet",
        ends=("ms", "ms", "s", "s", "ms", "ms", "m", "m", "m"),
    ),
    "reset-y": Row(
        words="the guest's controller Y at the source is reset, which also ends its suspension",
        lost="its commands in flight, and its queues",
        recovers="the guest's driver, wherever it runs then: it initializes its controller, and issues again what "
        "was in flight; the VMM goes back when the marker of the suspend or a whole state is not to be had",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("m", "m", "m", "m", "ms", "ms", "m", "m", "m"),
    ),
    "reset-g": Row(
        words="the destination's primary controller G is reset, and H goes offline",
        lost="commands in flight over there; state that H was given",
        recovers="the host's driver initializes G and brings H online if it was; before the VM runs there the VMM "
        "goes back when a command of its own was lost, after that the guest initializes H",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("ms", "ms", "ms", "ms", "ms", "ms", "ms", "m", "m"),
    ),
    "reset-h": Row(
        words="the guest's controller H at the destination is reset, which also ends its suspension",
        lost="state that it was given; once the VM runs there, commands in flight",
        recovers="the VMM: it goes back when H takes no state or does not resume; once the VM runs there, the guest's "
        "driver",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("m", "m", "m", "m", "m", "ms", "ms", "m", "m"),
    ),
    "power-loss": Row(
        words="the destination SSD loses its power, and has it again",
        lost="what a reset of G loses, and all resources of H; what its namespaces hold is kept",
        recovers="as after a reset of G; the driver gives H its resources again",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("ms", "ms", "ms", "ms", "ms", "ms", "ms", "m", "m"),
    ),
    "vmm-crash": Row(
        words="the VMM crashes, and is started anew with an empty memory; hypervisor and kernel go on",
        lost="what the Migration Queue told, and with it the copies made so far; no data of the guest",
        recovers="the new VMM, from what hypervisor and devices know: it goes on when the VM runs at the "
        "destination, else it undoes",
        marked=_NOWHERE,
        takes_over=_ALWAYS,
        ends=("s", "s", "s", "s", "s", "s", "ms", "m", "m"),
    ),
}
"""The rows, by the names that users know."""


def as_markdown() -> str:
    """The table as `docs/faults.md` has it: a section for each fault."""
    parts = []
    for name, row in FAULTS.items():
        ends = ", ".join(f"{phase}: {_word(row.allowed(phase))}" for phase in COLUMNS)
        parts.append(
            f"### {name}\n\n{_sentence(row.words)}\n\n"
            f"| | |\n|---|---|\n"
            f"| what may be lost | {row.lost} |\n"
            f"| who recovers | {row.recovers} |\n"
            f"| a block that cannot be read | {row.marked} |\n"
            f"| the source can take over | {row.takes_over} |\n"
            f"| how it ends, by the phase of the fault | {ends} |\n"
        )
    return "\n".join(parts)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _word(ends: frozenset[str]) -> str:
    return " or ".join(sorted(ends))

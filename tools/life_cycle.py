"""Draws docs/life-cycle.md from the table of the life cycle: python tools/life_cycle.py

Four diagrams, one for each part of a state, and the table's rules in words.  Nothing in the page is written by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from nvmelm_lab.ssd import FREEDOMS, Habits
from nvmelm_lab.ssd.life_cycle import (
    BECOMES,
    TABLE,
    Event,
    Intake,
    Logging,
    Motion,
    Part,
    Power,
    Rule,
    State,
    outcome,
    reachable,
)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "life-cycle.md"

START = State(Power.OFFLINE, Motion.FREE, Intake.EMPTY, Logging.NO_QUEUE)
HABITS = (Habits(), Habits(start_logging="after commands in flight"))

PARTS: tuple[tuple[type[Part], str, str], ...] = (
    (
        Power,
        "Power",
        "What a host reads in the properties: `CC`, `CSTS`, and whether there is anything to read.",
    ),
    (
        Motion,
        "Motion",
        "Whether the controller may fetch, and whether commands are in flight. Only a *suspended* one answers Get "
        "State with CSUP 1; a *draining* one is suspended too, but its commands still end. Suspend with DUDMQ is drawn "
        "as it stands when the command has completed: it waits for the commands in flight, draining meanwhile.",
    ),
    (Intake, "Intake", "Whether parts of a controller state have come that are not committed."),
    (
        Logging,
        "Logging",
        "The User Data Migration Queue. *Start awaited* is known only to an SSD whose Track Send waits for the "
        "commands in flight (freedom 6).",
    ),
)

WAYS_OFFLINE = (
    Event.TAKE_OFFLINE,
    Event.FUNCTIONS_OFF,
    Event.MMC_RESET,
    Event.MMC_SHUT_DOWN,
    Event.MMC_FUNCTION_RESET,
    Event.POWER_LOSS,
)
GROUPS = {
    "any way offline": WAYS_OFFLINE,
    "any reset": (Event.RESET, Event.FUNCTION_RESET),
    "end of the queue": (
        Event.SUSPEND_AND_DELETE,
        Event.DELETE_QUEUE,
        Event.MMC_RESET,
        Event.MMC_FUNCTION_RESET,
        Event.POWER_LOSS,
    ),
    "end of the MMC's work": (Event.MMC_RESET, Event.MMC_FUNCTION_RESET, Event.POWER_LOSS),
}
"""Events that stand together in a diagram wherever all of them lead from one state to another."""

HEAD = """# The life cycle of a migratable controller

Drawn by `python tools/life_cycle.py` from the table in `nvmelm_lab/ssd/life_cycle.py`, which the emulated SSD asks
before it acts. `tests/ssd/test_life_cycle.py` walks every cell of it through the door by raw commands, and a test
holds that this page is up to date. Change the table, not the page.

A state has four parts that change one by one. Of {possible} combinations {reached} can come about.
"""


def page() -> str:
    """The whole page."""
    reached = {state for habits in HABITS for state, _ in reachable(START, habits)}
    possible = len(Power) * len(Motion) * len(Intake) * len(Logging)
    sections = [HEAD.format(possible=possible, reached=len(reached))]
    for kind, title, words in PARTS:
        sections.append(f"## {title}\n\n{words}\n\n{diagram(kind)}")
    groups = "\n".join(f"- *{name}*: {_listed(events)}" for name, events in GROUPS.items())
    sections.append(f"In the diagrams some events stand together:\n\n{groups}\n")
    sections += [rules(), effects()]
    return "\n".join(sections)


# -- diagrams ---------------------------------------------------------------------------------------------


def changes(kind: type[Part]) -> dict[tuple[Part, Part], list[Event]]:
    """Which events lead from one value of this part to another, in some state that can come about."""
    found: defaultdict[tuple[Part, Part], set[Event]] = defaultdict(set)
    for habits in HABITS:
        for state, _ in reachable(START, habits):
            for event in Event:
                before: tuple[Part, ...] = state
                after: tuple[Part, ...] = outcome(event, state, habits).state
                for old, new in zip(before, after, strict=True):
                    if old is not new and isinstance(old, kind):
                        found[old, new].add(event)
    order = list(Event)
    return {edge: sorted(events, key=order.index) for edge, events in found.items()}


def diagram(kind: type[Part]) -> str:
    """A Mermaid state diagram of one part."""
    first = next(part for part in START if isinstance(part, kind))
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR"]
    lines += [f"    {part.name}: {part.value}" for part in kind]
    lines.append(f"    [*] --> {first.name}")
    edges = changes(kind)
    for old in kind:
        for new in kind:
            if (old, new) in edges:
                label = "<br/>".join(_grouped(edges[old, new]))
                lines.append(f"    {old.name} --> {new.name}: {label}")
    return "\n".join([*lines, "```", ""])


def _grouped(events: list[Event]) -> list[str]:
    words: list[str] = []
    left = list(events)
    for name, group in GROUPS.items():
        if all(event in left for event in group):
            words.append(name)
            left = [event for event in left if event not in group]
    return [event.value for event in left] + words


# -- tables -----------------------------------------------------------------------------------------------


def rules() -> str:
    """The rules of every event in words; the first that fits holds."""
    lines = [
        "## What each event does",
        "",
        "Of the rows of an event the first that fits the state holds; *always* fits every state. A command that ends "
        "with an error leaves the controller as it was.",
        "",
        "| Event | In which states | Status | Effects, in this order |",
        "|---|---|---|---|",
    ]
    for event, rows in TABLE.items():
        for number, rule in enumerate(rows):
            effects = "; ".join(effect.value for effect in rule.effects) or "-"
            lines.append(
                f"| {'' if number else event.value} | {_where(rule)} | {_status(rule)} | {effects} |"
            )
    return "\n".join(lines) + "\n"


def effects() -> str:
    """What each effect makes of a state."""
    lines = [
        "## What an effect makes of the state",
        "",
        "A part that is not named stays as it is.",
        "",
        "| Effect | Changes |",
        "|---|---|",
    ]
    for effect, changes in BECOMES.items():
        words = [f"{old.value} → {new.value}" for old, new in changes.items() if old is not new]
        lines.append(f"| {effect.value} | {', '.join(words) or '-'} |")
    return "\n".join(lines) + "\n"


def _where(rule: Rule) -> str:
    words = [
        " or ".join(part.value for part in kind if part in rule.where)
        for kind, _, _ in PARTS
        if not rule.where.isdisjoint(kind)
    ]
    if rule.option is not None:
        name, option = rule.option
        number = next(freedom.number for freedom in FREEDOMS if freedom.name == name)
        words.append(f"freedom {number}: {option}")
    return "; ".join(words) or "always"


def _status(rule: Rule) -> str:
    if rule.status is None:
        return "-"
    return f"{rule.status.title} ({rule.status >> 8}/{rule.status & 0xFF:02X}h)"


def _listed(events: Iterable[Event]) -> str:
    return ", ".join(event.value for event in events)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(
        f"{PAGE.relative_to(Path.cwd())} is drawn" if PAGE.is_relative_to(Path.cwd()) else f"{PAGE} is drawn"
    )

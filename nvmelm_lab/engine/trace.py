"""What happened, step by step: the only thing that figures, the player, explanations and grades look at.

A *full* trace holds every step with its cause and its effects; it refuses to grow beyond `FULL_LIMIT`: longer runs
are told of by a summary (`summary.py`).  A trace is plain data: it goes to JSON and back without loss.  What an
effect means is the business of upper floors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nvmelm_lab.errors import InputError

FULL_LIMIT = 50_000
"""Steps that a full trace may hold."""

FORMAT = "nvmelm trace 1"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step: when (ns; -1 without a clock), who, what, which step caused it (-1: none), what it did."""

    time: int
    actor: str
    kind: str
    label: str
    cause: int
    effects: tuple[tuple[Any, ...], ...]
    hidden: bool


class TraceFull(InputError):
    """The run takes more steps than a full trace may hold."""


class Trace:
    """Every step of a run, in order.

    Raises TraceFull from `add` when the run is too long for a full trace.
    """

    def __init__(self, limit: int = FULL_LIMIT) -> None:
        self.steps: list[StepRecord] = []
        self.limit = limit

    def add(
        self,
        time: int,
        actor: str,
        kind: str,
        label: str,
        cause: int,
        effects: tuple[tuple[Any, ...], ...],
        hidden: bool,
    ) -> None:
        """Write one step down."""
        if len(self.steps) >= self.limit:
            raise TraceFull(
                f"this run takes more than {self.limit} steps, too many for a full trace; "
                "use fewer blocks or a slower workload, or let it be summarized"
            )
        self.steps.append(StepRecord(time, actor, kind, label, cause, effects, hidden))

    def to_json(self) -> str:
        """The trace as text; bytes become ``{"hex": "…"}``."""
        rows = [
            [s.time, s.actor, s.kind, s.label, s.cause, [_plain(effect) for effect in s.effects], s.hidden]
            for s in self.steps
        ]
        return json.dumps({"format": FORMAT, "limit": self.limit, "steps": rows}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """The trace that `to_json` wrote.  Raises InputError when the text is not one."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise InputError(f"this is a {data['format']!r}, not a {FORMAT!r}")
            trace = cls(int(data["limit"]))
            for time, actor, kind, label, cause, effects, hidden in data["steps"]:
                trace.add(time, actor, kind, label, cause, tuple(_value(e) for e in effects), hidden)
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"this text is not a trace ({error}); give what Trace.to_json wrote") from error
        return trace


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if isinstance(value, list):
        return tuple(_value(item) for item in value)
    return value

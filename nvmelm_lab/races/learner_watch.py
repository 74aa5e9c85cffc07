"""Watching a learner's program while it runs: it must await verbs only, and end.

A *step budget* ends programs that take steps for ever.  A *line budget* ends loops that take none: the lines of the
program itself are counted between two steps, by Python's own trace function, so it costs time and is used where nobody
else would end them.  A loop inside one line, ``sum(range(10**12))``, is seen by neither: a child's CPU limit ends that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from types import CodeType, FrameType
from typing import Any, Final

from nvmelm_lab.engine import Kind
from nvmelm_lab.engine.step import Step
from nvmelm_lab.races.learner_text import FILE, ProgramError, line_at

STEPS: Final = 2_000
"""Steps of the program, tasks included, in one run.  The reference needs about 100 on the largest rung."""

LINES: Final = 100_000
"""Lines of the program between two steps."""

Tracer = Callable[[FrameType, str, Any], Any]


class _TooManyLines(BaseException):
    """Raised inside the program; no `except Exception` of its own catches it."""


class Watch:
    """Lets the coroutines of one run of `text` go on.

    lines
        Lines between two steps; 0: they are not counted.
    """

    def __init__(self, text: str, *, lines: int = 0) -> None:
        self._text = text
        self._steps = STEPS
        self._lines = lines
        self._left = lines
        self._last = 0

    def send(self, coroutine: Coroutine[Any, Any, Any], value: Any) -> Step:
        """Let a coroutine go on to its next step.  Raises ProgramError when it takes too many, or awaits no verb."""
        self._steps -= 1
        if self._steps < 0:
            raise self._endless(_line_now(coroutine), f"takes more than {STEPS:,} steps")
        step: object = self._counted(coroutine, value) if self._lines else coroutine.send(value)
        if type(step) is tuple and len(step) == 2 and isinstance(step[0], Kind):
            return step
        line = line_at(self._text, _line_now(coroutine))
        raise ProgramError("raises", f"{line} awaits what is no verb of the migration", line)

    def execute(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Run the program's text itself, which defines its functions."""
        if self._lines:
            self._traced(lambda: exec(code, namespace))
        else:
            exec(code, namespace)

    def _counted(self, coroutine: Coroutine[Any, Any, Any], value: Any) -> object:
        return self._traced(lambda: coroutine.send(value))

    def _traced(self, work: Callable[[], object]) -> object:
        self._left = self._lines
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            return work()
        except _TooManyLines:
            raise self._endless(self._last, f"runs more than {self._lines:,} lines without a step") from None
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Tracer | None:
        return self._on_line(frame, event, argument) if frame.f_code.co_filename == FILE else None

    def _on_line(self, frame: FrameType, event: str, _argument: Any) -> Tracer:
        self._left -= 1
        if self._left < 0:
            self._last = frame.f_lineno
            raise _TooManyLines
        return self._on_line

    def _endless(self, number: int, why: str) -> ProgramError:
        line = line_at(self._text, number)
        return ProgramError("never finishes", f"it never finishes: it {why}, and goes on at {line}", line)


def _line_now(coroutine: Any) -> int:
    """The line of the program at which a coroutine stands, in the innermost function of the program."""
    number = 0
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename == FILE:
            number = frame.f_lineno
        coroutine = getattr(coroutine, "cr_await", None)
    return number

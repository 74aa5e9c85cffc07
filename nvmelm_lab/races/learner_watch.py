"""Watching a learner's program while it runs: it must await verbs only, and end.

A *step budget* ends programs that take steps for ever.  An *instruction budget* ends loops that take none: what Python
executes of the program itself is counted between two steps, by its own trace function.  (Lines are too coarse:
``while True: pass`` goes on without a new one.)  A loop that Python's library runs, ``sum(range(10**12))``, is seen by
neither; who must end that too limits the processor's time.
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

INSTRUCTIONS: Final = 500_000
"""Instructions of the program between two steps."""

Tracer = Callable[[FrameType, str, Any], Any]


class _TooMany(BaseException):
    """Raised inside the program; no `except Exception` of its own catches it."""


class Watch:
    """Lets the coroutines of one run of `text` go on.

    instructions
        Instructions between two steps; 0: they are not counted.
    """

    def __init__(self, text: str, *, instructions: int = 0) -> None:
        self._text = text
        self._steps = STEPS
        self._most = instructions
        self._left = instructions
        self._last = 0

    def send(self, coroutine: Coroutine[Any, Any, Any], value: Any) -> Step:
        """Let a coroutine go on to its next step.  Raises ProgramError when it takes too many, or awaits no verb."""
        self._steps -= 1
        if self._steps < 0:
            raise self._endless(_line_now(coroutine), f"takes more than {STEPS:,} steps")
        step: object = self._counted(coroutine, value) if self._most else coroutine.send(value)
        if type(step) is tuple and len(step) == 2 and isinstance(step[0], Kind):
            return step
        line = line_at(self._text, _line_now(coroutine))
        raise ProgramError("raises", f"{line} awaits what is no verb of the migration", line)

    def execute(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Run the program's text itself, which defines its functions."""
        if self._most:
            self._traced(lambda: exec(code, namespace))
        else:
            exec(code, namespace)

    def _counted(self, coroutine: Coroutine[Any, Any, Any], value: Any) -> object:
        return self._traced(lambda: coroutine.send(value))

    def _traced(self, work: Callable[[], object]) -> object:
        self._left = self._most
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            return work()
        except _TooMany:
            raise self._endless(self._last, f"executes {self._most:,} instructions without a step") from None
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Tracer | None:
        if frame.f_code.co_filename != FILE:
            return None
        frame.f_trace_opcodes = True
        return self._on_instruction(frame, event, argument)

    def _on_instruction(self, frame: FrameType, _event: str, _argument: Any) -> Tracer:
        self._left -= 1
        if self._left < 0:
            self._last = frame.f_lineno
            raise _TooMany
        return self._on_instruction

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

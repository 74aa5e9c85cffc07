"""The frames of a run as they come, and which of them caused which.

A step of the trace is either shown, as one frame or several, or folded away.  What is folded away still
passes on its cause: an arrow between two frames jumps over it.  Nothing here knows what a step means.
"""

from typing import Any, cast

from nvmelm_lab.engine import StepRecord
from nvmelm_lab.views.model import Step


class Reel:
    """Frames in order; `frames` are steps of the player's model."""

    def __init__(self, *, timed: bool) -> None:
        self.frames: list[Step] = []
        self._timed = timed
        self._records: list[StepRecord] = []
        # For each step of the trace: the frame that shows it (-1: none), and the frame that it follows from.
        self._shown: list[int] = []
        self._anchors: list[int] = []
        self._aside: set[int] = set()
        self._told: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def show(
        self, record: StepRecord, lane: int, actor: str, text: str, *, chained: bool = True, **more: Any
    ) -> int:
        """Add the frame of a step; gives its index.  Without `chained` its actor's last step is no cause."""
        at = len(self.frames)
        cause = self._cause(record, chained)
        self._told.pop(record.actor, None)
        self._last[record.actor] = at
        self._enter(record, at, at)
        return self._add(record, lane, actor, text, cause, more)

    def show_also(self, record: StepRecord, lane: int, actor: str, text: str, **more: Any) -> int:
        """Add one more frame of the step that was shown last, which is its cause."""
        return self._add(record, lane, actor, text, len(self.frames) - 1, more)

    def fold(self, record: StepRecord, *, chained: bool = True) -> None:
        """The step is not shown by itself: it belongs to its actor's next frame."""
        cause = self._cause(record, chained)
        if record.cause >= 0:
            self._told[record.actor] = cause
        self._enter(record, -1, cause)

    def set_aside(self, record: StepRecord) -> None:
        """The step belongs to somebody who is not looked at."""
        self._aside.add(len(self._records))
        self._enter(record, -1, -1)

    def frame_of_each(self) -> list[int]:
        """For each step of the trace the frame that it belongs to: its own, else its actor's next, else the
        one that it follows from, else the next or last of all; -1 for steps that were set aside.
        """
        found = [-1] * len(self._records)
        later: dict[str, int] = {}
        following = len(self.frames) - 1
        for at in range(len(self._records) - 1, -1, -1):
            actor, shown = self._records[at].actor, self._shown[at]
            if shown >= 0:
                later[actor] = following = found[at] = shown
            elif at not in self._aside:
                anchor = self._anchors[at]
                found[at] = later.get(actor, anchor if anchor >= 0 else following)
        return found

    def _cause(self, record: StepRecord, chained: bool) -> int:
        if record.cause >= 0:
            return self._anchors[record.cause]
        known = self._told.get(record.actor, -1)
        if known < 0 and chained:
            return self._last.get(record.actor, -1)
        return known

    def _enter(self, record: StepRecord, shown: int, anchor: int) -> None:
        self._records.append(record)
        self._shown.append(shown)
        self._anchors.append(anchor)

    def _add(
        self, record: StepRecord, lane: int, actor: str, text: str, cause: int, more: dict[str, Any]
    ) -> int:
        at = len(self.frames)
        step = {"t": record.time if self._timed else at, "lane": lane, "actor": cut(actor, 40)}
        step["text"] = cut(text, 100)
        if cause >= 0:
            step["cause"] = cause
        step.update((key, value) for key, value in more.items() if value not in (None, "", [], ()))
        self.frames.append(cast(Step, step))
        return at


def cut(words: str, most: int) -> str:
    """The words as far as the player has room for them."""
    return words if len(words) <= most else words[: most - 1] + "…"

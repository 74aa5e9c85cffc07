"""Work that is asked for by callbacks and done in slices by one owner, on whichever loop is free to do it.

A callback of a widget may come on any thread: JupyterLab sends it to a subshell of the kernel, which has a
thread and a loop of its own, so that buttons answer while a cell runs; without subshells it comes between two
cells.  Callbacks only ask.  Nothing here starts a thread, and nothing knows what the work is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, Generic, TypeVar

Wish = TypeVar("Wish")


class Owner(Generic[Wish]):
    """Does `work(wish, is_wanted)` for the latest wish, one at a time; what was asked for before is dropped.

    `work` is to await between slices, and to return when `is_wanted()` turns False.
    """

    def __init__(self, work: Callable[[Wish, Callable[[], bool]], Awaitable[None]]) -> None:
        self._work = work
        self._lock = Lock()
        self._asked = 0
        self._done = 0
        self._wish: Wish | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_owned = False

    @property
    def is_busy(self) -> bool:
        """Whether a wish is not done yet and somebody is at it."""
        with self._lock:
            return self._is_at_work()

    def ask(self, wish: Wish) -> None:
        """Want `wish` done, in place of whatever was asked for before.

        Returns at once where a loop runs; where none does (a plain program), it returns when all is done.
        """
        with self._lock:
            self._asked += 1
            self._wish = wish
            if self._is_at_work():
                return
            self._is_owned = True
            self._task = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(self._own())
        else:
            self._task = loop.create_task(self._own())

    def _is_at_work(self) -> bool:
        # The loop of a subshell that was closed takes its tasks with it.
        return self._is_owned and (self._task is None or self._task.get_loop().is_running())

    async def _own(self) -> None:
        try:
            while (number := self._next()) is not None:
                assert self._wish is not None
                await self._work(self._wish, lambda number=number: number == self._asked)  # type: ignore[misc]
        except BaseException:
            with self._lock:
                self._is_owned = False
                self._task = None
            raise

    def _next(self) -> int | None:
        with self._lock:
            if self._done == self._asked:
                self._is_owned = False
                self._task = None
                return None
            self._done = self._asked
            return self._asked


def answer_while_a_cell_runs(widget: Any) -> None:
    """Let the kernel hand this widget's messages to the subshell that JupyterLab names in them.

    From 7.4 on, ipykernel hands them to where the widget spoke last, which is the cell that made it; so the first
    turn of a knob would wait until whatever cell runs now has ended.  Forgetting that place is all it takes.
    """
    vars(widget.comm).pop("_reply_subshell_id", None)

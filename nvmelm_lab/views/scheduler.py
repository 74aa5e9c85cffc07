"""You are the scheduler, as a widget: who may go next, the state, what was tried, and what is at stake.

Python keeps the session; the browser shows what it says and tells what was decided.  A callback only asks: one owner
takes the requests in their order, and a search goes on in slices, so that Cancel works meanwhile.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import anywidget
import ipywidgets as widgets
import traitlets

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.session import Session
from nvmelm_lab.races.session_view import plain, text
from nvmelm_lab.views.frames import About, player_model
from nvmelm_lab.views.owner import Owner, answer_while_a_cell_runs
from nvmelm_lab.views.player import Player
from nvmelm_lab.views.screen import as_json
from nvmelm_lab.views.standby import show

_HERE: Final = Path(__file__).parent
# One module, joined in this order; the parts share its scope.
_PARTS: Final = ("paint", "scheduler_parts", "scheduler_history", "scheduler")

SLICE: Final = 4
"""Executions of a search between two looks at what was asked for: some hundredths of a second at most."""

BREATH: Final = 0.1
"""Seconds between two words on how far a search is."""

Request = Mapping[str, Any]


@cache
def _code() -> bytes:
    return b"\n".join((_HERE / "js" / f"{part}.js").read_bytes() for part in _PARTS)


@cache
def _style() -> bytes:
    return (_HERE / "scheduler.css").read_bytes()


class SchedulerView(anywidget.AnyWidget):
    """What the browser shows: `view` is what the session says now, `ask` is told what the learner asks for."""

    _esm = (_HERE / "js" / "link.js").read_text(encoding="utf-8")
    _key = traitlets.Unicode().tag(sync=True)

    def __init__(self, view: dict[str, Any], ask: Callable[[Request], None]) -> None:
        self._view, self._ask = view, ask
        super().__init__(_key=uuid4().hex)
        self.on_msg(self._hear)
        self._send_all()

    def say(self, view: dict[str, Any]) -> None:
        """Show this from now on."""
        self._view = view
        self.send({"kind": "view", "view": view})

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, Mapping):
            return
        if content.get("kind") == "ask":
            self._send_all()
        elif content.get("kind") == "view":
            self.say(self._view)
        else:
            self._ask(content)

    def _send_all(self) -> None:
        packed = zlib.compress(as_json(self._view), 3)
        self.send({"kind": "run", "step": 0}, [_code(), _style(), packed])


class Scheduler:
    """A session over `case` to be led in a notebook; show it as the last line of a cell.

    breaks
        The property that is to be broken, by its name.
    session
        The same session, for who prefers to type.
    widget
        What is displayed, for putting it into other widgets.
    """

    def __init__(self, case: Case, breaks: str = "no write lost") -> None:
        self.session = Session(case, breaks)
        self._requests: deque[Request] = deque()
        self._owner: Owner[str] = Owner(self._work)
        self._said_at = 0.0
        self._stage = widgets.Box(layout={"width": "100%"})
        self._view = SchedulerView(self._plain(), self._ask)
        self.widget = widgets.VBox([self._view, self._stage])
        answer_while_a_cell_runs(self._view)

    def text(self) -> str:
        """Everything that is shown, in words."""
        return text(self.session)

    def __repr__(self) -> str:
        return self.text()

    def _ipython_display_(self) -> None:
        show(self.widget, repr(self))

    def _plain(self) -> dict[str, Any]:
        shown = self.session.stake.kind in ("lost", "broken")
        why = bool(self._stage.children) if shown or self._stage.children else None
        return plain(self.session) | {"why": why, "token": self.session.token}

    def _say(self) -> None:
        self._view.say(self._plain())

    # -- what is asked for ---------------------------------------------------------------------------------

    def _ask(self, request: Request) -> None:
        self._requests.append(request)
        self._owner.ask("what was asked for")

    async def _work(self, _wish: str, _is_wanted: Callable[[], bool]) -> None:
        while self._requests:
            self._do(self._requests.popleft())
            if self.session.progress is not None:
                await self._search()

    def _do(self, request: Request) -> None:
        """One request; one that came too late, for another state than there is now, is dropped."""
        history, act = self.session.history, _ACTS.get(str(request.get("kind")))
        if act is not None and list(request.get("at", ())) == [history.number, history.position]:
            try:
                act(self, request)
            except InputError as error:
                self.session.message = f"{str(error)[:1].upper()}{str(error)[1:]}."
        self._say()

    async def _search(self) -> None:
        """Search in slices; whatever is asked for meanwhile is dropped, but for the end of the search."""
        while not self.session.advance(SLICE):
            if monotonic() > self._said_at + BREATH:
                self._said_at = monotonic()
                self._say()
            await asyncio.sleep(0)
            while self._requests:
                if self._requests.popleft().get("kind") == "cancel":
                    self.session.cancel()
        self._say()

    def _why(self, _request: Request) -> None:
        """Show the run up to here in the player below, or put it away."""
        shown = self._stage.children
        if shown:
            self._stage.children = ()
        else:
            about = About(title=self.session.goal, token=self.session.token)
            model = player_model(self.session.execution.trace, about)
            self._stage.children = (Player(model, max(0, len(model["steps"]) - 1)),)
        for player in shown:
            player.close()

    def _go_to_token(self, request: Request) -> None:
        self.session.follow_token(str(request.get("text", "")))


_ACTS: Final[Mapping[str, Callable[[Scheduler, Request], None]]] = {
    "take": lambda it, request: it.session.take(str(request["decision"])),
    "undo": lambda it, _: it.session.undo(),
    "redo": lambda it, _: it.session.redo(),
    "restart": lambda it, _: it.session.restart(),
    "run": lambda it, _: it.session.let_it_run(),
    "jump": lambda it, request: it.session.jump(int(request["position"]), request.get("line")),
    "find": lambda it, _: it.session.find(),
    "token": Scheduler._go_to_token,
    "why": Scheduler._why,
}
"""What the browser may ask for."""

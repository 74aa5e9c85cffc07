"""The bench: a migration with knobs around it.  Turn one, and the same migration runs again and is shown.

It is made of widgets; the run itself is `nvmelm_lab.runs`, the film is a `Player`.  A callback only asks for a
run; its owner takes it on slice by slice, so that buttons answer meanwhile.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from time import monotonic
from typing import Any, Final

import ipywidgets as widgets

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, Outcome, Run, start
from nvmelm_lab.runs.sentences import PAUSE
from nvmelm_lab.views.film import advanced, fitting, model_of
from nvmelm_lab.views.owner import Owner, answer_while_a_cell_runs
from nvmelm_lab.views.player import Player
from nvmelm_lab.views.standby import show
from nvmelm_lab.views.text import duration

SLICE: Final = 2_000
"""Steps between two looks at the buttons: some hundredths of a second."""

BREATH: Final = 0.05
"""Seconds between two words on how far a run is: a browser that is told more often gets slow at its buttons."""

IDLE: Final = "Turn a knob: the migration runs again at once."


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter of a run that can be turned: a field of `MigrationRun`, its words, its positions."""

    field: str
    label: str
    positions: Sequence[int]


KNOBS: Final = (
    Knob("writes_per_second", "Guest writes per second", (1_000, 2_500, 5_000, 10_000, 20_000, 40_000)),
    Knob("granularity", "Granularity, in LBAs", (1, 2, 4, 8, 16, 32, 64, 128)),
    Knob("queue_entries", "Slots of the Migration Queue", (4, 8, 16, 32, 64, 128)),
)

COLUMNS: Final[Sequence[tuple[str, Callable[[Outcome], str]]]] = (
    ("whole move", lambda one: duration(one.virtual_ns)),
    ("stood still", lambda one: duration(one.downtime_ns)),
    ("rounds", lambda one: str(one.rounds)),
    ("LBAs copied", lambda one: str(one.bytes_copied // one.run.block_bytes)),
    ("entries read", lambda one: str(one.entries_drained)),
    ("overflows", lambda one: str(one.overflows)),
    ("verdict", lambda one: "good" if one.good else _blame(one)),
)


_STYLE: Final = """<style>
.nvb { max-width: 1180px; overflow: hidden }
.nvb .widget-html, .nvb .widget-html-content { line-height: 18px; height: auto; font-size: 13px }
.nvb .widget-hbox { align-items: center }
.nvb-table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: 12px; margin: 2px 0 4px }
.nvb .nvb-table :is(th, td) { text-align: right; padding: 0 6px; height: 18px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; background: none; font-variant-numeric: tabular-nums }
.nvb .nvb-table tr { background: none }
.nvb .nvb-table tr > :first-child { text-align: left; padding-left: 2px }
.nvb .nvb-table tr:first-child th { font-weight: 400; color: var(--jp-ui-font-color2, #5b5f66) }
.nvb .nvb-table tr:last-child { color: var(--jp-ui-font-color2, #5b5f66) }
.nvb .nvb-table tr:last-child th { font-weight: 400 }
.nvb-refused, .nvb-fault { font-weight: 600 }
</style>"""


def _blame(outcome: Outcome) -> str:
    if outcome.verdict.broken:
        return "broken: " + ", ".join(each.name for each in outcome.verdict.broken)
    return outcome.failure


def summary(outcome: Outcome) -> str:
    """What came of a run, in one line."""
    return "; ".join(f"{name}: {value(outcome)}" for name, value in COLUMNS)


class Bench:
    """A migration of `spec` with `knobs` around it; show it as the last line of a cell.

    A run that is too long for a full trace is shown by its summary.

    outcome
        Of the run that is shown.
    widget
        What is displayed, for putting it into other widgets.
    """

    def __init__(self, spec: MigrationRun, knobs: Sequence[Knob] = KNOBS) -> None:
        self.spec = spec
        self._owner: Owner[MigrationRun] = Owner(self._perform)
        self._under_way: Run | None = None
        self._said_at = 0.0
        self._sliders = {knob.field: self._slider(knob) for knob in knobs}
        self._run = _button("Run", "Run the migration again", self._ask, button_style="primary")
        self._cancel = _button("Cancel", "End the run early, and show what came of it", self._ask_to_end)
        self._cancel.disabled = True
        self._bar = widgets.IntProgress(max=100, layout={"width": "110px", "visibility": "hidden"})
        self._status = widgets.HTML(_said(IDLE))
        self._table = widgets.HTML()
        self._stage = widgets.Box(layout={"width": "100%", "min_height": "540px"})
        self._before: Outcome | None = None
        self.outcome = _outcome(spec)
        self._show()
        self.widget = self._assemble(knobs)
        for knob in (*self._sliders.values(), self._run, self._cancel):
            answer_while_a_cell_runs(knob)

    # -- what is seen --------------------------------------------------------------------------------------

    def _slider(self, knob: Knob) -> widgets.SelectionSlider:
        value = getattr(self.spec, knob.field)
        positions = sorted({*knob.positions, value})
        slider = widgets.SelectionSlider(
            options=[(f"{position:,}".replace(",", "\u202f"), position) for position in positions],
            value=value,
            continuous_update=False,
            layout={"width": "100%"},
        )
        slider.observe(lambda _: self._ask(), "value")
        return slider

    def _assemble(self, knobs: Sequence[Knob]) -> widgets.VBox:
        width = f"{100 // max(2, len(knobs))}%"
        columns = [
            widgets.VBox(
                [widgets.HTML(f"<b>{escape(knob.label)}</b>"), self._sliders[knob.field]],
                layout={"width": width},
            )
            for knob in knobs
        ]
        buttons = widgets.HBox([self._run, self._cancel, self._bar, self._status])
        box = widgets.VBox([widgets.HBox(columns), buttons, self._table, self._stage])
        box.add_class("nvb")
        return box

    def _show(self) -> None:
        """The film of the outcome in place of the one before, and what came of both.

        It opens where the VM is paused: what is left to copy then is what the guest has to wait for.
        """
        model = model_of(self.outcome)
        paused = (index for index, step in enumerate(model["steps"]) if step["text"] == PAUSE)
        self._player = Player(model, next(paused, 0))
        old = self._stage.children
        self._stage.children = (self._player,)
        for player in old:
            player.close()
        self._table.value = _STYLE + _table(self.outcome, self._before)

    def _ipython_display_(self) -> None:
        show(self.widget, repr(self))

    def __repr__(self) -> str:
        return f"{summary(self.outcome)}\n{self._player!r}"

    # -- what is asked for ---------------------------------------------------------------------------------

    def _ask(self) -> None:
        chosen = {field: slider.value for field, slider in self._sliders.items()}
        self._owner.ask(replace(self.spec, **chosen))

    def _ask_to_end(self) -> None:
        run = self._under_way
        if run is not None:
            run.cancel()

    # -- the owner's work ----------------------------------------------------------------------------------

    async def _perform(self, spec: MigrationRun, is_wanted: Callable[[], bool]) -> None:
        self._cancel.disabled = False
        try:
            self._under_way = run = start(fitting(spec))
            while (run := advanced(run, SLICE)).outcome is None:
                self._under_way = run
                self._say_progress(run)
                await asyncio.sleep(0)
                if not is_wanted():
                    return
            self._before, self.outcome = self.outcome, run.outcome
            self._show()
            self._status.value = _said(
                IDLE if not self.outcome.failure else f"Ended early: {self.outcome.failure}."
            )
        except InputError as error:
            self._status.value = _said(str(error), "nvb-refused")
        except Exception as error:
            words = f"The kit failed, not you: {type(error).__name__}: {error}. Run this cell again."
            self._status.value = _said(words, "nvb-fault")
            raise
        finally:
            self._under_way = None
            self._cancel.disabled = True
            self._bar.layout.visibility = "hidden"

    def _say_progress(self, run: Run) -> None:
        if monotonic() < self._said_at + BREATH:
            return
        self._said_at = monotonic()
        now = run.progress
        self._bar.layout.visibility = "visible"
        self._bar.value = now.copied_percent
        self._status.value = _said(
            f"{now.phase}, {duration(now.virtual_ns)}; {now.dirty_percent} % changed since"
        )


def _outcome(spec: MigrationRun) -> Outcome:
    """What comes of a run, all at once."""
    run = start(fitting(spec))
    while run.outcome is None:
        run = advanced(run, SLICE)
    return run.outcome


def _button(word: str, tooltip: str, act: Callable[[], None], **more: Any) -> widgets.Button:
    button = widgets.Button(description=word, tooltip=tooltip, layout={"width": "84px"}, **more)
    button.on_click(lambda _: act())
    return button


def _said(words: str, name: str = "nvb-status") -> str:
    return f'<span class="{name}" role="status">{escape(words)}</span>'


def _table(outcome: Outcome, before: Outcome | None) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name, _ in COLUMNS)
    rows = [("this run", outcome), ("run before", before)]
    body = "".join(f"<tr><th>{name}</th>{_cells(one)}</tr>" for name, one in rows)
    return f'<table class="nvb-table"><tr><td></td>{head}</tr>{body}</table>'


def _cells(outcome: Outcome | None) -> str:
    return "".join(f"<td>{escape(value(outcome)) if outcome else '–'}</td>" for _, value in COLUMNS)

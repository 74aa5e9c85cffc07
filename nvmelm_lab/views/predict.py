"""A question to think about before a run, or after it: answering shows the explanation, the first answer stays.

It never holds up a notebook: a question that nobody answers is just there.
"""

import difflib
from html import escape

import ipywidgets as widgets

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.questions import QUESTIONS, UNSURE, Question
from nvmelm_lab.views.standby import show

_STYLE = """<style>
.nvq { max-width: 1180px; border-left: 3px solid var(--jp-brand-color1, #1976d2); padding: 2px 0 2px 12px }
.nvq .widget-html, .nvq .widget-html-content { line-height: 20px; height: auto; font-size: 14px; max-width: 80ch;
  white-space: normal }
.nvq .widget-radio { width: auto; height: auto }
.nvq .widget-radio-box label { font-size: 14px; line-height: 24px; height: auto; white-space: normal }
</style>"""


class Prediction:
    """One question as a widget.

    answer
        The option that was chosen first (from 0; the number of options for "I am not sure"), None before.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: int | None = None
        self._options = widgets.RadioButtons(options=[*question.options, UNSURE], index=None)
        self._options.observe(self._answered, "index")
        self._why = widgets.HTML()
        asked = widgets.HTML(f"{_STYLE}<b>{escape(question.text)}</b>")
        self.widget = widgets.VBox([asked, self._options, self._why])
        self.widget.add_class("nvq")
        answer_while_a_cell_runs(self._options)

    def _answered(self, change: dict[str, int | None]) -> None:
        if self.answer is not None or change["new"] is None:
            return
        self.answer = change["new"]
        self._options.disabled = True
        self._why.value = self._explain(self.answer)

    def _explain(self, answer: int) -> str:
        question = self.question
        right = question.options[question.right]
        said = "You saw it coming." if answer == question.right else f"It is: <b>{escape(right)}</b>."
        return f'<div role="status">{said} {escape(question.why)}</div>'

    def __repr__(self) -> str:
        lines = [self.question.text, *(f"  ( ) {option}" for option in (*self.question.options, UNSURE))]
        return "\n".join(lines)

    def _ipython_display_(self) -> None:
        show(self.widget, repr(self))


def predict(name: str) -> Prediction:
    """The question called `name`.  InputError when there is none."""
    if name not in QUESTIONS:
        near = difflib.get_close_matches(name, QUESTIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(QUESTIONS)}"
        raise InputError(f"there is no question {name!r}; {hint}")
    return Prediction(QUESTIONS[name])

"""A cover over an outcome: it lies there until a question is answered, or the learner wants to see it at once.

What is covered has run and is there, unseen; nothing waits.  Any view can be covered: whatever it would have displayed
is displayed underneath.  Hosts without widgets, where nothing could be uncovered, get it as it is.
"""

from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from IPython.display import display
from IPython.utils.capture import capture_output

from nvmelm_lab.lessons.progress import Answer
from nvmelm_lab.lessons.question import SKIP
from nvmelm_lab.lessons.questions import QUESTIONS
from nvmelm_lab.views import answers
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.predict import known_question, source
from nvmelm_lab.views.standby import show


class _Curtain(anywidget.AnyWidget):
    """What one sees of a cover: the question, and a button that reveals."""

    _esm = source("js/curtain.js")
    _css = source("predict.css")
    _question = traitlets.Unicode().tag(sync=True)
    _is_open = traitlets.Bool(False).tag(sync=True)


class Cover:
    """`view`, covered until the question called `name` is answered; the button *Show me* skips the question."""

    def __init__(self, name: str, view: Any) -> None:
        self.name, self.view = name, view
        self._curtain = _Curtain(_question=QUESTIONS[name].text)
        self._curtain.on_msg(lambda *_: answers.give(name, SKIP))
        self._under = widgets.Output(layout={"visibility": "hidden"})
        self.widget = widgets.VBox([self._curtain, self._under]).add_class("nvc").add_class("nvc-covered")
        answers.when_given(name, self._open)
        answer_while_a_cell_runs(self._curtain)

    @property
    def is_open(self) -> bool:
        """Whether what is covered can be seen."""
        return bool(self._curtain._is_open)

    def _open(self, _answer: Answer) -> None:
        self._curtain._is_open = True
        self.widget.remove_class("nvc-covered")
        self._under.layout.visibility = None

    def __repr__(self) -> str:
        return f"(Think first: {QUESTIONS[self.name].text})\n{self.view!r}"

    def _ipython_display_(self) -> None:
        with capture_output(stdout=False, stderr=False) as said:
            display(self.view)  # type: ignore[no-untyped-call]
        self._under.outputs = [
            {"output_type": "display_data", "data": one.data, "metadata": one.metadata or {}}
            for one in said.outputs
        ]
        stills = [one.data["image/svg+xml"] for one in said.outputs if "image/svg+xml" in one.data]
        show(self.widget, repr(self), *stills[:1])


def after(name: str, view: Any) -> Any:
    """`view`, covered until the question called `name` is answered; the view itself if it is answered already.

    InputError when there is no such question.
    """
    return Cover(known_question(name), view) if answers.given(name) is None else view

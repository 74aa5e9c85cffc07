"""A question to think about before a run, or after it: the first answer stays, and shows the explanation.

It never holds up a notebook: a question that nobody answers is just there.
"""

import difflib
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final

import anywidget
import traitlets

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.progress import Answer
from nvmelm_lab.lessons.question import NO_OPINION
from nvmelm_lab.lessons.questions import QUESTIONS
from nvmelm_lab.views import answers
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.standby import show

_HERE: Final = Path(__file__).parent


@cache
def source(name: str) -> str:
    """The text of a file beside this module."""
    return (_HERE / name).read_text(encoding="utf-8")


class Prediction(anywidget.AnyWidget):
    """The question called `name`, with a button for each answer.

    answer
        The one that counts, None before.
    """

    _esm = source("js/predict.js")
    _css = source("predict.css")
    _asked = traitlets.Dict().tag(sync=True)
    _settled = traitlets.Dict().tag(sync=True)

    def __init__(self, name: str) -> None:
        self.name, self.question = name, QUESTIONS[name]
        super().__init__(
            _asked={
                "text": self.question.text,
                "options": [option.text for option in self.question.options],
                "rest": list(NO_OPINION),
            }
        )
        self.answer = answers.given(name)
        if self.answer is None:
            answers.when_given(name, self._settle)
        else:
            self._settle(self.answer)
        self.on_msg(self._hear)
        answer_while_a_cell_runs(self)

    def choose(self, choice: str) -> "Prediction":
        """Answer without a browser: a letter from A on, or the words "I am not sure" or "Skip".

        InputError for anything else.
        """
        letters = dict(zip(ascii_uppercase, (option.text for option in self.question.options), strict=False))
        if choice not in letters and choice not in NO_OPINION:
            known = [*letters, *(repr(each) for each in NO_OPINION)]
            raise InputError(f"there is no answer {choice!r}; give one of {', '.join(known)}")
        answers.give(self.name, letters.get(choice, choice))
        return self

    def _hear(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        answers.give(self.name, content["said"])

    def _settle(self, answer: Answer) -> None:
        self.answer = answer
        self._settled = {
            "said": answer.said,
            "right": self.question.right,
            "words": [self.question.reply_to(answer.said), self.question.why, answers.trouble()],
        }

    def __repr__(self) -> str:
        said = self.answer.said if self.answer else None
        options = zip(ascii_uppercase, (option.text for option in self.question.options), strict=False)
        lines = [f"  {letter}  {text}{'  (your answer)' * (text == said)}" for letter, text in options]
        if self.answer is None:
            how = f'Answer with predict("{self.name}").choose("A"), or with "{NO_OPINION[0]}" or "{NO_OPINION[1]}".'
        else:
            how = f"You said: {said}. " * (said in NO_OPINION) + " ".join(
                filter(None, self._settled["words"])
            )
        return "\n".join([self.question.text, *lines, how])

    def _ipython_display_(self) -> None:
        show(self, repr(self))


def predict(name: str) -> Prediction:
    """The question called `name`.  InputError when there is none."""
    return Prediction(known_question(name))


def known_question(name: str) -> str:
    """The name itself, if a question has it.  InputError with the one that was meant, if not."""
    if name in QUESTIONS:
        return name
    near = difflib.get_close_matches(name, QUESTIONS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(QUESTIONS)}"
    raise InputError(f"there is no question {name!r}; {hint}")

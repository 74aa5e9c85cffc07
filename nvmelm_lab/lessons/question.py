"""What a question is: what is asked, what can be answered, and what is said to each answer."""

from dataclasses import dataclass
from typing import Final

UNSURE: Final = "I am not sure"
SKIP: Final = "Skip"
NO_OPINION: Final = (UNSURE, SKIP)
"""Answers that every question takes beside its own."""


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer.

    misconception
        The number of what somebody believes who gives it (lessons/misconceptions.py); None for the right answer, and
        for one that is wrong for no reason worth naming.
    reply
        What is said to this answer alone, in a sentence, before the explanation; "" for nothing.
    """

    text: str
    misconception: int | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question: its options, which of them (from 0) is right, and why."""

    text: str
    options: tuple[Option, ...]
    right: int
    why: str

    def is_right(self, said: str) -> bool:
        """Whether these words are the right answer."""
        return said == self.options[self.right].text

    def reply_to(self, said: str) -> str:
        """What is said to this answer before the explanation."""
        if self.is_right(said):
            return "You saw it coming."
        chosen = next((option for option in self.options if option.text == said), None)
        return " ".join(part for part in (chosen.reply if chosen else "", self._right_answer()) if part)

    def _right_answer(self) -> str:
        answer = self.options[self.right].text
        return f"It is: {answer}" if answer.endswith((".", "!", "?")) else f"It is: {answer}."

"""You are the scheduler: a session in which somebody decides, step by step, who goes next in a case.

It can go back and forth: each way back runs the order again from the start, for coroutines cannot be copied.  What was
tried is kept as lines.  A session can also let the run go on by itself, look for an order that fails, and be handed on
as a token.  It knows no screen; `view.py` says all of it in words and as plain values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import OperationKind
from nvmelm_lab.races import token
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.execution import Execution
from nvmelm_lab.races.history import History
from nvmelm_lab.races.search import Bounds, Progress, Search
from nvmelm_lab.races.stake import Stake, ending, stake

MOST_DECISIONS: Final = 1_000
"""Of one order: no scenario needs so many, and going back takes the longer the more there are."""

GOALS: Final = {
    "no write lost": "Lose LBA {lba}'s write.",
    "nothing revived": "Bring back what the guest deallocated.",
    "unreadable marked": "Make an unreadable LBA readable again.",
    "one controller runs": "Let two controllers serve the guest at once.",
    "each command once": "Lose a command, or let one complete twice.",
    "reads consistent": "Let the guest read what it did not write.",
    "neighbour unaffected": "Let another VM notice the migration.",
    "nothing lost on failure": "Let a migration that fails lose data.",
}
"""What somebody who schedules is to achieve: break this property."""


class Session:
    """A session over `case`.

    breaks
        The property that is to be broken, by its name.
    execution
        The run at the current position.
    best
        Decisions of the shortest known order up to where its loss shows; 0 while none is known.
    message
        What came of the last thing that was asked for, where that does not show otherwise.
    """

    def __init__(self, case: Case, breaks: str = "no write lost") -> None:
        self.case = case
        self.breaks = breaks
        self.history = History()
        self.execution = Execution(case)
        self.best = 0
        self.message = ""
        self._search: Search | None = None

    @property
    def goal(self) -> str:
        """What is to be achieved, in a sentence."""
        operations = self.case.scenario.operations()
        written = (each.slba for each in operations if each.kind is not OperationKind.READ)
        return GOALS[self.breaks].format(lba=next(written, 0))

    # -- deciding ------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether nobody can go any more."""
        return not self.execution.able

    def take(self, which: int | str) -> None:
        """Let that happen: a decision, or its number from 1 on as the text has it.

        InputError when it cannot be decided now.
        """
        self._ready()
        self._take(which if isinstance(which, str) else self._numbered(which))

    def _numbered(self, number: int) -> str:
        decisions = [option.decision for row in self.execution.rows() for option in row.options]
        if not 1 <= number <= len(decisions):
            raise InputError(f"there is no number {number} among who may go next; there are {len(decisions)}")
        return decisions[number - 1]

    def undo(self) -> None:
        """One decision back; nothing at the start."""
        self.jump(max(0, self.history.position - 1))

    def redo(self) -> None:
        """One decision on along the line; nothing at its end."""
        self.jump(min(len(self.history.line.chips), self.history.position + 1))

    def restart(self) -> None:
        """Back to the start; the line is kept."""
        self.jump(0)

    def jump(self, position: int, line: int | None = None) -> None:
        """To where so many decisions of a line (the current one if None) are taken.

        InputError when there is no such line or position.
        """
        self._ready()
        lines = self.history.lines
        number = self.history.number if line is None else line
        if not 0 <= number < len(lines):
            raise InputError(f"there is no line {number}; there are 0 to {len(lines) - 1}")
        order = lines[number].order
        if not 0 <= position <= len(order):
            raise InputError(f"line {number} has no position {position}; give 0 to {len(order)}")
        self._follow(order[:position])
        self.history.number, self.history.position = number, position

    def let_it_run(self) -> None:
        """To the end: along the line as far as it goes, then whoever went last goes on as long as it can."""
        self._ready()
        self._follow(self.history.line.order)
        self._run_on()

    def _follow(self, order: Sequence[str]) -> None:
        """Stand where this order leads: on from here if it goes on from here, else from the start."""
        here = self.history.taken
        if tuple(order[: len(here)]) != here:
            self.execution, here = Execution(self.case), ()
            self.history.position = 0
        for decision in order[len(here) :]:
            self._take(decision)

    def _run_on(self) -> None:
        while self.execution.able and self.history.position < MOST_DECISIONS:
            self._take(self.execution.usual)
        if self.execution.able:
            self.message = f"After {MOST_DECISIONS} steps the run is not over: it may never end."

    def _take(self, decision: str) -> None:
        if self.history.position >= MOST_DECISIONS:
            raise InputError(f"an order can have {MOST_DECISIONS} steps at most; go back, or begin again")
        self.history.note(self.execution.take(decision))
        self.message = ""
        self._judge()

    def _judge(self) -> None:
        """Note on the line when its loss shows, and what came of it at the end."""
        line, position = self.history.line, self.history.position
        if not line.lost_at and self.execution.board().wrong:
            line.lost_at = position
        if self.is_over:
            line.sentence = self.execution.verdict()
            line.outcome = "bad" if line.sentence else "good"
            line.lost_at = line.lost_at or (position if line.sentence else 0)
        if line.lost_at and (not self.best or line.lost_at < self.best):
            self.best = line.lost_at

    @property
    def stake(self) -> Stake:
        """How things stand."""
        board = self.execution.board()
        if self.is_over:
            return ending(board, self.execution.verdict())
        return stake(board, self.execution.nexts())

    # -- as a line of text ---------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The case and the decisions up to here, as one line of text."""
        return token.encode(self.case, self.history.taken)

    def follow_token(self, text: str) -> None:
        """Go to where a token leads; in another case than this, begin anew with that one.

        InputError when the token is damaged or its order cannot be gone; everything is then as it was.
        """
        self._ready()
        case, order = token.decode(text)
        if case != self.case:
            other = Session(case, self.breaks)
            other._follow(order)
            self.case, self.history, self.execution, self.best = (
                case,
                other.history,
                other.execution,
                other.best,
            )
            self.message = "The token is of another case: this is that one now."
            return
        line, here = self.history.number, self.history.position
        try:
            self._follow(order)
        except InputError:
            self.jump(here, line)
            raise

    # -- looking for an order that fails -------------------------------------------------------------------

    @property
    def progress(self) -> Progress | None:
        """Where the search stands; None when there is none."""
        return self._search.progress if self._search is not None else None

    def find(self) -> None:
        """Begin to look for an order that fails; `advance` does it."""
        self._ready()
        self._search = Search([self.case], Bounds(until="first failure"))

    def advance(self, budget: int) -> bool:
        """Search on, up to `budget` executions; True when it is over, and a failing order is taken to its end."""
        search = self._search
        if search is None:
            return True
        if not search.advance(budget):
            return False
        self._search = None
        verdict = search.verdict
        if verdict.counterexamples:
            _, failure = verdict.counterexamples[0]
            self._follow(failure.order)
            self.message = "This order fails. Go back through it, and see which step decides."
        elif verdict.word == "holds":
            self.message = f"No order fails: {verdict.bounds}, all that matter."
        else:
            self.message = f"None found: {verdict.stopped}."
        return True

    def cancel(self) -> None:
        """Stop the search; the run stands where it stood."""
        if self._search is not None:
            runs = self._search.progress.runs
            self._search = None
            self.message = f"The search was cancelled after {runs} orders; none of them failed."

    def _ready(self) -> None:
        if self._search is not None:
            raise InputError("a search is under way; wait for it, or cancel it")

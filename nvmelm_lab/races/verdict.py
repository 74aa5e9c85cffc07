"""What a search says in the end: plain values, for people, scripts, and other processes.

Nothing is searched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explorer import Failure

Word = Literal["holds", "broken", "unknown"]


@dataclass(frozen=True, slots=True)
class Searched:
    """What was seen of one case.

    executions, redundant, steps
        As `Found` has them, of the systematic search.
    sampled
        Runs in a random order besides.
    failures
        Each sentence once, with an order that shows it.
    is_complete
        Whether every order that matters was seen.
    seconds
        What it took by the clock of whoever ran the search; 0.0 without one.
    """

    case: Case
    executions: int = 0
    redundant: int = 0
    sampled: int = 0
    steps: int = 0
    failures: tuple[Failure, ...] = ()
    is_complete: bool = False
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("case", "failures")}
        return plain | {"case": self.case.plain(), "failures": [asdict(each) for each in self.failures]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Searched:
        """What `plain` gave."""
        failures = tuple(Failure(each["sentence"], tuple(each["order"])) for each in plain["failures"])
        return cls(**plain | {"case": Case.from_plain(plain["case"]), "failures": failures})


@dataclass(frozen=True, slots=True)
class Rung:
    """All cases of one scenario, whatever the habits and faults: a row of the table that people see."""

    name: str
    cases: int
    executions: int
    redundant: int
    sampled: int
    seconds: float
    is_complete: bool
    failures: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"failures": list(self.failures)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a search over several cases.

    word
        ``"broken"``: at least one order loses what it must not; ``"holds"``: none does, and all that matter were
        seen; ``"unknown"``: none was seen that does, and the search stopped before the end.
    searched
        Cases that were begun, in their order.
    cases
        How many there were to search.
    stopped
        Why it stopped before the end; empty when it did not.
    """

    searched: tuple[Searched, ...]
    cases: int
    stopped: str = ""

    @property
    def word(self) -> Word:
        """The verdict in one of three values."""
        if any(each.failures for each in self.searched):
            return "broken"
        if len(self.searched) == self.cases and all(each.is_complete for each in self.searched):
            return "holds"
        return "unknown"

    @property
    def counterexamples(self) -> tuple[tuple[Case, Failure], ...]:
        """Each way to fail, with the first (and so smallest) case that shows it."""
        found: dict[str, tuple[Case, Failure]] = {}
        for each in self.searched:
            for failure in each.failures:
                found.setdefault(failure.sentence, (each.case, failure))
        return tuple(found.values())

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """What was searched, a row a scenario."""
        names = dict.fromkeys(each.case.scenario.name for each in self.searched)
        return tuple(
            _rung([each for each in self.searched if each.case.scenario.name == name]) for name in names
        )

    @property
    def bounds(self) -> str:
        """Within which bounds the verdict was reached, in words."""
        habits = {each.case.scenario.habits for each in self.searched}
        faults = {each.case.scenario.fault for each in self.searched} - {""}
        executions = sum(each.executions + each.sampled for each in self.searched)
        words = [_count(len(self.rungs), "scenario"), f"{executions:,} orders run"]
        words.append(
            "the SSD's own habits" if len(habits) == 1 else f"{len(habits)} combinations of an SSD's habits"
        )
        if faults:
            words.append(_count(len(faults), "fault") + ", each by itself")
        return ", ".join(words)

    @property
    def sentence(self) -> str:
        """The verdict as a person would say it."""
        if self.word == "broken":
            case, failure = self.counterexamples[0]
            return f"broken: on the rung {case.scenario.name!r}, {failure.sentence}"
        if self.word == "holds":
            return f"holds in every order of events ({self.bounds})"
        return f"unknown: {self.stopped or 'not everything was searched'} ({self.bounds})"

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "verdict": self.word,
            "sentence": self.sentence,
            "stopped": self.stopped,
            "rungs": [rung.plain() for rung in self.rungs],
        }


def _rung(searched: Sequence[Searched]) -> Rung:
    """The row of one scenario."""
    return Rung(
        searched[0].case.scenario.name,
        len(searched),
        sum(each.executions for each in searched),
        sum(each.redundant for each in searched),
        sum(each.sampled for each in searched),
        round(sum(each.seconds for each in searched), 3),
        all(each.is_complete for each in searched),
        tuple(dict.fromkeys(failure.sentence for each in searched for failure in each.failures)),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

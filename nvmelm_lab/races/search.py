"""The search as people call it: several cases, smallest first, by samples and then under every order that matters.

A search is resumable: whoever owns it calls `advance` until it is over, may look at its progress in between, and
may cancel it, which keeps what was found.  It reads no clock: time is its caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explorer import Explorer, Failure
from nvmelm_lab.races.samples import at_random, by_priority
from nvmelm_lab.races.verdict import Searched, Verdict
from nvmelm_lab.races.walk import Pick, Walk, keeps_on

FIRST = 32
"""Executions of the systematic search before the samples.  Many a scenario is over by then and needs none."""

DEPTH = 3
"""Ordering constraints that a sample by priorities is made for."""

UNTIL = ("first failure", "broken case", "end")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes.

    until
        ``"first failure"``: to the first order that fails; ``"broken case"``: to the end of the first case that has
        one, so that all ways in which it fails are known; ``"end"``: through all cases.
    executions
        Of the systematic search, in each case.  What is not over by then is left as unknown.
    samples
        Runs by random priorities (PCT) in each case, and as many in an order that is random throughout.
    """

    until: Literal["first failure", "broken case", "end"] = "broken case"
    executions: int = 100_000
    samples: int = 50

    def __post_init__(self) -> None:
        """Refuse bounds that make no sense."""
        if self.until not in UNTIL:
            raise InputError(f"a search cannot go until {self.until!r}; choose from: {', '.join(UNTIL)}")
        if self.executions < 1:
            raise InputError(f"a search cannot run {self.executions} executions of a case; give 1 or more")
        if self.samples < 0:
            raise InputError(f"a search cannot run {self.samples} samples of a case; give 0 or more")

    def plain(self) -> dict[str, Any]:
        """As JSON values; `Bounds(**plain)` is the same again."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands: the case at hand and its number, how many there are, and what was run of it."""

    name: str
    case: int
    cases: int
    runs: int


class CaseSearch:
    """The search of one case; `advance` runs up to so many executions, samples included."""

    def __init__(self, case: Case, bounds: Bounds) -> None:
        self.case = case
        self.is_over = False
        self._bounds = bounds
        self._world = case.worlds()
        self._explorer = Explorer(self._world)
        self._samples: Iterator[None] | None = None
        self._sampled = 0
        self._steps = 0
        self._failures: dict[str, Failure] = {}

    @property
    def runs(self) -> int:
        """Executions so far, of all sorts."""
        return self._systematic + self._sampled

    @property
    def searched(self) -> Searched:
        """What was seen so far."""
        found = self._explorer.found
        return Searched(
            self.case,
            found.executions,
            found.redundant,
            self._sampled,
            found.steps + self._steps,
            tuple((self._failures | found.failures).values()),
            self._explorer.is_over,
        )

    def advance(self, budget: int) -> int:
        """Run up to `budget` executions; gives how many."""
        before = self.runs
        while not self.is_over and self.runs - before < budget:
            self._run_one()
            self.is_over = self._has_ended()
        return self.runs - before

    @property
    def is_sampled(self) -> bool:
        """Whether its samples have been run."""
        return self._sampled > 2 * self._bounds.samples

    @property
    def _systematic(self) -> int:
        return self._explorer.found.executions + self._explorer.found.redundant

    def _has_ended(self) -> bool:
        found = self._explorer.found
        if self._bounds.until == "first failure" and (self._failures or found.failures):
            return True
        return self._explorer.is_over or found.executions >= self._bounds.executions

    def _run_one(self) -> None:
        if self._systematic < FIRST or self.is_sampled:
            self._explorer.advance(1)
            return
        if self._samples is None:
            self._samples = self._all_samples()
        next(self._samples)

    def _all_samples(self) -> Iterator[None]:
        """Runs one sample after the other; the first goes on as explanations do, and tells how long they are."""
        points = len(self._sample(keeps_on))
        yield
        for seed in range(self._bounds.samples):
            self._sample(by_priority(seed, depth=DEPTH, points=points))
            yield
        for seed in range(self._bounds.samples):
            self._sample(at_random(seed))
            yield

    def _sample(self, pick: Pick) -> list[str]:
        """Run one; gives the order that it took."""
        walk = Walk(pick=pick)
        world = self._world()
        world.begin(walk)
        world.engine.run()
        self._sampled += 1
        self._steps += world.engine.step_index + 1
        world.engine.use(RunToBlock())
        sentence = world.verdict()
        if sentence:
            self._failures.setdefault(sentence, Failure(sentence, tuple(walk.taken)))
        return walk.taken


class Search:
    """Searches `cases` in their order: give the smallest first.

    searched
        Cases that are over.
    is_over
        Whether there is nothing more to do.
    """

    def __init__(self, cases: Sequence[Case], bounds: Bounds | None = None) -> None:
        if not cases:
            raise InputError("there is nothing to search; give at least one case")
        self.bounds = bounds or Bounds()
        self.is_over = False
        self.searched: list[Searched] = []
        self._cases = list(cases)
        self._stopped = ""
        self._current = CaseSearch(self._cases[0], self.bounds)

    @property
    def progress(self) -> Progress:
        """Where the search stands."""
        current = self._current
        number = min(len(self.searched) + 1, len(self._cases))
        return Progress(current.case.scenario.name, number, len(self._cases), current.runs)

    @property
    def verdict(self) -> Verdict:
        """What can be said by now."""
        begun = () if self.is_over or not self._current.runs else (self._current.searched,)
        stopped = self._stopped or ("" if self.is_over else "it is still going on")
        return Verdict((*self.searched, *begun), len(self._cases), stopped)

    def advance(self, budget: int) -> bool:
        """Run up to `budget` executions; True when the search is over."""
        while budget > 0 and not self.is_over:
            budget -= self._current.advance(budget)
            if self._current.is_over:
                self._finish_case()
        return self.is_over

    def run(self) -> Verdict:
        """Search to the end."""
        while not self.advance(1024):
            pass
        return self.verdict

    def cancel(self, why: str = "it was cancelled") -> None:
        """Stop here, for the reason that the verdict then gives; what was found is kept."""
        if self.is_over:
            return
        if self._current.runs:
            self.searched.append(self._current.searched)
        self._stopped = why
        self.is_over = True

    def _finish_case(self) -> None:
        searched = self._current.searched
        self.searched.append(searched)
        if not searched.is_complete and not searched.failures:
            self._stopped = self._stopped or limit_reached(searched, self.bounds)
        if searched.failures and self.bounds.until != "end":
            self._stopped = "an order that fails was found"
            self.is_over = True
        elif len(self.searched) == len(self._cases):
            self.is_over = True
        else:
            self._current = CaseSearch(self._cases[len(self.searched)], self.bounds)


def limit_reached(searched: Searched, bounds: Bounds) -> str:
    """Why a case was left before every order was seen."""
    name = searched.case.scenario.name
    return f"on the rung {name!r} there are more than the {bounds.executions:,} orders allowed"

"""The search shared out: work items of plain data, for any `concurrent.futures.Executor`.

Whoever calls brings the executor, so nothing here makes a process or a thread.  What is asked for does not depend on
how many workers there are: each case is begun in an item of its own; one that is not over after its first executions
and its samples is divided by its first decisions into items that see no order twice.  So the verdict, the failures
and all counts are the same for any number of workers, and the verdict is that of `Search`, unless a bound cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explorer import Explorer, Failure
from nvmelm_lab.races.search import Bounds, CaseSearch, Progress, limit_reached
from nvmelm_lab.races.verdict import Searched, Verdict

PARTS = 8
"""Items that a case is divided into at least, where it has as many orders.  More of them see more orders in vain."""

SLICE = 16
"""Executions of a part between two looks at whether to stop."""

Item = dict[str, Any]
Work = Callable[[Item], Item]


def go_on() -> bool:
    """Nobody asks to stop."""
    return False


def begin_case(item: Item, is_asked_to_stop: Callable[[], bool] = go_on) -> Item:
    """Begin the case of `item`: its first executions and its samples.  Gives what was seen, and, if that is not all,
    the prefixes that divide the rest.
    """
    case, bounds = Case.from_plain(item["case"]), Bounds(**item["bounds"])
    search = CaseSearch(case, bounds)
    while not (search.is_over or search.is_sampled or is_asked_to_stop()):
        search.advance(1)
    prefixes = [] if search.is_over or not search.is_sampled else divided(case)
    return {"searched": search.searched.plain(), "prefixes": prefixes}


def search_part(item: Item, is_asked_to_stop: Callable[[], bool] = go_on) -> Item:
    """Search the case of `item` below its prefix; gives what was seen."""
    case, bounds = Case.from_plain(item["case"]), Bounds(**item["bounds"])
    explorer = Explorer(case.worlds(), prefix=item["prefix"])
    found = explorer.found
    while not explorer.is_over and found.executions < bounds.executions and not is_asked_to_stop():
        explorer.advance(min(SLICE, bounds.executions - found.executions))
    return {
        "searched": Searched(
            case,
            found.executions,
            found.redundant,
            0,
            found.steps,
            tuple(found.failures.values()),
            explorer.is_over,
        ).plain()
    }


def work(item: Item, is_asked_to_stop: Callable[[], bool] = go_on) -> Item:
    """Do a work item, whichever sort it is; plain data in, plain data out."""
    return (search_part if "prefix" in item else begin_case)(item, is_asked_to_stop)


def divided(case: Case) -> list[list[str]]:
    """Prefixes that divide all orders of `case` into at least `PARTS`, unless there are fewer orders."""
    world = case.worlds()
    todo: list[tuple[str, ...]] = [()]
    whole: list[tuple[str, ...]] = []
    while todo and len(todo) + len(whole) < PARTS:
        prefix = todo.pop(0)
        branches = Explorer(world, prefix=prefix).branches()
        todo += branches
        if not branches:
            whole.append(prefix)
    return [list(prefix) for prefix in (*whole, *todo)]


@dataclass(slots=True)
class _Case:
    """What has come back of one case.

    begun
        What its first item saw; None while that is out.
    parts
        What the items for the rest saw, in the order of their prefixes; None for those that are out.
    """

    case: Case
    begun: Searched | None = None
    parts: list[Searched | None] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.begun is not None and None not in self.parts

    def searched(self, most: int) -> Searched:
        """All of it as one; complete only when no more than `most` executions were seen."""
        begun = self.begun or Searched(self.case)
        if not self.parts:
            return begun
        back = [part for part in self.parts if part is not None]
        executions = sum(part.executions for part in back)
        failures: dict[str, Failure] = {}
        for each in (begun, *back):
            for failure in each.failures:
                failures.setdefault(failure.sentence, failure)
        return Searched(
            self.case,
            executions,
            sum(part.redundant for part in back),
            begun.sampled,
            sum(each.steps for each in (begun, *back)),
            tuple(failures.values()),
            self.is_over and all(part.is_complete for part in back) and executions <= most,
            sum(each.seconds for each in (begun, *back)),
        )


class ParallelSearch:
    """Searches `cases` by the workers of `executor`, which is its caller's to make and to end.

    do
        What a worker does with an item: `work`, or a function of a module around it.
    is_over
        Whether there is nothing more to do.

    Raises InputError for bounds that ask for the first failure: which one is first, workers cannot tell.
    """

    def __init__(
        self, cases: Sequence[Case], executor: Executor, bounds: Bounds | None = None, do: Work = work
    ) -> None:
        if not cases:
            raise InputError("there is nothing to search; give at least one case")
        self.bounds = bounds or Bounds()
        if self.bounds.until == "first failure":
            raise InputError("several workers cannot stop at the first failure; search until 'broken case'")
        self.is_over = False
        self._executor = executor
        self._do = do
        self._stopped = ""
        self._cases = [_Case(case) for case in cases]
        self._out: dict[Future[Item], tuple[int, int]] = {}
        for number, case in enumerate(cases):
            self._hand_out(number, -1, {"case": case.plain(), "bounds": self.bounds.plain()})

    @property
    def progress(self) -> Progress:
        """Where the search stands: the first case that is not over."""
        number = next((n for n, case in enumerate(self._cases) if not case.is_over), len(self._cases) - 1)
        case = self._cases[number]
        searched = case.searched(self.bounds.executions)
        runs = searched.executions + searched.redundant + searched.sampled
        return Progress(case.case.scenario.name, number + 1, len(self._cases), runs)

    @property
    def verdict(self) -> Verdict:
        """What can be said by now."""
        searched = [each.searched(self.bounds.executions) for each in self._known()]
        cut = next((each for each in searched if not (each.is_complete or each.failures)), None)
        stopped = self._stopped
        if not self.is_over:
            stopped = "it is still going on"
        elif not stopped and cut is not None:
            stopped = limit_reached(cut, self.bounds)
        return Verdict(tuple(searched), len(self._cases), stopped)

    def advance(self, seconds: float | None = None) -> bool:
        """Wait up to so many seconds, or for ever, for an item to come back; True when the search is over.

        Raises what an item raised.
        """
        done, _ = wait(self._out, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            number, part = self._out.pop(future)
            self._take_in(number, part, future.result())
        if not self.is_over:
            self._look_whether_over()
        return self.is_over

    def run(self) -> Verdict:
        """Search to the end."""
        while not self.advance():
            pass
        return self.verdict

    def cancel(self, why: str = "it was cancelled") -> None:
        """Ask for no more; what came back is kept.  Items that are at work end by themselves, and are not heard."""
        if not self.is_over:
            self._end(why)

    def _hand_out(self, number: int, part: int, item: Item) -> None:
        self._out[self._executor.submit(self._do, item)] = (number, part)

    def _take_in(self, number: int, part: int, result: Item) -> None:
        case = self._cases[number]
        searched = Searched.from_plain(result["searched"])
        if part >= 0:
            case.parts[part] = searched
            return
        case.begun = searched
        case.parts = [None] * len(result["prefixes"])
        for index, prefix in enumerate(result["prefixes"]):
            item = {"case": case.case.plain(), "bounds": self.bounds.plain(), "prefix": prefix}
            self._hand_out(number, index, item)

    def _look_whether_over(self) -> None:
        if self.bounds.until == "broken case" and self._broken() is not None:
            self._end("an order that fails was found")
        elif all(case.is_over for case in self._cases):
            self._end("")

    def _broken(self) -> int | None:
        """The number of the first case that fails, once it and all before it are over."""
        for number, case in enumerate(self._cases):
            if not case.is_over:
                return None
            if case.searched(self.bounds.executions).failures:
                return number
        return None

    def _known(self) -> Iterable[_Case]:
        """The cases of which something is known, up to the first that fails if the search ends there."""
        broken = self._broken() if self.bounds.until == "broken case" else None
        return [
            case for case in self._cases[: None if broken is None else broken + 1] if case.begun is not None
        ]

    def _end(self, why: str) -> None:
        for future in self._out:
            future.cancel()
        self._out.clear()
        self._stopped = why
        self.is_over = True

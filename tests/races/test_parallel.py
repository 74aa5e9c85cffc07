"""A shared search: plain work items, any executor, and an answer that does not depend on how many workers there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.races import LADDER, SCENARIOS, Explorer, Scenario
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.parallel import PARTS, ParallelSearch, divided, search_part, work
from nvmelm_lab.races.scenario import Vmm
from nvmelm_lab.races.search import FIRST, Bounds, Search
from tests.races import wrong_vmms

BY_NAME = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS)}
WRITE, DEALLOCATION, LARGER = (
    BY_NAME[name] for name in ("one write, no round", "one deallocation", "2 commands")
)
CASES = [Case(WRITE), Case(DEALLOCATION), Case(LARGER)]


class OnDemand(Executor):
    """Does items in this process when they are asked for: the oldest first, or the newest; knows what it was given."""

    def __init__(self, newest_first: bool = False) -> None:
        self.items: list[Any] = []
        self.left: list[tuple[Future[Any], Callable[..., Any], Any]] = []
        self.newest_first = newest_first

    def submit(self, do: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.items.append(args[0])
        self.left.append((future, do, args[0]))
        return future

    def do_one(self) -> None:
        future, do, item = self.left.pop(-1 if self.newest_first else 0)
        if future.set_running_or_notify_cancel():
            future.set_result(do(item))


def finish(search: ParallelSearch, executor: OnDemand) -> ParallelSearch:
    while not search.is_over:
        executor.do_one()
        search.advance(0)
    return search


@pytest.fixture
def drain_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are of a VMM that does not drain the queue after the suspend."""
    monkeypatch.setattr(Case, "vmm", _forgetful)


def _forgetful(case: Case) -> Vmm:
    return wrong_vmms.forgets_the_final_drain


@pytest.fixture(scope="module")
def pools() -> Iterator[list[ProcessPoolExecutor]]:
    """One worker, and two."""
    with ProcessPoolExecutor(1) as one, ProcessPoolExecutor(2) as two:
        yield [one, two]


def test_one_process_and_two_give_the_same_verdict_and_counts(pools: list[ProcessPoolExecutor]) -> None:
    one, two = (ParallelSearch(CASES, pool).run() for pool in pools)
    assert one == two
    assert one.word == "holds"
    assert [rung.executions for rung in one.rungs] == [9, 9, 124]


def test_it_sees_as_many_orders_as_a_search_that_is_not_shared() -> None:
    executor = OnDemand()
    shared, alone = finish(ParallelSearch(CASES, executor), executor).verdict, Search(CASES).run()
    assert shared.word == alone.word == "holds"
    assert [(rung.executions, rung.sampled) for rung in shared.rungs] == [
        (rung.executions, rung.sampled) for rung in alone.rungs
    ]


@pytest.mark.usefixtures("drain_forgotten")
@pytest.mark.parametrize("until", ["broken case", "end"])
@pytest.mark.parametrize("newest_first", [False, True], ids=["oldest first", "newest first"])
def test_failures_are_the_same_however_the_items_come_back(until: str, newest_first: bool) -> None:
    executor, bounds = OnDemand(newest_first), Bounds(until)
    cases = [Case(LARGER), Case(WRITE), Case(DEALLOCATION)]
    shared = finish(ParallelSearch(cases, executor, bounds), executor).verdict
    alone = Search(cases, bounds).run()
    assert shared.word == alone.word == "broken"
    assert [each.case for each in shared.searched] == [each.case for each in alone.searched]
    sentences = [{failure.sentence for _, failure in each.counterexamples} for each in (shared, alone)]
    assert sentences[0] == sentences[1]
    assert shared.stopped == alone.stopped


def test_items_and_what_comes_back_are_plain_data() -> None:
    executor = OnDemand()
    search = ParallelSearch([Case(LARGER)], executor)
    (begin,) = executor.items
    back = work(json.loads(json.dumps(begin)))
    assert back == json.loads(json.dumps(back)) == work(begin)
    assert back["searched"]["executions"] == FIRST
    assert len(back["prefixes"]) >= PARTS
    executor.do_one()
    search.advance(0)
    assert [item["prefix"] for item in executor.items[1:]] == back["prefixes"]
    assert executor.items[1:] == json.loads(json.dumps(executor.items[1:]))


@pytest.mark.parametrize("name", ["two writes", "2 commands", "two writes, one LBA"])
def test_the_parts_of_a_case_see_every_order_once(name: str) -> None:
    case = Case(BY_NAME[name])
    whole = Explorer(case.world).run().executions
    assert sum(Explorer(case.world, prefix=prefix).run().executions for prefix in divided(case)) == whole


def test_a_case_that_is_over_soon_is_one_item() -> None:
    executor = OnDemand()
    finish(ParallelSearch([Case(WRITE)], executor), executor)
    assert len(executor.items) == 1


def test_a_worker_that_is_asked_to_stop_gives_what_it_has_seen() -> None:
    looks = iter([False, True])
    item = {"case": Case(LARGER).plain(), "bounds": Bounds().plain(), "prefix": []}
    searched = search_part(item, lambda: next(looks))["searched"]
    assert (searched["executions"], searched["is_complete"]) == (16, False)
    back = work({"case": Case(LARGER).plain(), "bounds": Bounds().plain()}, lambda: True)
    assert back["prefixes"] == []
    assert not back["searched"]["is_complete"]


def test_a_cancelled_search_says_unknown_and_keeps_what_came_back() -> None:
    executor = OnDemand()
    search = ParallelSearch(CASES, executor)
    executor.do_one()
    search.advance(0)
    progress = search.progress
    assert (progress.name, progress.case, progress.cases) == (DEALLOCATION.name, 2, 3)
    search.cancel("its 10 s are over")
    assert search.advance(0)
    verdict = search.verdict
    assert verdict.word == "unknown"
    assert [each.executions for each in verdict.searched] == [9]
    assert verdict.stopped == "its 10 s are over"
    assert all(future.cancelled() for future, _, _ in executor.left)


def test_a_case_with_more_orders_than_allowed_is_left_as_unknown_as_alone() -> None:
    for executions in (40, 123, 124):
        executor, bounds = OnDemand(), Bounds(executions=executions, samples=0)
        shared = finish(ParallelSearch([Case(LARGER)], executor, bounds), executor).verdict
        alone = Search([Case(LARGER)], bounds).run()
        assert (shared.word, shared.stopped) == (alone.word, alone.stopped)
        assert shared.word == ("holds" if executions == 124 else "unknown")


def test_what_an_item_raises_is_raised_where_the_search_is_called(pools: list[ProcessPoolExecutor]) -> None:
    with pytest.raises(InputError, match="'x0' cannot be read"):
        ParallelSearch([Case(Scenario("bad", "x0", 1))], pools[0]).run()


def test_the_first_failure_is_nothing_that_several_workers_can_agree_on() -> None:
    with pytest.raises(InputError, match="search until 'broken case'"):
        ParallelSearch(CASES, OnDemand(), Bounds("first failure"))


def test_a_search_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least one case"):
        ParallelSearch([], OnDemand())


def test_counts_are_the_same_under_any_seed_of_pythons_hashes() -> None:
    program = (
        "from nvmelm_lab.races import SCENARIOS\n"
        "from nvmelm_lab.races.case import Case\n"
        "from nvmelm_lab.races.search import Search\n"
        "(searched,) = Search([Case(SCENARIOS[1])]).run().searched\n"
        "print(searched.plain())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(outputs) == 1
    assert "'executions': 124" in outputs.pop()

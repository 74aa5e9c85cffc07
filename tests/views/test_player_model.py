"""A player model is checked before it is shown: what the player could not draw whole is refused in one sentence."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.check import check
from nvmelm_lab.views.model import grain
from tests.views.synthetic import model
from tests.views.synthetic_summary import summary

RUN = model(steps=80)
SUMMARY = summary(blocks=1001, tile=4, frames=40)


def first_with(run: dict[str, Any], key: str) -> dict[str, Any]:
    return next(step for step in run["steps"] if step.get(key))


def test_a_good_model_comes_back_as_it_is() -> None:
    assert check(RUN) is RUN


@pytest.mark.parametrize("kind", [{}, {"lose": True}, {"blocks": 16384, "cell_lbas": 64, "slots": 128}])
def test_runs_of_all_kinds_are_good(kind: dict[str, Any]) -> None:
    check(model(**kind))


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing key": (lambda run: run.pop("queue"), "player model: 'queue' is missing"),
    "unknown key": (lambda run: run.update(speed=3), "'speed' is not a key of it"),
    "version": (lambda run: run.update(version=2), "version is 2; this player draws version 1"),
    "no steps": (lambda run: run.update(steps=[], phases=RUN["phases"]), "first step"),
    "blocks": (lambda run: run.update(blocks=0), "blocks is 0"),
    "cell": (lambda run: run.update(cell_lbas=3), "cell_lbas is 3; it must be a power of two"),
    "true is no number": (lambda run: run.update(seed=True), "seed is True"),
    "lanes": (lambda run: run.update(lanes=["a"] * 7), "there are 7 lanes"),
    "phases": (lambda run: run["phases"].reverse(), "the phases must be Prepare, Start logging"),
    "phase order": (lambda run: run["phases"][2].update(first=0), "phase Initial copy: its first step 0"),
    "run outside": (
        lambda run: run["source"]["start"].append([170, 9, 1]),
        "number of LBAs from 170 on is 9",
    ),
    "state": (lambda run: run["source"]["start"].append([0, 1, 7]), "state of [0, 1, 7] is 7"),
    "time": (lambda run: run["steps"][5].update(t=0), "step 5: t is 0"),
    "lane": (lambda run: run["steps"][5].update(lane=6), "step 5: lane is 6"),
    "long text": (lambda run: run["steps"][5].update(text="x" * 101), "step 5: text has 101 characters"),
    "cause": (lambda run: run["steps"][5].update(cause=5), "cause, which must be an earlier step, is 5"),
    "first cause": (
        lambda run: run["steps"][0].update(cause=0),
        "step 0: cause, which must be an earlier step",
    ),
    "head": (lambda run: run["steps"][5].update(head=31), "step 5: head is 31"),
    "entry": (lambda run: run["steps"][5].update(entry=[0, 1, 8, ""]), "step 5, entry: ESA is 8"),
    "short entry": (lambda run: run["steps"][5].update(entry=[0, 1]), "is not [slot, phase tag, ESA, word]"),
    "verdict": (lambda run: run["steps"][5].update(verdicts=[[0, "fine", ""]]), "step 5: verdict"),
    "property": (lambda run: run["steps"][5].update(verdicts=[[5, "good", ""]]), "verdicts: property is 5"),
    "layout": (lambda run: run["steps"][5].update(bytes=["MQE2", "00"]), "there is no layout 'MQE2'"),
    "hex": (
        lambda run: first_with(run, "bytes").update(bytes=["MQE", "zz" * 32]),
        "must be 32 bytes as 64 hex",
    ),
    "field": (lambda run: run["layouts"]["MQE"]["fields"][0].update(size=40), "field NSID: size is 40"),
    "versions": (lambda run: run["steps"][5].update(versions=[[2, 0, 1, "v1", ""]]), "versions: side is 2"),
}


@pytest.mark.parametrize(
    "kind", [{}, {"blocks": 5, "frames": 9}, {"blocks": 100_001, "tile": 2}, {"tile": 64, "lose": True}]
)
def test_summaries_of_all_kinds_are_good(kind: dict[str, Any]) -> None:
    made = summary(**kind)
    assert check(made) is made


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_drawn_is_refused_by_name(kind: str) -> None:
    broken = copy.deepcopy(RUN)
    damage, words = BROKEN[kind]
    damage(broken)
    with pytest.raises(InputError) as refused:
        check(broken)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def frame(**more: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda run: run["steps"][5].update(more)


BROKEN_SUMMARY: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no counters": (
        lambda run: run.update(counters=[], lanes=["a"]),
        "there are 0 counters; a summary has 1 to 6",
    ),
    "many counters": (
        lambda run: run.update(counters=run["counters"] * 2, lanes=["a"]),
        "there are 12 counters; a summary has 1 to 6",
    ),
    "lanes": (
        lambda run: run["lanes"].reverse(),
        "in a summary they must be the counters' names, ['Guest writes'",
    ),
    "counter's key": (
        lambda run: run["counters"][1].pop("unit"),
        "player model, counters: 'unit' is missing",
    ),
    "long name": (
        lambda run: run["counters"][1].update(name="LBAs copied so far"),
        "a counter's name has 18 characters; the player draws at most 16",
    ),
    "long unit": (lambda run: run["counters"][1].update(unit="kilobytes"), "counter Copied: its unit has 9"),
    "long sentence": (
        lambda run: run["counters"][1].update(sentence="x" * 101),
        "counter Copied: its sentence",
    ),
    "no counts": (lambda run: run["steps"][5].pop("counts"), "frame 5: 'counts' is missing"),
    "few counts": (frame(counts=[1, 2]), "frame 5: counts has 2 levels for 6 counters"),
    "negative count": (frame(counts=[0, 0, -1, 0, 0, 0]), "frame 5, counts: level 2 is -1"),
    "count that is no number": (frame(counts=[0, 0, 0.5, 0, 0, 0]), "frame 5, counts: level 2 is 0.5"),
    "lane": (frame(lane=1), "frame 5: the lane of a frame is 1"),
    "bytes": (frame(bytes=["MQE", "00"]), "there is no layout 'MQE'; the layouts are none"),
    "entry": (frame(entry=[0, 1, 0, ""]), "frame 5: it has 'entry', which belongs to one step"),
    "cause": (frame(cause=4), "frame 5: it has 'cause', which belongs to one step"),
    "run outside": (frame(source=[[996, 9, 1]]), "number of LBAs from 996 on is 9"),
    "run before": (frame(source=[[-4, 4, 1]]), "frame 5, source: slba is -4"),
    "empty run": (frame(source=[[4, 0, 1]]), "number of LBAs from 4 on is 0"),
    "run in a tile": (
        frame(source=[[0, 4, 1], [6, 4, 1]]),
        "[6, 4, 1] does not begin and end on tiles of 4 LBAs",
    ),
    "half a tile": (frame(destination=[[4, 6, 1]]), "[4, 6, 1] does not begin and end on tiles of 4 LBAs"),
    "part of the last": (frame(destination=[[998, 3, 1]]), "[998, 3, 1] does not begin and end on tiles"),
    "short run": (frame(destination=[[4, 4]]), "[4, 4] is not [slba, blocks, state]"),
    "state": (frame(destination=[[4, 4, 7]]), "state of [4, 4, 7] is 7"),
    "state that is no number": (frame(destination=[[4, 4, "lost"]]), "state of [4, 4, 'lost'] is 'lost'"),
    "start": (
        lambda run: run["source"]["start"].append([2, 4, 1]),
        "start of the source: [2, 4, 1] does not",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_SUMMARY)
def test_a_summary_that_cannot_be_drawn_is_refused_by_name(kind: str) -> None:
    broken = copy.deepcopy(SUMMARY)
    damage, words = BROKEN_SUMMARY[kind]
    damage(broken)
    with pytest.raises(InputError) as refused:
        check(broken)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_counts_belong_to_a_summary() -> None:
    broken = copy.deepcopy(RUN)
    broken["steps"][5]["counts"] = [1]
    with pytest.raises(InputError, match="step 5: it has counts, but the model has no counters"):
        check(broken)


def test_the_last_tile_of_a_summary_may_be_short() -> None:
    run = copy.deepcopy(SUMMARY)
    run["steps"][5]["source"] = [[996, 5, 1], [1000, 1, 2]]
    assert grain(check(run)) == 4


def test_a_namespace_too_large_for_its_runs_is_refused_with_what_would_do() -> None:
    huge = model(steps=60) | {"blocks": 1 << 28, "cell_lbas": 1 << 20}
    with pytest.raises(InputError, match="make its runs multiples of a larger power of two"):
        check(huge)


def test_states_are_held_by_the_coarsest_tile_that_every_run_is_a_multiple_of() -> None:
    coarse = model(steps=60) | {"blocks": 1 << 28, "cell_lbas": 1 << 20, "steps": [], "phases": []}
    coarse["source"] = {"name": "S", "start": [[0, 1 << 14, 1], [3 << 14, 1 << 15, 1]]}
    assert grain(coarse) == 1 << 14
    assert grain(RUN) == 1

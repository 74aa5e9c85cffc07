"""Replaying a player model: states against a plain map of LBAs, the queue, and the story of one LBA."""

from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.model import RANK
from nvmelm_lab.views.replay import at, cells, counts, phase_at, story, worst_lba
from tests.views.synthetic import model
from tests.views.synthetic_summary import summary

RUN = model()
LARGE = model(blocks=16384, cell_lbas=64, slots=128, steps=600)
SUMMARY = summary(blocks=1001, tile=4, frames=60, lose=True)


def plain_maps(run: dict[str, Any], index: int) -> tuple[list[int], list[int]]:
    """Both sides as plain lists, one state an LBA, laid down run by run."""
    maps: tuple[list[int], list[int]] = ([0] * run["blocks"], [0] * run["blocks"])
    for side, name in enumerate(("source", "destination")):
        for runs in (run[name]["start"], *(step.get(name, ()) for step in run["steps"][: index + 1])):
            for slba, blocks, state in runs:
                maps[side][slba : slba + blocks] = [state] * blocks
    return maps


@pytest.mark.parametrize("index", [0, 1, 63, 64, 65, 200, len(RUN["steps"]) - 1])
def test_states_are_those_of_a_plain_map(index: int) -> None:
    moment = at(RUN, index)
    assert (list(moment.source), list(moment.destination)) == plain_maps(RUN, index)


@pytest.mark.parametrize("index", [0, 20, 59])
def test_a_summary_is_held_by_its_tiles_of_which_the_last_is_short(index: int) -> None:
    moment = at(SUMMARY, index)
    source, destination = plain_maps(SUMMARY, index)
    assert (list(moment.source), list(moment.destination)) == (source[::4], destination[::4])
    assert counts(moment, 0) == tuple(source.count(state) for state in range(7))
    assert counts(moment, 1) == tuple(destination.count(state) for state in range(7))
    either = [sum(state in pair for pair in zip(source, destination, strict=True)) for state in range(7)]
    assert counts(moment) == tuple(either)
    assert len(cells(moment, 1, 64)) == 16


def test_counts_add_up_to_the_namespace_and_either_counts_an_lba_once() -> None:
    moment = at(LARGE, 300)
    source, destination = plain_maps(LARGE, 300)
    assert counts(moment, 0) == tuple(source.count(state) for state in range(7))
    assert sum(counts(moment, 1)) == LARGE["blocks"]
    either = [sum(state in pair for pair in zip(source, destination, strict=True)) for state in range(7)]
    assert counts(moment) == tuple(either)


def test_the_worst_state_of_a_cell_wins() -> None:
    moment = at(LARGE, 300)
    source, _ = plain_maps(LARGE, 300)
    for n, state in enumerate(cells(moment, 0, 64)):
        assert RANK[state] == max(RANK[one] for one in source[64 * n : 64 * n + 64])


def test_a_half_copied_cell_never_looks_finished() -> None:
    run = model(steps=60) | {"blocks": 8, "cell_lbas": 4, "phases": []}
    run["source"] = {"name": "S", "start": [[0, 6, 1]]}
    run["steps"] = [{"t": 0, "lane": 0, "actor": "a", "text": "a", "destination": [[0, 2, 4], [4, 2, 4]]}]
    assert list(cells(at(run, 0), 1, 4)) == [0, 4]


def test_the_phase_of_a_step_is_the_last_one_begun() -> None:
    firsts = [phase["first"] for phase in RUN["phases"]]
    assert [phase_at(RUN, first) for first in firsts] == list(range(8))
    assert phase_at(RUN, firsts[3] - 1) == 2


def test_the_queue_holds_what_was_posted_and_not_read() -> None:
    posted = read = 0
    for index, step in enumerate(RUN["steps"][:250]):
        posted += step.get("entry") is not None
        moment = at(RUN, index)
        assert moment.posted == posted
        assert moment.read >= read
        assert (moment.tail - moment.head) % 31 == moment.posted - moment.read
        read = moment.read


def test_phase_tags_flip_with_every_pass() -> None:
    last = at(RUN, len(RUN["steps"]) - 1)
    assert last.posted > 31
    assert last.tags[: last.tail] == (0,) * last.tail
    assert last.tags[last.tail :] == (1,) * (31 - last.tail)


def test_a_step_outside_the_run_is_refused() -> None:
    with pytest.raises(InputError, match="step 412: the run has steps 0 to 411"):
        at(RUN, 412)


# --- the story of one LBA ------------------------------------------------------------------------------------------


def told(*steps: dict[str, Any]) -> Any:
    """The story of LBA 2 after the steps, in a namespace of 8 LBAs whose guest writes through the actor "w"."""
    run = model(steps=60) | {"blocks": 8, "phases": []}
    run["source"], run["destination"] = {"name": "S", "start": []}, {"name": "D", "start": []}
    run["steps"] = [{"t": n, "lane": 0, "text": "", "actor": "w", **step} for n, step in enumerate(steps)]
    return story(run, at(run, len(steps) - 1), 2)


def write(version: str, **more: Any) -> dict[str, Any]:
    return {"lbas": [2, 1], "versions": [[0, 2, 1, version, f"guest, {version}"]], **more}


def post(slot: int, **more: Any) -> dict[str, Any]:
    return {"actor": "x", "lbas": [2, 1], "entry": [slot, 1, 0, ""], "tail": slot + 1, **more}


def test_an_lba_that_nobody_wrote_has_no_version_and_no_entry() -> None:
    alone = told({})
    assert (alone.source, alone.destination, alone.writer, alone.entry) == (
        "v0",
        "none yet",
        "none",
        "none",
    )


def test_a_write_without_an_entry_says_so() -> None:
    assert told(write("v1")).entry == "none"
    assert told(write("v1")).writer == "guest, v1"


def test_an_entry_waits_until_the_head_has_passed_it() -> None:
    assert told(write("v1"), post(0)).entry == "slot 0, waiting"
    assert told(write("v1"), post(0), {"head": 1}).entry == "slot 0, read"


def test_the_entry_of_an_older_version_does_not_count() -> None:
    assert told(write("v1"), post(0), write("v2")).entry == "none"


def test_an_entry_posted_first_counts_for_the_command_that_posted_it_alone() -> None:
    assert told(write("v1"), post(0, actor="other"), write("v2", actor="second")).entry == "none"
    assert told(write("v1"), post(0, actor="second"), write("v2", actor="second")).entry == "slot 0, waiting"


def test_entries_are_numbered_through_wraps() -> None:
    laps = [{"tail": slot % 31, "head": slot % 31} for slot in range(1, 40)]
    assert told(*laps, write("v1"), post(8)).entry == "slot 8, waiting"
    assert told(*laps, write("v1"), post(8), {"head": 9}).entry == "slot 8, read"


def test_the_worst_lba_of_a_range_is_the_first_one_of_its_kind() -> None:
    index = next(n for n, step in enumerate(RUN["steps"]) if step.get("note"))
    slba, blocks = RUN["steps"][index]["lbas"]
    assert worst_lba(at(RUN, index), 0, RUN["blocks"]) == slba
    assert worst_lba(at(RUN, index), slba, blocks) == slba

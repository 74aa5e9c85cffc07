"""The first notebook: it keeps the rules of notebooks, it runs, and what it claims of its runs is so."""

import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nvmelm_lab import notebook
from nvmelm_lab.lessons.questions import LESSONS
from nvmelm_lab.notebook import SMALL
from nvmelm_lab.runs import start
from nvmelm_lab.runs.sentences import PAUSE
from nvmelm_lab.views.bench import KNOBS
from nvmelm_lab.views.film import frame_at, model_of

QUESTIONS = LESSONS[0].questions
ROOT = Path(__file__).parents[2]
PATH = ROOT / "notebooks" / "00_start_here.ipynb"
BOOK = json.loads(PATH.read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in BOOK["cells"] if cell["cell_type"] == "code"]
PROSE = "\n\n".join("".join(cell["source"]) for cell in BOOK["cells"] if cell["cell_type"] == "markdown")


def outcome(**knobs):
    return start(replace(SMALL, **knobs)).finish()


@pytest.fixture(scope="module")
def small():
    return outcome()


@pytest.fixture(scope="module")
def film(small):
    return model_of(small)


# -- the rules ---------------------------------------------------------------------------------------------


def test_it_is_stored_without_outputs_and_small():
    for cell in BOOK["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert "widgets" not in BOOK["metadata"]
    assert PATH.stat().st_size < 100_000


def test_cells_have_names_of_their_own_that_stay():
    names = [cell["id"] for cell in BOOK["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


def test_code_cells_are_short():
    assert all(len(source.splitlines()) <= 12 for source in CODE)


def test_every_question_that_is_asked_exists_and_each_run_with_a_knob_has_one_before_it():
    asked = [name for source in CODE for name in re.findall(r'predict\("(.+?)"\)', source)]
    assert asked == list(QUESTIONS)
    called = [re.match(r'predict|after\("(.+?)", (\w+)|watch|bench', source) for source in CODE]
    order = [call[2] or call[0] for call in called if call]
    knobs = ["predict", "bench", "rounds", *["predict", "bench"] * 2]
    assert order == ["predict", "watch", "watch", *knobs, "bench", *["predict"] * 3]


def test_an_outcome_is_covered_until_the_question_before_it_is_answered():
    covered = [name for source in CODE for name in re.findall(r'after\("(.+?)", ', source)]
    assert list(dict.fromkeys(covered)) == list(LESSONS[0].predictions)


def test_the_roles_and_acronyms_of_the_talk_are_introduced_before_they_are_used():
    for short in ("VMM", "MMH", "SR-IOV", "PF", "VF", "MMC", "MC", "MQ", "MQE"):
        introduced = re.search(rf"\*\*{short}\*\*", PROSE)
        assert introduced, f"{short} is never introduced"
        used = re.search(rf"\b{short}\b", PROSE)
        assert used.start() >= introduced.start(), f"{short} is used before it is introduced"


def test_it_names_the_three_phases_and_where_to_learn_more():
    for phase in ("**Pre-copy.**", "**Suspend and copy.**", "**Post-copy.**"):
        assert phase in PROSE
    for reference in ("8.1.12", "5.6", "4.2.1", "TP4165", "SPOS-203-1", "nvmelm migrate"):
        assert reference in PROSE


# -- running it --------------------------------------------------------------------------------------------


def errors_in(state):
    """Errors that an executed notebook keeps in its widgets alone."""
    for model in state.get("state", {}).values():
        text = json.dumps(model["state"])
        if (
            "nvb-fault" in text.replace(".nvb-fault", "")
            or '"output_type": "error"' in text
            or "Traceback" in text
        ):
            yield text


def test_it_runs_from_top_to_bottom_and_no_widget_holds_an_error():
    book = nbformat.read(PATH, 4)
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    kinds = [output.data.keys() for output in outputs if output.output_type == "display_data"]
    widgets = [data for data in kinds if "application/vnd.jupyter.widget-view+json" in data]
    assert len(widgets) == len(QUESTIONS) + 8
    assert all("text/plain" in data for data in kinds)
    assert not list(
        errors_in(book.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}))
    )


def test_whatever_it_imports_is_there():
    (names,) = re.findall(r"from nvmelm_lab\.notebook import (.+)", "\n".join(CODE))
    assert set(names.split(", ")) <= set(notebook.__all__)


# -- what it claims ----------------------------------------------------------------------------------------


def test_the_guest_stands_still_for_about_an_eighth_of_the_move(small):
    assert small.good
    assert 1 / 12 < small.downtime_ns / small.virtual_ns < 1 / 6


def test_a_copy_arrives_that_is_out_of_date_already(film):
    index = frame_at(film, "has changed meanwhile")
    assert film["phases"][3]["first"] <= index < film["phases"][4]["first"]


def test_while_the_cpus_stand_still_the_controller_carries_a_command_out_and_the_marker_comes_behind_it(film):
    texts = [step["text"] for step in film["steps"]]
    paused, resumed = texts.index(PAUSE), film["phases"][6]["first"]
    executed = next(n for n in range(paused, resumed) if texts[n].startswith("Ctlr Y executed"))
    marker = next(n for n in range(paused, resumed) if "posts a marker" in texts[n])
    assert executed < marker
    assert not [n for n in range(marker, resumed) if texts[n].startswith("Ctlr Y")]


def test_the_first_that_the_guest_does_at_the_destination_is_to_read_a_completion_of_the_source(film):
    texts = [step["text"] for step in film["steps"]]
    started = next(
        n for n, text in enumerate(texts) if text.startswith("VMM starts the VM at the destination")
    )
    first = next(text for text in texts[started:] if text.startswith("Guest"))
    command = re.fullmatch(r"Guest reads the completion of (command \d+), .*", first)[1]
    assert any(text.startswith(f"Ctlr Y posts the completion of {command},") for text in texts[:started])


def test_the_moment_when_everything_is_at_stake_exists(film):
    step = film["steps"][frame_at(film, "its entry is not posted yet")]
    assert step["text"].startswith("Ctlr Y executed Write")
    assert step["versions"]


def test_four_times_the_writes_cost_more_than_five_times_the_downtime_and_the_rounds_do_not_shrink(small):
    fast = outcome(writes_per_second=40_000)
    assert SMALL.writes_per_second == 10_000
    assert fast.downtime_ns > 5 * small.downtime_ns
    assert fast.round_blocks[-1] >= fast.round_blocks[0]
    assert fast.rounds == SMALL.rounds


def test_at_forty_thousand_writes_no_round_comes_below_the_budget_and_at_one_thousand_the_last_does():
    budget = SMALL.downtime_budget_ns
    assert min(outcome(writes_per_second=40_000).round_ns) > budget
    assert outcome(writes_per_second=1_000).round_ns[-1] <= budget
    assert "It did not converge" in repr(notebook.rounds(writes_per_second=40_000))
    assert "It converged" in repr(notebook.rounds(writes_per_second=1_000))


def test_who_talks_in_a_phase_is_shown_for_the_lab_of_the_notebook(small):
    words = repr(notebook.who_talks("Suspend", theme="dark"))
    assert "Phase 5 of 8: Suspend" in words
    assert f"{small.run.blocks} LBAs, attached to Ctlr Y and Ctlr X" in words


def test_a_coarser_granularity_makes_the_initial_copy_larger_and_the_rounds_hardly(small):
    coarse = outcome(granularity=64)
    assert SMALL.granularity == 8

    def initial(one):
        return one.bytes_copied // one.run.block_bytes - sum(one.round_blocks)

    assert initial(coarse) > 1.8 * initial(small)
    assert sum(coarse.round_blocks) - sum(small.round_blocks) < (initial(coarse) - initial(small)) / 5


def test_a_queue_of_four_slots_overflows_and_nothing_is_lost(small):
    short = outcome(queue_entries=4)
    assert short.overflows
    assert short.good
    assert short.bytes_copied > 1.5 * small.bytes_copied
    entries = [step["entry"] for step in model_of(short)["steps"] if "entry" in step]
    assert [entry[2] for entry in entries].index(7) == 2


def test_what_is_to_be_tried_can_be_done():
    positions = {knob.field: knob.positions for knob in KNOBS}
    assert {1_000, 20_000, 40_000} <= set(positions["writes_per_second"])
    assert {16, 32} <= set(positions["queue_entries"])
    assert outcome(writes_per_second=1_000).downtime_ns < 100_000
    rounds = outcome(writes_per_second=40_000).round_blocks
    assert rounds[-1] > rounds[0]
    assert outcome(writes_per_second=40_000, queue_entries=16).overflows
    assert not outcome(writes_per_second=40_000, queue_entries=32).overflows


def test_a_sample_recording_can_be_watched_as_the_notebook_says():
    assert 'watch(workload="null_mixed.log")' in PROSE
    film = model_of(outcome(workload="null_mixed.log", writes_per_second=None))
    assert film["phases"][7]["first"] is not None


def test_the_picture_of_the_player_that_readme_shows_is_there_and_small():
    picture = ROOT / "docs" / "player.png"
    assert f"]({picture.relative_to(ROOT)})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000

"""A failing and a repaired run as one: where they part, which steps stand beside each other, and the facts in words."""

import json
import zlib
from xml.etree import ElementTree

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.views import text
from nvmelm_lab.views.model import State
from nvmelm_lab.views.pair import ENDS, Play, describe, pair_model, pair_of, summary
from nvmelm_lab.views.pair_still import pair_svg
from nvmelm_lab.views.palette import DARK, LIGHT
from nvmelm_lab.views.replay import at
from nvmelm_lab.views.side_by_side import SideBySide, beside_repaired
from tests.views.pairs import counterexample, pair, plays
from tests.views.synthetic import model

NAMES = ("copies_before_logging", "forgets_the_final_drain", "moves_memory_before_the_pause")


def texts(pair, which):
    return [step["text"] for step in pair["runs"][which]["steps"]]


@pytest.mark.parametrize("name", NAMES)
def test_up_to_the_first_difference_every_row_is_the_same_step(name):
    found = pair(name)
    for row in range(found["differs"]):
        assert found["rows"][row] == [row, row]
        assert texts(found, 0)[row] == texts(found, 1)[row]
    assert texts(found, 0)[found["differs"]] != texts(found, 1)[found["differs"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_both_has_its_row_and_time_never_goes_back(name):
    found = pair(name)
    for which in (0, 1):
        column = [row[which] for row in found["rows"]]
        assert column == sorted(column)
        assert sorted(set(column)) == list(range(len(texts(found, which))))


def test_what_both_do_later_on_stands_in_one_row_again():
    found = pair("copies_before_logging")
    starts = [next(n for n, words in enumerate(texts(found, which)) if words.startswith("VMM starts the VM"))
              for which in (0, 1)]  # fmt: skip
    assert starts[0] != starts[1]
    assert starts in [list(row) for row in found["rows"]]


def test_it_knows_where_the_failing_run_breaks_its_promise_and_which_lba_it_is_about():
    found = pair("copies_before_logging")
    step = found["runs"][0]["steps"][found["rows"][found["breaks"]][0]]
    assert [0, "bad", "LBA 0"] in step["verdicts"]
    last = at(found["runs"][0], len(texts(found, 0)) - 1)
    assert last.destination[found["lba"]] == State.LOST
    assert [stage["first"] for stage in found["stages"]] == [0, found["differs"], found["breaks"]]


def test_who_never_ends_has_a_last_step_that_says_so():
    found = pair("moves_memory_before_the_pause")
    last = found["runs"][0]["steps"][-1]
    assert last["text"] == "Guest waits for ever for completion 1 on guest"
    for run, verdict in zip(found["runs"], ("bad", "good"), strict=True):
        end = at(run, len(run["steps"]) - 1)
        assert run["properties"][-1]["name"] == ENDS
        assert end.verdicts[-1][0] == verdict


def test_a_run_that_keeps_its_promises_is_not_taken_for_a_failing_one():
    failing, repaired = plays("copies_before_logging")
    with pytest.raises(InputError, match="keeps every promise"):
        pair_of(repaired, repaired)
    with pytest.raises(InputError, match="breaks a promise, too: no write lost: LBA 0"):
        pair_of(failing, failing)


def test_an_order_of_somebody_who_is_not_there_is_refused():
    failing, repaired = plays("copies_before_logging")
    with pytest.raises(InputError, match="'nobody' cannot go now; who can: "):
        pair_of(Play(failing.case, ["nobody"]), repaired)


def test_two_runs_that_are_the_same_or_of_two_namespaces_are_refused():
    with pytest.raises(InputError, match="the same, step by step"):
        pair_model(model(), model())
    with pytest.raises(InputError, match="of one namespace"):
        pair_model(model(), model(blocks=64))


def test_its_words_are_those_of_both_runs():
    found = pair("copies_before_logging")
    row = found["differs"]
    failing, repaired = found["rows"][row]
    lines = describe(found, row)
    assert lines[0] == "Failing run, its step:"
    assert lines[1:].count("Repaired run, which takes no step here:") == 1
    for line in (*text.describe(found["runs"][0], failing), *text.describe(found["runs"][1], repaired)):
        assert line in lines
    told = summary(found, row)
    assert "Steps 1 to 9 are the same. From step 10 on they differ" in told
    assert "Failing run in the end: no write lost: bad (LBA 0)" in told
    with pytest.raises(InputError, match="row 999: these two runs have rows 0 to"):
        describe(found, 999)


class Wire(SideBySide):
    """A view that keeps what it sends."""

    sent: list = []  # noqa: RUF012

    def send(self, content, buffers=None):
        self.sent = [*self.sent, (content, buffers)]


def test_both_runs_go_over_once_and_it_opens_where_they_differ():
    found = pair("copies_before_logging")
    ((content, (_, _, packed)),) = Wire(found).sent
    assert content == {"kind": "run", "step": found["differs"]}
    assert json.loads(zlib.decompress(packed))["rows"] == found["rows"]
    with pytest.raises(
        InputError, match=f"row is 999; these two runs have rows 0 to {len(found['rows']) - 1}"
    ):
        SideBySide(found, 999)


def test_hosts_without_widgets_get_words_and_a_picture():
    found = pair("copies_before_logging")
    bundle, _ = SideBySide(found)._repr_mimebundle_()
    assert bundle["text/plain"] == summary(found, found["differs"])
    assert bundle["image/svg+xml"] == pair_svg(found, found["differs"])


def test_a_counterexample_stands_beside_itself_with_a_deciding_race_reversed():
    told = repr(beside_repaired(counterexample("copies_before_logging")))
    assert told.startswith("No write lost: one write, no round: a failing and a repaired run")
    assert "Repaired run in the end: no write lost: good" in told


def test_one_that_no_order_repairs_stands_beside_the_reference_vmm():
    told = repr(beside_repaired(counterexample("resumes_both")))
    assert (
        "Failing run in the end: no write lost: good; nothing revived: good; unreadable marked: good; "
        in told
    )
    assert "one controller runs: bad (both run)" in told
    assert "Run of the reference VMM in the end: no write lost: good" in told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_still_picture_holds_all_its_texts_at_any_row(name, colours):
    found = pair(name)
    for row in (0, found["differs"], found["breaks"], len(found["rows"]) - 1):
        root = ElementTree.fromstring(pair_svg(found, row, colours))
        said = list(root.iter("{http://www.w3.org/2000/svg}text"))
        for node in said:
            assert 0 < float(node.get("x")) <= 840
            assert 0 < float(node.get("y")) < 540
            assert float(node.get("font-size") or 12) >= 12
        assert "different from here on" in [node.text for node in said]

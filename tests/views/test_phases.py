"""The phase graph: runs go along its ways, and the figure and its words say the same."""

import re
from dataclasses import replace

import networkx as nx
import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lab import METHODS
from nvmelm_lab.notebook import phases
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.phases import GO_ON, LAST_WAY, WAYS_BACK, phase_graph, phase_graph_text

SMALL = MigrationRun(blocks=64, filled=16, neighbour=False)
each_phase = pytest.mark.parametrize("phase", PHASES)


def ways_on():
    graph = phase_graph()
    return nx.DiGraph((one, other) for one, other, number in graph.edges(data="number") if not number)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_follows_the_way_on_though_it_may_leave_phases_out(method):
    begun = [phase.name for phase in start(MigrationRun(blocks=64, filled=16, method=method)).finish().phases]
    order = list(nx.topological_sort(ways_on()))
    assert begun == [phase for phase in order if phase in begun]
    assert begun[-1] == order[-1]


@each_phase
def test_a_run_that_fails_ends_where_the_graph_says(phase):
    fault = {"State": "link-lost", "Resume": "reset-g"}.get(phase, "cancel")
    run = start(replace(SMALL, faults=(f"{fault}@{phase.lower().replace(' ', '-')}",)))
    outcome = run.finish()
    has_way_back = nx.has_path(phase_graph(), phase, GO_ON)
    assert bool(outcome.failure) is has_way_back, outcome.notes
    at_source = run.lab.guests["guest"].vm.memory is run.lab.source_spaces["guest"]
    assert at_source is has_way_back


def test_only_after_the_vm_has_moved_nothing_leads_back():
    graph = phase_graph()
    assert [phase for phase in PHASES if not nx.has_path(graph, phase, GO_ON)] == ["Clean up"]


@each_phase
def test_the_text_says_what_ends_each_phase_and_which_one_is_under_way(phase):
    told = phase_graph_text(phase)
    assert re.findall(r"\d\. (.*) \(now\)", told) == [phase]
    for name, ends in phase_graph().nodes(data="ends"):
        assert ends is None or f"ends when {ends}." in told, name
    for why, _ in WAYS_BACK:
        assert why in told
    assert told.endswith(LAST_WAY)


@each_phase
def test_the_figure_fills_the_phase_that_is_under_way_and_no_other(phase):
    drawn = phases(phase)
    assert str(drawn.layout.meta) == phase_graph_text(phase)
    assert [words for words in drawn.data[-1].text if "· now" in words] == [f"<b>{phase}</b> · now"]
    assert not [words for words in phases().data[-1].text if "· now" in words]


def test_boxes_do_not_lie_on_each_other():
    boxes = [(*node["pos"], *node["size"]) for _, node in phase_graph().nodes(data=True)]
    for n, (x, y, wide, high) in enumerate(boxes):
        for a, b, other_wide, other_high in boxes[:n]:
            assert abs(x - a) >= (wide + other_wide) / 2 or abs(y - b) >= (high + other_high) / 2


def test_a_phase_that_there_is_not_is_named_with_those_that_are():
    with pytest.raises(InputError, match="there is no phase 'Copy'; there are: Prepare, Start logging"):
        phases("Copy")
    with pytest.raises(InputError, match="there is no theme 'grey'; there are: light, dark"):
        phases(theme="grey")

"""The benchmarks run, measure what they say, and hold each figure against its target; times are not asserted."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import door, random_migration, report, simpy_peer, spin_peer, whole_door
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.bench import NAME, Bench, writes
from benchmarks.measure import TINY, Figure, Peer, calibrate, rates
from nvmelm_lab.errors import KitError


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name != "jupyterlab"])
def test_each_benchmark_gives_figures_with_a_unit_and_a_calibration(name: str) -> None:
    figures = BENCHMARKS[name](TINY)
    assert figures
    for figure in figures:
        assert figure.value > 0 or figure.unit in ("%", "defects")
        assert figure.middle > 0 or figure.unit in ("%", "defects")
        assert figure.unit in ("IO/s", "steps/s", "executions/s", "executions", "defects", "s", "%")
        assert figure.calibration_ns > 0


def test_jupyterlab_is_not_started_when_the_size_leaves_it_out() -> None:
    assert BENCHMARKS["jupyterlab"](TINY) == []


def test_of_two_defects_the_search_misses_none_and_a_peer_with_one_example_both() -> None:
    figures = BENCHMARKS["hypothesis"](replace(TINY, examples=1))
    missed = [
        (figure.value, figure.peer.value) for figure in figures if figure.unit == "defects" and figure.peer
    ]
    assert missed == [(0, 2)] * 2


@pytest.mark.skipif(not spin_peer.is_installed(), reason="Spin is not installed: apt-get install spin gcc")
def test_spin_finds_the_model_without_the_last_drain_wrong() -> None:
    assert spin_peer.check(1, "NO_LAST_DRAIN").is_wrong


def test_where_spin_is_not_installed_the_figure_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spin_peer, "is_installed", lambda: False)
    peers = [figure.peer for figure in spin_peer.measure(replace(TINY, commands=1))]
    assert [(peer.name, peer.value) for peer in peers if peer] == [
        ("Spin: not installed", None),
        ("Spin without reduction: not installed", None),
    ]


def test_counts_of_a_search_are_exact() -> None:
    counts = [figure for figure in BENCHMARKS["races"](TINY) if figure.exact]
    assert [(figure.value, figure.is_met) for figure in counts] == [(13.0, True)]


@pytest.mark.parametrize("peer", [simpy_peer.Idiomatic, simpy_peer.Bare])
def test_simpys_processes_do_all_that_the_engine_does(peer: type[simpy_peer.Peer]) -> None:
    ours, theirs = Bench(), Bench()
    guest = ours.lab.run_workload(NAME, writes(200))
    ours.engine.run()
    peer(theirs, 200).env.run(2_000_000)
    (program,) = theirs.lab.guests[NAME].programs
    assert guest.completed == program.completed == 200
    assert program.failed == 0
    read = [bench.lab.source.namespaces[1].read(0, 1_400) for bench in (ours, theirs)]
    assert read[0] == read[1]
    assert any(read[0] or ())


def test_bare_simpy_takes_as_long_in_virtual_time_as_the_engine() -> None:
    ours, theirs = Bench(), Bench()
    guest = ours.lab.run_workload(NAME, writes(200))
    while guest.completed < 200:
        ours.engine.advance(1)
    env = simpy_peer.Bare(theirs, 200).env
    (program,) = theirs.lab.guests[NAME].programs
    while program.completed < 200:
        env.step()
    assert env.now == ours.engine.now


def test_simpys_processes_that_stand_still_are_an_error() -> None:
    class Idle(simpy_peer.Bare):
        def guest(self, ios: int) -> simpy_peer.Process:
            yield self.wait("never")

    with pytest.raises(KitError, match="stand still after 0 of 10"):
        list(simpy_peer.run(10, Idle))


def test_slices_add_up_to_all_the_work() -> None:
    assert sum(door._run(256, door._in_bursts)) == sum(door._run(256, door._singly)) == 256
    assert sum(whole_door._run(100)) == 100
    assert sum(random_migration._run(100, 1)) > 500


def test_peers_take_turns_and_short_last_slices_do_not_count() -> None:
    order: list[str] = []

    def run(name: str, *slices: int) -> Iterator[int]:
        for work in slices:
            order.append(name)
            yield work

    one, other = rates([lambda: run("a", 10, 10, 1), lambda: run("b", 10)], 2)
    assert "".join(order) == "abaa" * 2
    assert one.best >= one.middle > 0
    assert other.calibration_ns > 0


def test_a_rate_is_better_when_higher_and_a_time_when_lower() -> None:
    rate = Figure("", 300.0, "IO/s", 1.0, 200, Peer("", 100.0, 2.0), calibration_ns=1)
    time = Figure("", 2.0, "s", 1.0, 1.5, Peer("", 4.0), calibration_ns=1)
    assert (rate.ratio, rate.is_met) == (3.0, True)
    assert (time.ratio, time.is_met) == (2.0, False)


def test_a_target_and_a_least_ratio_have_both_to_be_met() -> None:
    def met(value: float, peer: float) -> bool | None:
        return Figure("", value, "IO/s", 1.0, 40, Peer("", peer, 2.0), calibration_ns=1).is_met

    assert met(40, 20) is True
    assert met(39, 10) is False
    assert met(80, 41) is False
    assert Figure("", 1.0, "s", 1.0, calibration_ns=1).is_met is None


def test_the_table_has_a_line_for_each_figure_and_says_what_was_missed() -> None:
    figures = [
        Figure("fast", 500_000.0, "IO/s", 1.0, 400_000, Peer("SimPy", 100_000.0, 2.0), calibration_ns=25.0),
        Figure("slow", 12.5, "s", 1.0, 10, calibration_ns=25.0),
    ]
    head, fast, slow = report.table(figures).splitlines()
    assert head.split()[:3] == ["what", "figure", "unit"]
    assert all(word in fast for word in ("500,000", "5.00", ">= 400,000, ratio >= 2", " yes "))
    assert all(word in slow for word in ("12.50", "<= 10", " NO "))


def test_the_json_holds_the_same_figures(tmp_path: Path) -> None:
    figure = Figure("fast", 5.0, "IO/s", 4.0, 3, Peer("SimPy", 2.5, 2.0), calibration_ns=25.0)
    report.write([figure], tmp_path / "results.json")
    (read,) = json.loads((tmp_path / "results.json").read_text())["figures"]
    assert (read["value"], read["median"], read["ratio"], read["met"]) == (5.0, 4.0, 2.0, True)
    assert read["peer"] == {"name": "SimPy", "value": 2.5, "least_ratio": 2.0}


def test_a_benchmark_that_is_none_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dor"]) == 2
    assert capsys.readouterr().err == (
        "There is no benchmark 'dor'; there are: "
        "whole-door, door, engine, races, hypothesis, spin, command-line, jupyterlab.\n"
    )


def test_the_calibration_loop_takes_time() -> None:
    assert calibrate() > 0

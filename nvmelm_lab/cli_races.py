"""`nvmelm races`: the catalogue of defects, the shortest story of one, and the proof of the reference VMM.

How options are read and how an answer is printed lives here; the search is `nvmelm_lab.races`, imported only once
the options are read.
"""

from __future__ import annotations

import difflib
import json
import signal
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nvmelm_lab.errors import InputError

if TYPE_CHECKING:
    from types import FrameType

    from nvmelm_lab.races.case import Case
    from nvmelm_lab.races.defects.defect import Defect
    from nvmelm_lab.races.parallel import Item, ParallelSearch
    from nvmelm_lab.races.search import Progress, Search
    from nvmelm_lab.races.shrink import Counterexample
    from nvmelm_lab.races.verdict import Verdict

CTRL_C = "Ctrl-C was pressed"
BETWEEN_LOOKS_S = 0.1
"""Seconds between two looks at Ctrl-C and at the progress while workers search."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


@click.group("races")
def command() -> None:
    """Run migrations under every order of events that matters."""


# -- list and find ----------------------------------------------------------------------------------------


@command.command("list")
@json_option
def list_defects(as_json: bool) -> None:
    """List the defects that can be found."""
    from nvmelm_lab.races.catalogue import DEFECTS

    if as_json:
        rows = [
            {"name": each.name, "kind": each.kind, "property": each.property, "title": each.title}
            for each in DEFECTS.values()
        ]
        print(json.dumps({"defects": rows}, indent=2))
        return
    for each in DEFECTS.values():
        print(f"{each.name:<28}  {each.kind:<9}  breaks: {each.property}\n    {each.title}")


@command.command("find")
@click.argument("name", required=False)
@click.option("--token", metavar="TOKEN", help="Tell again what this token stands for, instead of searching.")
@click.option(
    "--html", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a page too."
)
@json_option
def find(name: str | None, token: str | None, html: Path | None, as_json: bool) -> None:
    """Find defect NAME, and tell the shortest story of how it does harm."""
    from nvmelm_lab.races import finding
    from nvmelm_lab.races.explain import explain
    from nvmelm_lab.races.story import story

    if (name is None) == (token is None):
        raise InputError("name one defect, or give one --token; nvmelm races list shows the names")
    begin = time.perf_counter()
    said: tuple[str, ...] = ()
    if name is None:
        found, runs = finding.replayed(token or ""), 1
    else:
        defect = _defect(name)
        search = finding.find(defect)
        found, runs, said = search.counterexample, search.executions, finding.introduction(defect)
    told = explain(found)
    if html is not None:
        _write_page(html, found)
    if as_json:
        facts = {
            "name": found.case.defect,
            "found": True,
            "executions": runs,
            "steps": len(told.steps),
            "seconds": round(time.perf_counter() - begin, 3),
            "token": told.token,
            "explanation": told.plain(),
        }
        print(json.dumps(facts, indent=2))
        return
    for each in said:
        print(textwrap.fill(each, 80, subsequent_indent="  "))
    print("\n" * bool(said) + story(told))


def _defect(name: str) -> Defect:
    """The defect of that name.  InputError with the nearest one if there is none."""
    from nvmelm_lab.races.catalogue import DEFECTS

    if name in DEFECTS:
        return DEFECTS[name]
    near = difflib.get_close_matches(name, DEFECTS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "nvmelm races list shows their names"
    raise InputError(f"there is no defect {name!r}; {hint}")


def _write_page(path: Path, found: Counterexample) -> None:
    from nvmelm_lab.views.export import export_html

    try:
        path.write_text(export_html(found), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error


# -- verify -----------------------------------------------------------------------------------------------


@command.command("verify")
@click.option(
    "--vmm", metavar="FILE", type=click.Path(path_type=Path), help="Judge this file's migrate() instead."
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that search."
)
@click.option("--all-freedoms", is_flag=True, help="On SSDs of all habits, not only the kit's own.")
@click.option(
    "--faults", is_flag=True, help="With each fault behind each step of the VMM, too.  Takes very long."
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
@json_option
@click.pass_context
def verify(
    context: click.Context,
    vmm: Path | None,
    workers: int,
    all_freedoms: bool,
    faults: bool,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Prove that the reference VMM loses nothing in any order, rung by rung.

    Ctrl-C keeps what was found; the verdict is then unknown, unless something is broken.
    """
    cases = _cases("" if vmm is None else _read(vmm), all_freedoms, faults)
    verdict = _alone(cases, seconds) if workers == 1 else _shared(cases, workers, seconds)
    print(json.dumps(verdict.plain(), indent=2) if as_json else as_text(verdict))
    context.exit(0 if verdict.word == "holds" else 1)


def as_text(verdict: Verdict) -> str:
    """The verdict for people: a row a rung, and the sentence."""
    lines = [f"{'rung':<40} {'orders':>8} {'in vain':>8} {'sampled':>8} {'seconds':>8}"]
    for rung in verdict.rungs:
        end = "" if rung.is_complete else "  not all seen"
        lines.append(
            f"{rung.name:<40} {rung.executions:>8,} {rung.redundant:>8,} {rung.sampled:>8,} {rung.seconds:>8.2f}"
            f"{'  BROKEN' if rung.failures else end}"
        )
    return "\n".join([*lines, "", verdict.sentence])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{str(path)!r} cannot be read as a VMM; give a text file with async def migrate"
        ) from error


def _cases(source: str, all_freedoms: bool, faults: bool) -> list[Case]:
    from nvmelm_lab.faults import FAULTS
    from nvmelm_lab.races.case import Case
    from nvmelm_lab.races.ladder import LADDER, SAFEGUARDS
    from nvmelm_lab.races.variants import with_all_habits, with_faults

    # What the safeguards guard against is told to the reference VMM alone: its rungs say how.
    rungs = LADDER if source else (*LADDER, *SAFEGUARDS)
    cases = [Case(scenario, source=source) for scenario in rungs]
    if all_freedoms:
        cases = with_all_habits(cases)
    plain = [each for each in cases if not each.scenario.fault]
    return (
        [*with_faults(plain, tuple(FAULTS)), *(each for each in cases if each not in plain)]
        if faults
        else cases
    )


def _alone(cases: list[Case], seconds: float | None) -> Verdict:
    from nvmelm_lab.races.search import Search

    search, took = Search(cases), [0.0] * len(cases)
    begin = before = time.perf_counter()
    with _cancelled_by_ctrl_c(search), _shown(len(cases)) as show:
        while not search.is_over:
            number = len(search.searched)
            search.advance(1)
            now = time.perf_counter()
            took[number] += now - before
            before = now
            show(search.progress)
            if seconds is not None and now - begin > seconds:
                search.cancel(f"its {seconds:g} s are over")
    verdict = search.verdict
    timed = [replace(each, seconds=took[n]) for n, each in enumerate(verdict.searched)]
    return replace(verdict, searched=tuple(timed))


def _shared(cases: list[Case], workers: int, seconds: float | None) -> Verdict:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from nvmelm_lab.races.parallel import ParallelSearch

    stop = multiprocessing.Event()
    begin = time.perf_counter()
    with ProcessPoolExecutor(workers, initializer=_begin_worker, initargs=(stop,)) as pool:
        search = ParallelSearch(cases, pool, do=work_timed)
        with _cancelled_by_ctrl_c(search), _shown(len(cases)) as show:
            while not search.advance(BETWEEN_LOOKS_S):
                show(search.progress)
                if seconds is not None and time.perf_counter() - begin > seconds:
                    search.cancel(f"its {seconds:g} s are over")
        stop.set()
    return search.verdict


_stop: Any = None
"""In a worker: the event that asks it to stop."""


def _begin_worker(stop: Any) -> None:
    """Ctrl-C is for the parent, which then sets `stop`."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def work_timed(item: Item) -> Item:
    """What a worker does: the item, and what that took."""
    from nvmelm_lab.races.parallel import work

    begin = time.perf_counter()
    result = work(item, _stop.is_set)
    result["searched"]["seconds"] = time.perf_counter() - begin
    return result


@contextmanager
def _cancelled_by_ctrl_c(search: Search | ParallelSearch) -> Iterator[None]:
    """The first Ctrl-C cancels the search, so that there still is a verdict."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        search.cancel(CTRL_C)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _shown(cases: int) -> Iterator[Any]:
    """Gives what shows the progress on stderr, for whoever watches."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("searching", total=cases)

        def show(now: Progress) -> None:
            bar.update(task, completed=now.case - 1, description=f"{now.name}: {now.runs:,} orders")

        yield show

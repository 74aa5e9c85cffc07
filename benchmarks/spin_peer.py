"""A peer of the race search: Spin checks a model of the same protocol, migration.pml, on the same scenario.

Spin goes through *states*, each once, and keeps them all; our search runs *executions* of the kit itself, from the
start, and keeps none.  So what can be compared is the time until every order that matters was seen.  The model knows
much less than the kit does (it says itself what is left out), somebody has to keep it true, and making the checker,
which is not counted here, takes a C compiler.  With partial-order reduction Spin leaves out states as we leave out
orders; the figure without shows what that is worth.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

from benchmarks.measure import Figure, Peer, Size
from nvmelm_lab.errors import KitError
from nvmelm_lab.races import SCENARIOS, Explorer, Scenario
from nvmelm_lab.races.case import Case

MODEL = Path(__file__).with_name("migration.pml")
DEEPEST = 200_000
"""Steps of an execution of the model that the checker allows for."""

STATES = re.compile(r"^ *(\d+) states, stored", re.MULTILINE)
ERRORS = re.compile(r"errors: (\d+)")
PROBLEMS = ("search depth too small", "out of memory", "Search not completed")


@dataclass(frozen=True, slots=True)
class Checked:
    """What Spin says of the model: its states, the CPU seconds it took, and whether it found an error."""

    states: int
    seconds: float
    is_wrong: bool


def measure(size: Size) -> list[Figure]:
    """CPU seconds of our search, beside Spin with and without partial-order reduction."""
    scenario = scenario_of(size.commands)
    begin, found = process_time(), Explorer(Case(scenario).worlds()).run()
    seconds = process_time() - begin
    if found.failures:
        raise KitError(f"the reference VMM breaks a promise: {next(iter(found.failures))}")
    name = f"{size.commands} commands at once, all {found.executions:,} orders"
    return [
        Figure(name, seconds, "s", seconds, peer=_peer(size.commands, is_reduced=is_reduced))
        for is_reduced in (True, False)
    ]


def scenario_of(commands: int) -> Scenario:
    """What the model is a model of: its first `commands` commands, all under way at once."""
    (whole,) = (each for each in SCENARIOS if each.name == "3 commands, QD 3")
    guest = " ".join(whole.guest.split()[:commands])
    return replace(whole, guest=guest, depth=commands)


def is_installed() -> bool:
    """Whether Spin and the compiler that it needs can be run."""
    return all(shutil.which(each) for each in ("spin", "gcc"))


def check(commands: int, *defines: str, is_reduced: bool = True) -> Checked:
    """Have Spin check the model of so many commands, with these switches of the model."""
    with tempfile.TemporaryDirectory() as folder:
        _output(
            ["spin", "-a", f"-DCOMMANDS={commands}", *(f"-D{each}" for each in defines), str(MODEL)], folder
        )
        _output(
            ["gcc", "-O2", "-w", "-DSAFETY", *([] if is_reduced else ["-DNOREDUCE"]), "pan.c", "-o", "pan"],
            folder,
        )
        begin = os.times().children_user
        said = _output(["./pan", "-n", f"-m{DEEPEST}"], folder)
        seconds = os.times().children_user - begin
    states, errors = STATES.search(said), ERRORS.search(said)
    if states is None or errors is None:
        raise KitError(
            f"Spin says something else than how many states and errors there are: {said.strip()[:400]}"
        )
    is_wrong = errors.group(1) != "0"
    if not is_wrong and any(problem in said for problem in PROBLEMS):
        raise KitError(f"Spin did not check the model to its end: {said.strip()[:400]}")
    return Checked(int(states.group(1)), seconds, is_wrong)


def _peer(commands: int, *, is_reduced: bool) -> Peer:
    """Spin's own figure; none where it cannot be run."""
    way = "Spin" if is_reduced else "Spin without reduction"
    if not is_installed():
        return Peer(f"{way}: not installed", None)
    checked = check(commands, is_reduced=is_reduced)
    if checked.is_wrong:
        raise KitError("Spin finds the model of a right migration wrong")
    return Peer(f"{way}, {checked.states:,} states", checked.seconds)


def _output(command: Sequence[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KitError(
            f"{' '.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[:400]}"
        )
    return done.stdout

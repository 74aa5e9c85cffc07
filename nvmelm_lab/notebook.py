"""What a notebook imports: a migration to watch, one with knobs, and questions to think about first."""

import difflib
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views.bench import KNOBS, Bench
from nvmelm_lab.views.film import advanced, fitting, frame_at, model_of, model_so_far
from nvmelm_lab.views.player import Player
from nvmelm_lab.views.predict import predict

if TYPE_CHECKING:
    from nvmelm_lab.races.case import Case
    from nvmelm_lab.views.figures import Figure
    from nvmelm_lab.views.scheduler import Scheduler

__all__ = ["SMALL", "Bench", "Player", "bench", "predict", "rounds", "scheduler", "watch", "who_talks"]

SMALL: Final = MigrationRun(
    blocks=176,
    filled=64,
    workload="zipf",
    seed=7,
    writes_per_second=10_000,
    depth=4,
    granularity=8,
    queue_entries=32,
    copy_tasks=2,
    chunk=8,
    rounds=3,
    downtime_budget_ns=30_000,
    lead_ns=100_000,
    after=8,
    trace="full",
)
"""The small lab of the notebooks: a namespace that fits on a map of 16 x 11 cells, one LBA a cell."""

STEPS_AT_ONCE: Final = 1 << 16
"""Steps between two looks at whether a run is over."""


def watch(at: int | str = 0, **values: Any) -> Player:
    """Run one migration of the small lab, with any field of `MigrationRun` set by its name, and show its film.

    It opens at step `at` (from 0), or at the first step whose sentence has these words in it.  A run that is too long
    to be shown step by step is shown by its summary, and one that is interrupted as far as it came.  InputError for a
    field that there is not, a value without sense, or words that no step says.
    """
    run = start(fitting(_spec(values)))
    try:
        while run.outcome is None:
            run = advanced(run, STEPS_AT_ONCE)
        model = model_of(run.outcome)
    except KeyboardInterrupt:
        model = model_so_far(run)
    return Player(model, frame_at(model, at) if isinstance(at, str) else at)


def bench(*knobs: str, **values: Any) -> Bench:
    """A migration of the small lab with knobs around it: turn one, and it runs again.

    `knobs` names those that are wanted (all if none); `values` sets fields of `MigrationRun`, as for `watch`.
    """
    known = {knob.field: knob for knob in KNOBS}
    wanted = [known[_known("knob", name, known)] for name in knobs or known]
    return Bench(_spec(values), wanted)


def who_talks(phase: str | None = None, theme: str = "light") -> "Figure":
    """Who talks to whom in a phase of the migration, or who takes part if None; `theme` is ``light`` or ``dark``.

    InputError for a phase or theme that there is not.
    """
    from nvmelm_lab.views import topology

    return topology(_spec({}).lab(), phase, theme=theme)


def rounds(theme: str = "light", **values: Any) -> "Figure":
    """Run one migration of the small lab, with fields set as for `watch`, and show its copies and the stop rule.

    InputError for a field or theme that there is not, or a value without sense.
    """
    from nvmelm_lab.views import convergence

    return convergence(start(replace(_spec(values), trace="none")).finish(), theme=theme)


def scheduler(what: "str | Case" = "copy-before-logging") -> "Scheduler":
    """You are the scheduler: decide step by step who goes next, until a promise is broken.

    `what` is a defect of the catalogue, in the smallest scenario that shows it, or any case of the race search.  By
    default a guest writes one LBA while a VMM copies it before logging has started.  InputError for a defect that there
    is not.
    """
    from nvmelm_lab.races.case import Case
    from nvmelm_lab.races.catalogue import defect
    from nvmelm_lab.views.scheduler import Scheduler

    if isinstance(what, str):
        wrong = defect(what)
        scenario = next(each for each in wrong.climbs if each.name == wrong.rung)
        return Scheduler(Case(scenario, defect=what), wrong.property)
    return Scheduler(what, defect(what.defect).property if what.defect else "no write lost")


def _spec(values: dict[str, Any]) -> MigrationRun:
    own = {field.name: getattr(SMALL, field.name) for field in fields(SMALL)}
    return MigrationRun(**own | {_known("field", name, own): value for name, value in values.items()})


def _known(what: str, name: str, known: Iterable[str]) -> str:
    """The name itself when it is one of those known; else InputError, with the one that was meant."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
    raise InputError(f"there is no {what} {name!r}; {hint}")

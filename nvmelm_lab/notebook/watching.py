"""A migration of the small lab: to watch, with knobs around it, and as figures."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from nvmelm_lab.notebook.names import known_or_near
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views.bench import KNOBS, Bench
from nvmelm_lab.views.film import advanced, fitting, frame_at, model_of, model_so_far
from nvmelm_lab.views.player import Player

if TYPE_CHECKING:
    from nvmelm_lab.views.figures import Figure

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
    run = start(fitting(spec(values)))
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
    wanted = [known[known_or_near("knob", name, known)] for name in knobs or known]
    return Bench(spec(values), wanted)


def who_talks(phase: str | None = None, theme: str = "light") -> "Figure":
    """Who talks to whom in a phase of the migration, or who takes part if None; `theme` is ``light`` or ``dark``.

    InputError for a phase or theme that there is not.
    """
    from nvmelm_lab.views import topology

    return topology(spec({}).lab(), phase, theme=theme)


def rounds(theme: str = "light", **values: Any) -> "Figure":
    """Run one migration of the small lab, with fields set as for `watch`, and show its copies and the stop rule.

    InputError for a field or theme that there is not, or a value without sense.
    """
    from nvmelm_lab.views import convergence

    return convergence(start(replace(spec(values), trace="none")).finish(), theme=theme)


def spec(values: dict[str, Any]) -> MigrationRun:
    """`SMALL` with some fields set by name.  InputError for a field that there is not."""
    own = {field.name: getattr(SMALL, field.name) for field in fields(SMALL)}
    return MigrationRun(**own | {known_or_near("field", name, own): value for name, value in values.items()})

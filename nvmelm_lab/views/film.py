"""A run as a film: its trace or its summary, its seed and its verdict, in a player.

A film is made of a full trace where the run fits into one, else of a summary.
"""

from dataclasses import replace
from typing import Final

from nvmelm_lab.engine import Summary, Trace, TraceFull
from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, Outcome, Run, start
from nvmelm_lab.runs.spec import check
from nvmelm_lab.views.frames import About, player_model
from nvmelm_lab.views.model import PlayerModel, unit_of
from nvmelm_lab.views.summary_film import summary_model

MOST_COPIED: Final = 4096
"""LBAs that the first copy may have for a full trace to be worth a try; one of more takes too many steps as a rule."""


def fitting(spec: MigrationRun) -> MigrationRun:
    """The run itself, or the same with a summary where it is likely that a full trace cannot hold it.

    InputError when the run makes no sense.
    """
    check(spec)
    copied = spec.blocks if spec.whole_namespace else spec.lab().guests[0].filled
    return replace(spec, trace="summary") if spec.trace == "full" and copied > MOST_COPIED else spec


def advanced(run: Run, budget: int) -> Run:
    """The run, up to `budget` steps on; or begun anew with a summary, when it was too long for its full trace.

    What was to end early ends early then, too.
    """
    try:
        run.advance(budget)
    except TraceFull:
        anew = start(replace(run.spec, trace="summary"))
        if run.method.move.is_cancelled:
            anew.cancel()
        return anew
    return run


def model_of(outcome: Outcome) -> PlayerModel:
    """The player's model of a run that is over.  InputError when it left neither a trace nor a summary."""
    holds = {each.name: each.holds for each in outcome.verdict.properties}
    about = About(title=_title(outcome.run), seed=outcome.run.seed, token=outcome.token, holds=holds)
    return _model(outcome.trace, outcome.summary, about)


def model_so_far(run: Run) -> PlayerModel:
    """The player's model of as much of a run as there is: nobody has judged it, and it has no token."""
    about = About(title=f"{_title(run.spec)}, interrupted", seed=run.spec.seed)
    return _model(run.trace, run.summary, about)


def _model(trace: Trace | None, summary: Summary | None, about: About) -> PlayerModel:
    if summary is not None:
        return summary_model(summary, about)
    if trace is not None:
        return player_model(trace, about)
    raise InputError('this run has no trace to show; make it with trace="full" or trace="summary"')


def frame_at(model: PlayerModel, words: str) -> int:
    """The first frame (from 0) whose sentence or note has `words` in it.  InputError when none has."""
    for index, step in enumerate(model["steps"]):
        if words in step["text"] or words in step.get("note", ""):
            return index
    unit = unit_of(model)
    raise InputError(f"no {unit} of this run says {words!r}; give words as the player's sentences have them")


def _title(spec: MigrationRun) -> str:
    return f"A migration of {spec.workload}"

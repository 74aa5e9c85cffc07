"""A run that is over, as a film: its trace, its seed and its verdict, in a player."""

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import Outcome
from nvmelm_lab.views.frames import About, player_model
from nvmelm_lab.views.model import PlayerModel
from nvmelm_lab.views.player import Player


def model_of(outcome: Outcome) -> PlayerModel:
    """The player's model of a run.  InputError when the run was made without a trace."""
    if outcome.trace is None:
        raise InputError('this run has no trace to show; make it with trace="full"')
    about = About(
        title=f"A migration of {outcome.run.workload}",
        seed=outcome.run.seed,
        token=outcome.token,
        holds={each.name: each.holds for each in outcome.verdict.properties},
    )
    return player_model(outcome.trace, about)


def film(outcome: Outcome, step: int = 0) -> Player:
    """The run to be watched, opened at frame `step` (from 0)."""
    return Player(model_of(outcome), step)

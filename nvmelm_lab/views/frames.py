"""From a full trace to the player's model: what a learner sees of a run, step by step.

A trace holds every step of every actor.  What waits, what only prepares its actor's next step and what the
neighbours do is folded away; what is left is a frame each: who did what, why, and what it changed.  Nothing
here looks into a lab: the trace says all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nvmelm_lab.engine import Trace
from nvmelm_lab.nvme import LAYOUTS, as_plain
from nvmelm_lab.runs.roles import roles_of
from nvmelm_lab.runs.stakes import NAMES
from nvmelm_lab.views import stakes
from nvmelm_lab.views.lanes import lanes
from nvmelm_lab.views.model import PHASES, VERSION, Field, Layout, Phase, PlayerModel, Step
from nvmelm_lab.views.reel import Reel
from nvmelm_lab.views.scenes import Scenes

FEWEST_SLOTS: Final = 2
"""Of the queue that the player draws where there was none."""


@dataclass(frozen=True, slots=True)
class About:
    """What a trace does not say of its run.

    guest, nsid
        Who is looked at, and which of its namespaces (None: its first).
    seed, token
        From which the run can be had again.
    holds
        The oracle's verdict: property -> whether it held; empty when nobody judged.
    """

    guest: str = "guest"
    nsid: int | None = None
    title: str = "One live migration"
    seed: int = 0
    token: str = ""
    holds: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frames:
    """A run as the player shows it: the `model`, and for each step of the trace the index of the model's step
    that it belongs to (-1: it belongs to a neighbour).
    """

    model: PlayerModel
    frame_of: list[int]


def frames(trace: Trace, about: About | None = None) -> Frames:
    """The player's view of a run, from its full trace.

    Raises InputError when the trace does not introduce its lab, or not the guest.
    """
    about = about if about is not None else About()
    roles = roles_of(trace.steps[0].effects if trace.steps else (), about.guest, about.nsid)
    timed = all(record.time >= 0 for record in trace.steps)
    reel = Reel(timed=timed)
    scenes = Scenes(roles, reel)
    source: list[list[int]] = scenes.events.follower.content.news()[0]
    for record in trace.steps:
        scenes.play(record)
    _end(scenes, about.holds)
    events = scenes.events
    model: PlayerModel = {
        "version": VERSION,
        "title": about.title,
        "seed": about.seed,
        "token": about.token,
        "timed": timed,
        "lba_bytes": roles.block_bytes,
        "blocks": roles.blocks,
        "cell_lbas": 1,
        "queue": {"slots": events.follower.slots or FEWEST_SLOTS, "cdqid": events.follower.cdqid},
        "phases": phases_begun(scenes.phases, len(reel.frames)),
        "lanes": lanes(roles),
        "source": {"name": f"Source · NS of {roles.here}", "start": source},
        "destination": {"name": f"Destination · NS of {roles.there}", "start": []},
        "properties": stakes.judged_by(about.holds),
        "layouts": _layouts(reel.frames),
        "steps": reel.frames,
    }
    return Frames(model, reel.frame_of_each())


def player_model(trace: Trace, about: About | None = None) -> PlayerModel:
    """The player's model of a run; see `frames`."""
    return frames(trace, about).model


def _end(scenes: Scenes, holds: Mapping[str, bool]) -> None:
    """Let the last frame say what was found in the end."""
    if not scenes.reel.frames:
        return
    last, told = scenes.reel.frames[-1], scenes.events.stakes
    told.end(holds)
    beyond = [news for news in stakes.found(holds) if int(news[0]) >= len(NAMES)]
    verdicts = [*last.get("verdicts", ()), *told.news(), *beyond]
    if verdicts:
        last["verdicts"] = verdicts


def phases_begun(entered: Mapping[str, int], steps: int) -> list[Phase]:
    """The eight phases; one that was entered out of order, as after a failure, was not begun."""
    found: list[Phase] = []
    latest = 0
    for name in PHASES:
        first = entered.get(name)
        if first is not None and latest <= first < steps:
            latest = first
        else:
            first = None
        found.append({"name": name, "first": first})
    return found


def _layouts(steps: list[Step]) -> dict[str, Layout]:
    """The layouts of the structures that the frames carry."""
    names = {str(raw[0]) for step in steps if (raw := step.get("bytes")) is not None}
    return {name: _layout(name) for name in sorted(names)}


def _layout(name: str) -> Layout:
    plain = as_plain(LAYOUTS[name])
    wanted = Field.__annotations__
    fields = [{key: each[key] for key in wanted if key in each} for each in plain["fields"]]  # type: ignore[attr-defined]
    return {"size": plain["size"], "fields": fields}  # type: ignore[typeddict-item]

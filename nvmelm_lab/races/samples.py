"""Samples: random ways to go on at points of choice, which find most mistakes long before every order was tried.

Each is a `Pick` of a walk, so the order that it took can be taken again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.races.walk import Pick, actor_of

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor


def at_random(seed: int) -> Pick:
    """Each decision that can be taken is as likely as the others."""
    draw = stream(seed, "races/random").randrange

    def pick(able: Mapping[str, Actor], last: str) -> str:
        return list(able)[draw(len(able))]

    return pick


def by_priority(seed: int, *, depth: int, points: int) -> Pick:
    """PCT, counted in points of choice: random priorities, lowered at `depth` - 1 random ones of `points`.

    See `nvmelm_lab.engine.PCT`.  Here local steps are no points, so that runs are short and the chance to meet a
    mistake is high.
    """
    random = stream(seed, "races/pct")
    moments = {random.randrange(points): -1 - n for n in range(depth - 1)}
    priority: dict[str, int] = {}
    taken = 0

    def first(able: Mapping[str, Actor]) -> str:
        return max({actor_of(decision) for decision in able}, key=lambda name: (priority[name], name))

    def pick(able: Mapping[str, Actor], last: str) -> str:
        nonlocal taken
        for decision in able:
            if actor_of(decision) not in priority:
                priority[actor_of(decision)] = random.getrandbits(32)
        chosen = first(able)
        lowered = moments.get(taken)
        if lowered is not None:
            priority[chosen] = lowered
            chosen = first(able)
        taken += 1
        options = [decision for decision in able if actor_of(decision) == chosen]
        return options[random.randrange(len(options))] if len(options) > 1 else options[0]

    return pick

"""One migration again and again, with one knob at another position each time."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.methods import SAME_GUEST
from nvmelm_lab.runs import MigrationRun, Outcome, start

MOST: Final = 9
"""Positions at most: each is a whole run, and a panel of a figure."""

NUMBERS: Final = frozenset(
    each.name
    for each in fields(MigrationRun)
    if isinstance(getattr(SAME_GUEST, each.name), int)
    and not isinstance(getattr(SAME_GUEST, each.name), bool)
)
"""Fields that can be swept."""


def swept(field: str, values: Sequence[int], spec: MigrationRun = SAME_GUEST) -> tuple[Outcome, ...]:
    """What comes of `spec` with each of the values in `field`, in their order.

    InputError for a field that is no number, for no values or too many, and for a run that makes no sense.
    """
    if field not in NUMBERS:
        raise InputError(f"{field!r} is no knob to sweep; there are: {', '.join(sorted(NUMBERS))}")
    if not 1 <= len(values) <= MOST:
        raise InputError(f"{len(values)} values of {field}: give 1 to {MOST}")
    positions: list[dict[str, Any]] = [{field: value} for value in values]
    return tuple(start(replace(spec, **position)).finish() for position in positions)

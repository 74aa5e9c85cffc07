"""A counterexample as one line of text, and back: the case with all that it needs, and the order.

A learner's code is carried, not only its hash: it is small, and whoever gets the token can look at it.
"""

from __future__ import annotations

from collections.abc import Sequence

from nvmelm_lab import __version__
from nvmelm_lab.engine import Token, decode_token, encode_token
from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case

_SORT = "race"


def encode(case: Case, order: Sequence[str]) -> str:
    """The execution of `case` in this order, as one line of text without spaces."""
    return encode_token(Token(__version__, case.plain(), [_SORT, *order]))


def decode(text: str) -> tuple[Case, tuple[str, ...]]:
    """The case and the order that a token stands for.

    InputError when the token is damaged, of another version of the kit, or stands for something else; for what the
    case names and this kit does not have, such as a defect, when its world is made.
    """
    found = decode_token(text, kit=__version__)
    match found.schedule:
        case [str(sort), *order] if sort == _SORT and all(isinstance(each, str) for each in order):
            return Case.from_plain(found.scenario), tuple(order)
    raise InputError(
        "this token is not one of the race search; give one that nvmelm races find, or the scheduler, printed"
    )

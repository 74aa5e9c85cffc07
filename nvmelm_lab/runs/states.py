"""What is known of an LBA on one side of a migration, and which of it is worst to overlook.

Films and summaries mean the same by these states; what they are made of is in `content.py`, what they look like
is the business of views.
"""

from enum import IntEnum
from typing import Final


class State(IntEnum):
    """What is known of one LBA on one side; the word for each is in `views/model.py`."""

    DEALLOCATED = 0
    MAPPED = 1
    CHANGED = 2
    COPYING = 3
    EQUAL = 4
    LOST = 5
    UNREADABLE = 6


# The worst state of a cell wins: what a learner must not overlook ranks highest.  A destination LBA that is
# still deallocated although its source holds data ranks just above "equal": see `MISSING`.
RANK: Final = (0, 2, 4, 3, 1, 6, 5)

MISSING: Final = len(State)
"""Stands, among the states of LBAs, for deallocated at the destination only; to people it is deallocated.

It ranks above equal, so that a half-copied tile never looks finished.
"""

WORST_FIRST: Final = tuple(
    sorted(
        (*map(int, State), MISSING), key=lambda state: 1.5 if state == MISSING else RANK[state], reverse=True
    )
)
"""The states of LBAs from that which most decides what its tile shows."""

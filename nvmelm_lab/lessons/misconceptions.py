"""What people believe of live migration and is not so.  Each is met in a question or an exercise of the course.

Questions and exercises name them by their number, which never changes.  No question belongs here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Misconception:
    """One of them: its number `id`, what is believed, and what is so."""

    id: int
    belief: str
    truth: str


_ALL: Final = (
    Misconception(
        1,
        "Once Track Send is submitted, everything that changes is logged.",
        "Only the completion of Track Send promises that. A write between the two may be told by no entry.",
    ),
    Misconception(
        2,
        "The Migration Queue also tells what was written before logging started.",
        "It tells only what changes from then on. All that was there before is the initial copy's to bring over.",
    ),
    Misconception(
        3,
        "An entry of the Migration Queue carries the data, or the version that the blocks had at that moment.",
        "It only names LBAs. The VMM reads the blocks later, and gets what they hold by then.",
    ),
    Misconception(
        4,
        "Each write has an entry of its own, and the entries come in the order of the writes.",
        "The SSD may tell several writes in one entry, and one write in several. What an entry says is that these "
        "LBAs have changed, not how often and not in which order.",
    ),
    Misconception(
        5,
        "A write's entry is always posted before its completion (or always after it).",
        "The standard leaves that order open; only the effect on the block always comes before the entry.",
    ),
    Misconception(
        6,
        "When the Migration Queue is empty, source and destination are equal.",
        "A write may have changed its block while its entry is still to come. Only the marker that says that the "
        "controller is suspended has nothing behind it.",
    ),
    Misconception(
        7,
        "Suspend aborts the commands in flight, or empties the rings of the guest.",
        "Every command that was fetched is completed, well or with an error. What was not fetched stays in its "
        "Submission Queue, and completions that nobody has read yet stay in theirs.",
    ),
    Misconception(
        8,
        "A full Migration Queue slows the guest down, or logging goes on as soon as the head moves.",
        "The guest goes on at full speed and logging stops. The VMM has to start it again, and to take every block "
        "for changed.",
    ),
    Misconception(
        9,
        "A block reported as mapped holds data that can be read, and the destination needs the same granularity.",
        "Mapped is anything but deallocated: a block that cannot be read is mapped, too, and so is an empty one in "
        "a granule that is not. The granularity is the source's own affair.",
    ),
    Misconception(
        10,
        "The head may be moved, and a changed block be crossed off, at any time.",
        "The head says that the SSD may fill those slots again: first read the entries. A block is crossed off "
        "before it is read, for a change during the read must count again.",
    ),
    Misconception(
        11,
        "The state of the controller includes the blocks of the namespace and the memory of the guest.",
        "It tells of the controller's queues: where they lie and how far they are. Blocks and memory are moved on "
        "ways of their own.",
    ),
    Misconception(
        12,
        "One more round always makes the downtime shorter; and once it is suspended, the source is of no more use.",
        "Where the guest changes blocks faster than they are copied, a round gains nothing. And until the guest "
        "runs at the destination, the source is the way back.",
    ),
)

MISCONCEPTIONS: Final[Mapping[int, Misconception]] = {each.id: each for each in _ALL}
"""All of them, by number."""

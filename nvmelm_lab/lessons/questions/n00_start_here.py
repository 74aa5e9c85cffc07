"""What notebook 00 asks: how long the guest stands still, and what three knobs do."""

from collections.abc import Mapping
from typing import Final

from nvmelm_lab.lessons.question import Option, Question

PREDICTIONS: Final[Mapping[str, Question]] = {
    "00 downtime": Question(
        "The guest goes on writing while it is moved. For how much of the move will it have to stand still?",
        (
            Option("For all of it: nobody may write while blocks are being copied"),
            Option("For about an eighth of it"),
            Option("Not at all"),
        ),
        1,
        "Most blocks are copied while the guest runs. It stands still only for the rest: the blocks that changed "
        "last, a page or two of memory, and the state of its controller. Not standing still at all is "
        "impossible: whatever is copied last must not change any more.",
    ),
    "00 write rate": Question(
        "Four times as many writes a second, 40 000 for 10 000. How much longer does the guest stand still?",
        (
            Option("Not longer: a few more rounds of copying make up for it", 12),
            Option("About four times as long"),
            Option("More than five times as long"),
        ),
        2,
        "More writes change more blocks, and that counts twice: a round with more to copy takes longer, so "
        "still more has changed when it ends. Look at the orange cells: at this rate the rounds do not shrink any "
        "more, and it is the limit on their number that ends them.",
    ),
    "00 granularity": Question(
        "The SSD tells what is allocated in granules of 64 LBAs instead of 8. What is there more to copy in?",
        (
            Option("Mostly the initial copy"),
            Option("Every round: each changed LBA brings its whole granule along"),
            Option("Nothing: only the list of ranges gets shorter, for mapped blocks are those with data", 9),
        ),
        0,
        "A granule counts as allocated as soon as one of its LBAs is, so the initial copy carries empty LBAs too. "
        "The entries of the Migration Queue name the very LBAs that changed, whatever the granularity. The rounds "
        "grow a little all the same: a longer initial copy leaves the guest more time to write.",
    ),
    "00 queue full": Question(
        "A Migration Queue of 4 slots. What happens when it is full and the guest goes on writing?",
        (
            Option("The guest has to wait until the VMM has read some entries", 8),
            Option("New entries take the place of the oldest"),
            Option("The SSD stops logging, and the VMM has to start over"),
        ),
        2,
        "One slot always stays empty, so 4 slots hold 3 entries. The entry that fills the queue says so, and with "
        "it logging ends: the guest is never slowed down, and later writes are told to nobody. The VMM starts "
        "logging again and treats everything as changed. Compare the LBAs copied.",
    ),
}

CHECKS: Final[Mapping[str, Question]] = {
    "00 no waiting": Question(
        "A VMM submits Track Send and begins to copy at once, without waiting for its completion. What of it?",
        (
            Option("Nothing: commands are carried out in the order in which they were submitted", 1),
            Option("A write can get lost: one after its block was read and before logging began"),
            Option("The first copies are a little slower"),
        ),
        1,
        "Such a write is in no copy, and no entry tells of it: nobody will ever copy it. Only the completion of "
        "Track Send promises that all that changes from then on is logged. So: start logging, wait for it, and "
        "only then read the first block.",
    ),
    "00 in an entry": Question(
        "What does an entry of the Migration Queue carry?",
        (
            Option("The data that the guest wrote", 3),
            Option("The LBAs that changed"),
            Option("The LBAs that changed, and the version that they had then", 3),
        ),
        1,
        "Only which LBAs changed. The VMM reads the blocks themselves, later, and gets what they hold by then: "
        "perhaps a newer version than the one that the entry was posted for.",
    ),
    "00 empty queue": Question(
        "The guest runs. The VMM looks into the Migration Queue and finds it empty. Are both sides equal now?",
        (
            Option("Yes: every change has been read", 6),
            Option("Not for sure: a write may have taken effect whose entry is not posted yet"),
            Option("No: an empty queue means that logging has stopped"),
        ),
        1,
        "There is a moment between the two, and you have seen it: executed, its entry is not posted yet. So "
        "the VMM first suspends the controller, and then reads entries up to the marker that says so: behind it "
        "comes nothing any more.",
    ),
}

"""The freedoms that the standard leaves an SSD, in one numbered table.

A *habit* is chosen once a run (`Habits`); a *timing* is a choice made in place, step by step.  The first option
of each is what an SSD of the kit does unless told otherwise.  Nothing else in the kit decides such a question.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from nvmelm_lab.errors import InputError


@dataclass(frozen=True, slots=True)
class Freedom:
    """One row: its number, its name (a field of `Habits`), its options, and where the standard leaves it open."""

    number: int
    name: str
    scope: Literal["habit", "timing"]
    options: tuple[str, ...]
    question: str
    source: str


FREEDOMS = (
    Freedom(
        1,
        "first_entry",
        "habit",
        ("with the first change", "marker at once"),
        "Does the entry with ESA 001b carry the first change, or is it posted alone when logging starts?",
        "NVM Command Set 1.2, section 5.6 (ESA 001b, LBACIR 10b); Base 2.1, section 5.1.27.1.1",
    ),
    Freedom(
        2,
        "entry_order",
        "timing",
        ("entry first", "completion first"),
        "Is the entry of a change posted before the completion of the command that made it, or after?",
        "NVM Command Set 1.2, section 5.6 (an entry may precede the command's completion)",
    ),
    Freedom(
        3,
        "deallocation_flag",
        "habit",
        ("flagged", "as a change"),
        "Does the entry of a deallocation say so (DLBA 1), or only that the blocks changed (DLBA 0)?",
        "NVM Command Set 1.2, section 5.6 (DLBA 0 covers written or deallocated)",
    ),
    Freedom(
        4,
        "no_change",
        "habit",
        ("logged", "not logged"),
        "Is a request that left its blocks as they were (deallocating what is deallocated) logged?",
        "NVM Command Set 1.2, section 5.6",
    ),
    Freedom(
        5,
        "ranges",
        "habit",
        ("an entry each", "merged"),
        "Do the ranges of one Dataset Management command that follow each other share one entry?",
        "NVM Command Set 1.2, section 5.6 (aggregation)",
    ),
    Freedom(
        6,
        "start_logging",
        "habit",
        ("at once", "after commands in flight"),
        "Does Track Send wait for the commands in flight before it completes, or log from now on?",
        "Base 2.1, section 5.1.27.1.1; the talk says that all prior commands in flight have finished",
    ),
    Freedom(
        7,
        "reset_resumes",
        "habit",
        ("either controller", "own controller"),
        "Which Controller Level Reset ends a suspension: also that of the controller that processed the Suspend?",
        "Base 2.1, section 5.1.17.1.1 against section 8.1.12",
    ),
    Freedom(
        8,
        "queue_limit",
        "habit",
        ("Not Enough Resources", "Invalid Field"),
        "Which status ends the creation of one User Data Migration Queue too many?",
        "Base 2.1, section 5.1.4.1.1.1 against section 5.1.4.1.1",
    ),
    Freedom(
        9,
        "tracking_resources",
        "habit",
        ("ample", "scarce"),
        "How many granules of host memory can be told apart before Track Send ends with Not Enough Resources?",
        "Base 2.1, section 5.1.27.1.2 (MRTG and NMRTD in the completion say what is possible)",
    ),
    Freedom(
        10,
        "tracking_lengths",
        "habit",
        ("any", "powers of two"),
        "Which lengths can a tracked range of host memory have?",
        "Base 2.1, section 5.1.13.2.1, Figure 312 (TRATTR.MRTLL); section 5.1.27.1.2",
    ),
    Freedom(
        11,
        "tracking_report",
        "habit",
        ("as asked for", "coarser"),
        "Which granularity has a report of memory changes: the one that was asked for, or a coarser one?",
        "Base 2.1, section 5.1.26, Figure 460 (RPMPG is the granularity of that very report)",
    ),
    Freedom(
        12,
        "abort",
        "habit",
        ("what is not executed", "never"),
        "Does Abort end a command that was fetched and not executed yet, or is it only ever noted?",
        "Base 2.1, section 5.1.1 (Abort is best effort)",
    ),
    Freedom(
        13,
        "whole_namespace",
        "habit",
        ("a range", "all LBs"),
        "Does an entry about a whole namespace give its range, or say that all LBs changed, where its ESA allows?",
        "NVM Command Set 1.2, section 5.6 (LBACIR 01b; with ESA 000b it must be 00b)",
    ),
    Freedom(
        14,
        "scan_result",
        "habit",
        ("tracked", "forgotten"),
        "Is an unreadable LBA that a scan has found (Get LBA Status 10h) tracked from then on, for 11h to tell of?",
        "NVM Command Set 1.2, section 4.2.1.1.2 (Untracked LBAs may be added to the Tracked LBA list or discarded)",
    ),
    Freedom(
        15,
        "suspend_marker",
        "habit",
        ("before the completion", "after the completion"),
        "Is the entry with ESA 011b in memory when a Suspend completes that does not delete the queue?",
        "Base 2.1, section 5.1.17.1.1 (at a vendor specific time) against section 8.1.12.1, step 4",
    ),
    Freedom(
        16,
        "stop_marker",
        "habit",
        ("before the completion", "after the completion"),
        "Is the entry with ESA 010b in memory when the Track Send that stops logging completes?",
        "NVM Command Set 1.2, section 5.6; Base 2.1, section 5.1.27.1.1",
    ),
    Freedom(
        17,
        "queue_identifiers",
        "habit",
        ("lowest free", "counting on"),
        "Which identifier does a new Migration Queue get: the lowest that is free, or one after the other from 1?",
        "Base 2.1, section 5.1.4 (unique within the controller, nothing more)",
    ),
    Freedom(
        18,
        "lba_status_end",
        "habit",
        ("told", "not told"),
        "Does Get LBA Status say whether its list is complete (CMPC 1 or 2), or nothing of it (CMPC 0)?",
        "NVM Command Set 1.2, section 4.2.1.2, Figure 131",
    ),
    Freedom(
        19,
        "queue_feature",
        "habit",
        ("512 bytes", "8 bytes"),
        "How much does Get Features 21h transfer: the whole structure, or as much of it as is not reserved?",
        "Base 2.1, section 5.1.25.1.23; widespread host software brings a buffer of 8 bytes",
    ),
    Freedom(
        20,
        "do_not_retry",
        "habit",
        ("set", "clear"),
        "Do completions with an error say that the same command would fail again (DNR)?",
        "Base 2.1, section 4.2.3 (Do Not Retry)",
    ),
    Freedom(
        21,
        "aggregation",
        "habit",
        ("an entry a command", "several commands"),
        "Do changes of several commands that follow each other share an entry, where both wait to be told of?",
        "NVM Command Set 1.2, section 5.6 (aggregation)",
    ),
)


@dataclass(frozen=True, slots=True)
class Habits:
    """What an SSD does wherever the standard leaves it a choice; one field a row of `FREEDOMS`.

    `entry_order` is a timing: given here it is fixed for the run; ``"open"`` leaves it to the schedule each time.
    """

    first_entry: str = "with the first change"
    entry_order: str = "entry first"
    deallocation_flag: str = "flagged"
    no_change: str = "logged"
    ranges: str = "an entry each"
    start_logging: str = "at once"
    reset_resumes: str = "either controller"
    queue_limit: str = "Not Enough Resources"
    tracking_resources: str = "ample"
    tracking_lengths: str = "any"
    tracking_report: str = "as asked for"
    abort: str = "what is not executed"
    whole_namespace: str = "a range"
    scan_result: str = "tracked"
    suspend_marker: str = "before the completion"
    stop_marker: str = "before the completion"
    queue_identifiers: str = "lowest free"
    lba_status_end: str = "told"
    queue_feature: str = "512 bytes"
    do_not_retry: str = "set"
    aggregation: str = "an entry a command"

    def __post_init__(self) -> None:
        """Refuse an option that the table does not have."""
        for freedom in FREEDOMS:
            value = getattr(self, freedom.name)
            allowed = freedom.options + (("open",) if freedom.scope == "timing" else ())
            if value not in allowed:
                raise InputError(
                    f"freedom {freedom.name} cannot be {value!r}; its options: {', '.join(allowed)}"
                )

    def plain(self) -> dict[str, Any]:
        """The habits that differ from the kit's own, for tokens."""
        own = Habits()
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != getattr(own, f.name)
        }

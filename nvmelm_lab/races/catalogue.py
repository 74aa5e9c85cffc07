"""The catalogue of defects: wrong VMMs, wrong firmware and missing safeguards, one deviation from what is right each.

Here is what each is called, breaks and looks like; what it does is in `nvmelm_lab.races.defects`.  `docs/races.md`
shows all of it, and a test holds on which rungs each is found and on which it is proven absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.defects import safeguards as guards
from nvmelm_lab.races.defects import vmm_copying as copying
from nvmelm_lab.races.defects import vmm_ending as ending
from nvmelm_lab.races.defects import vmm_queue as queue
from nvmelm_lab.races.defects.defect import Defect, property_of
from nvmelm_lab.races.defects.firmware_allocation import ClearsFromFirstGranule, MissesLastGranule
from nvmelm_lab.races.defects.firmware_log import (
    DecidesAtFetch,
    FlagsWithoutLooking,
    LogsDataOnly,
    LosesRangesBetween,
    TellsBeforeItWrites,
)
from nvmelm_lab.races.defects.firmware_queue import LogsOnAfterFull, MarksPastTheEnd
from nvmelm_lab.races.defects.firmware_suspend import (
    AwaitsCompletionsOnly,
    AwaitsTheGuest,
    CountsCompletions,
    DoesNotDrain,
)
from nvmelm_lab.races.ladder import BEFORE, CANCELLED, SHARED
from nvmelm_lab.races.learner import vmm_of
from nvmelm_lab.races.scenario import reference
from nvmelm_lab.ssd import Habits, Parts

__all__ = ["DEFECTS", "Defect", "defect", "property_of"]

AUTHENTIC = (
    "Found by reading a public research emulation of the command set, never by running it, and not confirmed with its "
    "maintainers."
)
LAST = Habits(entry_order="completion first")

START = "Pre-Copy Phase: Start Logging"
PREPARE = "Pre-Copy Phase: Destination Preparation"
FIRST = "Pre-Copy Phase: Initial NS Migration"
ITERATE = "Pre-Copy Phase: Iterative Data Copy"
SUSPEND = "Suspend and Copy Phase: Suspend"
STATE = "Post-Copy Phase: Copy Final Data and Migrate Controller State"
SYSTEM = "An Example System Set-up"

_VMMS = (
    Defect(
        "copy-before-logging",
        "VMM",
        "The first copy is made before logging starts.",
        "no write lost",
        "A write between the Read of its LBA for the copy and Track Send: no entry tells of it.",
        START,
        vmm=vmm_of(copying.copies_before_logging),
    ),
    Defect(
        "copy-while-logging-starts",
        "VMM",
        "The first copy does not wait until Track Send has completed.",
        "no write lost",
        "A Read for the copy that overtakes Track Send, and a write between the two.",
        START,
        vmm=vmm_of(copying.copies_while_logging_starts),
    ),
    Defect(
        "no-last-drain",
        "VMM",
        "What the Migration Queue tells after the Suspend is not copied.",
        "no write lost",
        "An entry that nobody consumes: it was posted behind the last look at the queue.",
        SUSPEND,
        vmm=vmm_of(ending.forgets_the_last_drain),
    ),
    Defect(
        "empty-taken-for-clean",
        "VMM",
        "The VM stands still and the queue is empty, so nothing more is drained after the Suspend.",
        "no write lost",
        "A command that the controller fetches or executes after the queue was found empty: a paused VM's go on.",
        SUSPEND,
        vmm=vmm_of(ending.drains_before_the_suspend),
    ),
    Defect(
        "completion-taken-for-entry",
        "VMM",
        "All commands have completed, so all entries are taken to be posted.",
        "no write lost",
        "The entry that comes after its command's completion, when the VMM has found the queue empty.",
        ITERATE,
        AUTHENTIC
        + " There the entry follows the completion, which the standard allows: the defect is the VMM's.",
        LAST,
        vmm=vmm_of(ending.takes_a_completion_for_an_entry),
    ),
    Defect(
        "state-before-suspend",
        "VMM",
        "The controller's state is taken before the controller is suspended.",
        "each command once",
        "A head or tail that moves after Get Controller State: the destination goes on from the old one.",
        STATE,
        vmm=vmm_of(ending.gets_the_state_before_the_suspend),
    ),
    Defect(
        "pause-last",
        "VMM",
        "The controller is suspended and its state taken while the VM still runs; the VM is paused last.",
        "each command once",
        "A doorbell that the VM rings after Get Controller State: the destination never hears of it.",
        STATE,
        vmm=vmm_of(ending.pauses_the_vm_last),
    ),
    Defect(
        "rings-copied-while-running",
        "VMM",
        "Guest memory is copied while the vCPUs run, and its rings not again.",
        "each command once",
        "A submission or completion written to its ring after the memory went over: the other host has the old slot.",
        STATE,
        vmm=vmm_of(ending.copies_memory_before_the_pause),
    ),
    Defect(
        "resume-before-last-copy",
        "VMM",
        "The VM runs at the destination before the last changes are copied there.",
        "no write lost",
        "Two writers of one LBA at the destination: the VM, and behind it the copy of something older.",
        STATE,
        vmm=vmm_of(ending.resumes_before_the_last_copy),
    ),
    Defect(
        "both-resumed",
        "VMM",
        "The source's controller is resumed as well as the destination's.",
        "one controller runs",
        "Two controllers that fetch for one VM: Y resumes, and so does H.",
        STATE,
        vmm=vmm_of(ending.resumes_both),
    ),
    Defect(
        "never-suspended",
        "VMM",
        "The VM is paused, but its controller at the source is never suspended.",
        "one controller runs",
        "Y fetches and completes while H resumes: pausing a VM stops no controller.",
        SUSPEND,
        vmm=vmm_of(ending.never_suspends),
    ),
    Defect(
        "deallocations-ignored",
        "VMM",
        "Entries that tell of a deallocation are passed over.",
        "nothing revived",
        "An entry with DLBA 1 behind which nothing happens: the destination keeps the old data.",
        ITERATE,
        vmm=vmm_of(copying.ignores_deallocations),
    ),
    Defect(
        "copies-not-joined",
        "VMM",
        "A block is copied again while an earlier copy of it may be under way.",
        "no write lost",
        "Two copies of one LBA: the Write of the older lands last.",
        ITERATE,
        vmm=vmm_of(copying.does_not_join_its_copies),
    ),
    Defect(
        "marks-cleared-after-copy",
        "VMM",
        "Marks of changed blocks are cleared when their copy has ended, and not before it begins.",
        "no write lost",
        "An entry that is consumed while its LBA is being copied, and forgotten with the others.",
        ITERATE,
        vmm=vmm_of(copying.forgets_after_copying),
    ),
    Defect(
        "head-before-reading",
        "VMM",
        "The head of the Migration Queue is moved before the entries are read.",
        "nothing revived",
        "A slot that is given back and written again before the VMM has read it.",
        ITERATE,
        vmm=vmm_of(queue.gives_entries_back_unread),
    ),
    Defect(
        "overflow-ignored",
        "VMM",
        "A queue that was full is drained like any other.",
        "no write lost",
        "ESA 111b: from that entry on nothing is logged, and what was read with it is thrown away.",
        ITERATE,
        vmm=vmm_of(queue.ignores_the_overflow),
    ),
    Defect(
        "baseline-before-logging-again",
        "VMM",
        "After an overflow everything is copied anew first, and then logging starts again.",
        "no write lost",
        "A write between the Read for the new baseline and the second Track Send.",
        START,
        vmm=vmm_of(queue.copies_before_it_logs_again),
    ),
    Defect(
        "baseline-without-deallocations",
        "VMM",
        "After an overflow what is allocated is copied anew, and nothing is deallocated.",
        "nothing revived",
        "A deallocation whose entry was lost: Get LBA Status does not report the LBA, the destination still has it.",
        FIRST,
        vmm=vmm_of(queue.copies_only_what_is_allocated_again),
    ),
    Defect(
        "unreadable-skipped",
        "VMM",
        "A block whose Read fails is left at the destination as it is.",
        "unreadable marked",
        "A Read that ends with an error, and no Write Uncorrectable behind it.",
        FIRST,
        vmm=vmm_of(copying.skips_unreadable_blocks),
    ),
    Defect(
        "granules-rounded-down",
        "VMM",
        "Changes are kept by granules, as many as the blocks fill, from the first on.",
        "no write lost",
        "An entry whose range begins inside a granule: its last LBA lies in one granule more than was counted.",
        FIRST,
        vmm=vmm_of(copying.rounds_down_to_granules),
    ),
)

_FIRMWARE = (
    Defect(
        "allocation-misses-granule",
        "firmware",
        "A write that straddles granules leaves its last one unmarked in the allocation map.",
        "no write lost",
        "Get LBA Status after the write: the granule of its last LBA is not reported, so nobody reads it.",
        FIRST,
        AUTHENTIC,
        parts=Parts(namespace=MissesLastGranule),
    ),
    Defect(
        "deallocation-clears-granule",
        "firmware",
        "A deallocation clears granules from the one on in which it begins, though data lie before it.",
        "no write lost",
        "Get LBA Status after the deallocation: a granule that still holds data is not reported.",
        FIRST,
        AUTHENTIC,
        parts=Parts(namespace=ClearsFromFirstGranule),
    ),
    Defect(
        "range-not-logged",
        "firmware",
        "Of the ranges of one deallocation that do not touch, every second is not logged.",
        "nothing revived",
        "The entries of one Dataset Management command: fewer than it has ranges.",
        ITERATE,
        AUTHENTIC,
        parts=Parts(command_steps=LosesRangesBetween),
    ),
    Defect(
        "marker-in-full-queue",
        "firmware",
        "The marker of a suspension is posted to a full queue: tail equals head, and full looks empty.",
        "nothing lost on failure",
        "The Set Features 21h that gives entries back and is refused: the SSD believes that there are none.",
        SUSPEND,
        AUTHENTIC,
        parts=Parts(migration_queue=MarksPastTheEnd),
    ),
    Defect(
        "logging-goes-on-after-full",
        "firmware",
        "After an overflow logging goes on by itself as soon as the head has moved.",
        "no write lost",
        "A write whose entry found the queue full, and entries behind the gap: the marker comes as if all were told.",
        ITERATE,
        AUTHENTIC,
        vmm=vmm_of(queue.trusts_the_marker),
        parts=Parts(migration_queue=LogsOnAfterFull),
    ),
    Defect(
        "suspend-awaits-guest",
        "firmware",
        "A Suspend waits until the guest has read its completions, and the guest stands still.",
        "nothing lost on failure",
        "A completion on the ring of a paused VM, and a Suspend that never completes.",
        SUSPEND,
        AUTHENTIC,
        parts=Parts(controller=AwaitsTheGuest),
    ),
    Defect(
        "suspend-without-drain",
        "firmware",
        "A Suspend completes while commands that were fetched are still under way.",
        "each command once",
        "A completion that is posted at the source after the memory went over.",
        SUSPEND,
        parts=Parts(controller=DoesNotDrain),
    ),
    Defect(
        "suspend-before-entries",
        "firmware",
        "A Suspend waits for completions, not for the entries that come behind them.",
        "no write lost",
        "The marker ESA 011b, and an entry behind it.",
        SUSPEND,
        habits=LAST,
        parts=Parts(controller=AwaitsCompletionsOnly, command_steps=CountsCompletions),
    ),
    Defect(
        "entry-before-write",
        "firmware",
        "The entry of a write is posted before its data are on the media.",
        "no write lost",
        "An entry that is consumed, and a Read for the copy, before the write is executed.",
        ITERATE,
        parts=Parts(command_steps=TellsBeforeItWrites),
    ),
    Defect(
        "in-flight-not-logged",
        "firmware",
        "Whether a command is logged is decided when it is fetched, not when it takes effect.",
        "no write lost",
        "A write that was fetched before Track Send and executed after it, with no entry.",
        START,
        parts=Parts(command_steps=DecidesAtFetch),
    ),
    Defect(
        "stale-deallocation-flag",
        "firmware",
        "The entry of a deallocation says so even when the block has been written since.",
        "no write lost",
        "An entry with DLBA 1 behind that of the later write: what is told last counts.",
        ITERATE,
        habits=LAST,
        parts=Parts(namespace=FlagsWithoutLooking),
    ),
    Defect(
        "uncorrectable-not-logged",
        "firmware",
        "Write Uncorrectable is not logged, for it brings no data.",
        "unreadable marked",
        "A command that made its LBA unreadable, and no entry of it.",
        ITERATE,
        parts=Parts(command_steps=LogsDataOnly),
    ),
)

_SAFEGUARDS = (
    Defect(
        "interrupts-not-replayed",
        "safeguard",
        "The VM starts without a look at the completions that came while it stood still.",
        "each command once",
        "A completion on the ring whose interrupt nobody was there to hear.",
        STATE,
        prepare=guards.loses_interrupts,
    ),
    Defect(
        "shared-namespace-not-logged",
        "safeguard",
        "A namespace is migrated that another controller writes too.",
        "no write lost",
        "A write through Z: the log is kept for Y, so no entry tells of it.",
        SYSTEM,
        guards=SHARED,
        vmm=reference,
    ),
    Defect(
        "earlier-commands-not-ended",
        "safeguard",
        "What the destination's controller was told before is ended only after the copy.",
        "no write lost",
        "A command of the time before the migration, executed at the destination behind the copy of its LBA.",
        PREPARE,
        guards=BEFORE,
        vmm=guards.resets_the_destination_late,
    ),
    Defect(
        "vm-left-paused",
        "safeguard",
        "Where a migration ends early, the source's controller is resumed, and the VM is not started again.",
        "nothing lost on failure",
        "A VM that was paused, a migration that is cancelled, and nobody who starts the VM.",
        SUSPEND,
        guards=CANCELLED,
        vmm=guards.leaves_the_vm_paused,
    ),
)

DEFECTS: Mapping[str, Defect] = {each.name: each for each in (*_VMMS, *_FIRMWARE, *_SAFEGUARDS)}
"""All of them, by name."""


def defect(name: str) -> Defect:
    """The defect called `name`; InputError when there is none."""
    if name not in DEFECTS:
        raise InputError(f"there is no defect {name!r}; there are: {', '.join(DEFECTS)}")
    return DEFECTS[name]

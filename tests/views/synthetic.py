"""Runs made up for the player's tests: shaped like a real migration (a guest writes, entries are posted,
drained and copied), but drawn from a random stream in place of an SSD: any size is had in a moment."""

import struct
from dataclasses import dataclass, field
from random import Random

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.views.model import PHASES, State

GUEST, Y, X, VMM, COPY, GH = range(6)
LANES = ["Guest", "Ctlr Y (MC)", "Ctlr X (MMC)", "VMM (MMH)", "Copy tasks", "Ctlr G, H"]
PROPERTIES = [
    ("no write lost", "Every acknowledged write is at the destination when the guest resumes there."),
    ("nothing revived", "No deallocated block comes back to life."),
    ("unreadable marked", "A block that could not be read stays marked as such."),
    ("one controller runs", "Never do both controllers process commands."),
    ("each command once", "Each command of the guest completes exactly once over the move."),
]
SHARES = (4, 3, 34, 39, 8, 4, 4, 4)


def bits(
    name: str,
    byte: int,
    size: int,
    meaning: str,
    source: str,
    low: int = 0,
    high: int | None = None,
    **values,
):
    """One field of a layout; without `low` and `high` it takes all bits of its bytes."""
    made = {"name": name, "byte": byte, "size": size, "low_bit": low, "meaning": meaning, "source": source}
    made["high_bit"] = 8 * size - 1 if high is None else high
    return made | ({"values": {key.lstrip("_"): word for key, word in values.items()}} if values else {})


LAYOUTS = {
    "SQE: Write": {
        "size": 64,
        "fields": [
            bits("OPC", 0, 1, "opcode", "Base 2.1, fig 90", _1="Write", _2="Read"),
            bits("FUSE", 1, 1, "fused operation", "Base 2.1, fig 91", 0, 1, _0="normal operation"),
            bits("PSDT", 1, 1, "PRPs or SGLs", "Base 2.1, fig 91", 6, 7, _0="PRPs are used"),
            bits("CID", 2, 2, "command identifier", "Base 2.1, fig 91"),
            bits("NSID", 4, 4, "namespace identifier", "Base 2.1, fig 92"),
            bits("CDW2", 8, 4, "reserved for this command", "Base 2.1, fig 92"),
            bits("CDW3", 12, 4, "reserved for this command", "Base 2.1, fig 92"),
            bits("MPTR", 16, 8, "metadata pointer, not used without metadata", "Base 2.1, fig 92"),
            bits("PRP1", 24, 8, "first page of the data buffer in the guest's memory", "Base 2.1, fig 92"),
            bits("PRP2", 32, 8, "second page, or the list of the further pages", "Base 2.1, fig 92"),
            bits("SLBA", 40, 8, "first LBA that is written", "NVM 1.1, fig 70"),
            bits("NLB", 48, 2, "number of blocks, 0's based", "NVM 1.1, fig 71"),
            bits("FUA", 51, 1, "force unit access", "NVM 1.1, fig 71", 6, 6, _0="not asked for"),
            bits("CDW13", 52, 4, "dataset management hints", "NVM 1.1, fig 72"),
            bits("CDW14", 56, 4, "reference tag, not used", "NVM 1.1, fig 73"),
            bits("CDW15", 60, 4, "application tag, not used", "NVM 1.1, fig 74"),
        ],
    },
    "MQE": {
        "size": 32,
        "fields": [
            bits("NSID", 0, 4, "namespace whose blocks changed", "NVM 1.2, 5.6"),
            bits("NLB", 4, 4, "number of blocks, 0's based", "NVM 1.2, 5.6"),
            bits("SLBA", 8, 8, "first LBA that changed", "NVM 1.2, 5.6"),
            bits("Reserved", 16, 15, "must be 0", "NVM 1.2, 5.6"),
            bits("LBACIR", 31, 1, "which range", "NVM 1.2, 5.6", 6, 7, _0="range valid", _2="no range here"),
            bits("DLBA", 31, 1, "deallocated", "NVM 1.2, 5.6", 5, 5, _0="modified", _1="deallocated"),
            bits(
                "ESA",
                31,
                1,
                "what this entry says of the logging",
                "NVM 1.2, 5.6",
                1,
                3,
                _0="ordinary entry",
                _1="first entry",
                _3="target suspended",
            ),
            bits("CDQP", 31, 1, "phase tag of this pass over the queue", "NVM 1.2, 5.6", 0, 0),
        ],
    },
    "CQE": {
        "size": 16,
        "fields": [
            bits("DW0", 0, 4, "result of the command", "Base 2.1, fig 96"),
            bits("SQHD", 8, 2, "SQ head pointer", "Base 2.1, fig 98"),
            bits("SQID", 10, 2, "SQ identifier", "Base 2.1, fig 98"),
            bits("CID", 12, 2, "command identifier", "Base 2.1, fig 99"),
            bits("P", 14, 2, "phase tag", "Base 2.1, fig 99", 0, 0),
            bits("SC", 14, 2, "status code", "Base 2.1, fig 100", 1, 8, _0="Successful Completion"),
            bits("SCT", 14, 2, "status code type", "Base 2.1, fig 100", 9, 11, _0="Generic Command Status"),
        ],
    },
}


@dataclass
class _Run:
    blocks: int
    slots: int
    budget: int
    rng: Random
    lose: bool
    steps: list = field(default_factory=list)
    t: int = 0
    head: int = 0
    tail: int = 0
    posted: int = 0
    logging: bool = False
    commands: int = 0
    copies: int = 0
    versions: dict = field(default_factory=dict)
    pending: list = field(
        default_factory=list
    )  # writes whose entry is not posted: [slba, blocks, command, step]
    queued: list = field(default_factory=list)  # ranges in the queue
    to_copy: list = field(default_factory=list)  # [slba, blocks, cause]
    copying: list = field(default_factory=list)

    def step(self, lane, actor, text, **more):
        self.t += 400 + self.rng.randrange(9000)
        self.steps.append({"t": self.t, "lane": lane, "actor": actor, "text": text, **more})
        return len(self.steps) - 1

    def version(self, side, slba, blocks, writer):
        name = f"v{self.versions.get((side, slba), 1) + 1}"
        self.versions[side, slba] = int(name[1:])
        return [side, slba, blocks, name, writer]

    def guest_write(self):
        self.commands += 1
        command, blocks = self.commands, 1 + self.rng.randrange(4)
        slba = self.rng.randrange(max(1, self.blocks - blocks))
        blocks = min(blocks, self.blocks - slba)
        rung = self.step(
            GUEST, "Guest", f"Guest submitted Write {place(slba, blocks)} and rang the doorbell of SQ 1"
        )
        fetched = self.step(
            Y,
            f"Ctlr Y, command {command}",
            f"Ctlr Y fetched Write {place(slba, blocks)}",
            cause=rung,
            lbas=[slba, blocks],
            bytes=["SQE: Write", write_sqe(command, slba, blocks).hex()],
        )
        more = {"note": "no entry yet"} if self.logging else {}
        wrote = self.step(
            Y,
            f"Ctlr Y, command {command}",
            f"Ctlr Y executed Write {place(slba, blocks)}",
            cause=fetched,
            lbas=[slba, blocks],
            source=[[slba, blocks, State.CHANGED if self.logging else State.MAPPED]],
            destination=[[slba, blocks, State.LOST]] if self.logging else [],
            versions=[self.version(0, slba, blocks, f"guest, command {command}")],
            **more,
        )
        if self.logging:
            self.pending.append([slba, blocks, command, wrote])

    def post(self, esa=0, word="", lbas=None, cause=None, **more):
        tag = 1 - (self.posted // self.slots) % 2
        slot, self.tail = self.tail, (self.tail + 1) % self.slots
        self.posted += 1
        slba, blocks = lbas or (0, 1)
        raw = struct.pack(
            "<IIQ15sB", 1 if lbas else 0, blocks - 1, slba, bytes(15), (not lbas) << 7 | esa << 1 | tag
        )
        return self.step(
            X,
            "Ctlr X",
            f"Ctlr X posted the entry for {place(slba, blocks)} in slot {slot}"
            if lbas
            else f'Ctlr X posted the marker "{word}" in slot {slot}',
            entry=[slot, tag, esa, word],
            tail=self.tail,
            lbas=lbas,
            cause=cause,
            bytes=["MQE", raw.hex()],
            **more,
        )

    def post_pending(self):
        slba, blocks, command, wrote = self.pending.pop(0)
        posted = self.post(lbas=[slba, blocks], cause=wrote, destination=[[slba, blocks, State.MAPPED]])
        self.queued.append([slba, blocks, posted])
        raw = struct.pack("<IIHHHH", 0, 0, command % 64, 1, command, 1)
        done = self.step(
            Y,
            f"Ctlr Y, command {command}",
            f"Ctlr Y completed command {command}",
            cause=posted,
            bytes=["CQE", raw.hex()],
        )
        self.step(GUEST, "Guest", f"Guest reaped command {command}", cause=done)

    def drain(self):
        taken, self.queued = self.queued[:3], self.queued[3:]
        self.head = (self.head + len(taken)) % self.slots
        read = self.step(
            VMM,
            "VMM",
            f"VMM read {len(taken)} entries and moved the head to slot {self.head}",
            head=self.head,
            cause=taken[-1][2],
        )
        self.to_copy += [[slba, blocks, read] for slba, blocks, _ in taken]

    def start_copy(self):
        slba, blocks, cause = self.to_copy.pop(0)
        self.copies += 1
        read = self.step(
            COPY,
            f"Copy task {self.copies}",
            f"Copy task {self.copies} read {place(slba, blocks)}",
            lbas=[slba, blocks],
            cause=cause,
            source=[[slba, blocks, State.MAPPED]],
            destination=[[slba, blocks, State.COPYING]],
        )
        self.copying.append([slba, blocks, self.copies, read])

    def end_copy(self):
        slba, blocks, copy, read = self.copying.pop(0)
        broken = blocks > 1 and copy % 29 == 11
        runs = [[slba, blocks, State.EQUAL]] + ([[slba + 1, 1, State.UNREADABLE]] if broken else [])
        self.step(
            GH,
            "Ctlr H",
            f"Ctlr H wrote {place(slba, blocks)} for copy task {copy}",
            lbas=[slba, blocks],
            cause=read,
            destination=runs,
            source=[[slba + 1, 1, State.UNREADABLE]] if broken else [],
            versions=[self.version(1, slba, blocks, f"copy {copy}")],
        )

    def busy(self, until, guest=True):
        """Mixed work up to a number of steps: whoever has something to do may be chosen."""
        while len(self.steps) < until:
            free = (self.tail - self.head) % self.slots < self.slots - 2
            able = [self.guest_write] * 2 if guest and len(self.pending) < 4 else []
            able += [self.post_pending] * 3 if self.pending and free else []
            able += [self.drain] * (4 if not free else 1) if self.queued else []
            able += [self.start_copy] * 3 if self.to_copy and len(self.copying) < 3 else []
            able += [self.end_copy] * 3 if self.copying else []
            able[self.rng.randrange(len(able))]() if able else self.step(
                VMM, "VMM", "VMM polled the empty queue"
            )

    def finish(self):
        lost = self.pending.pop() if self.lose and self.pending else None
        while self.pending or self.queued or self.to_copy or self.copying:
            act = self.post_pending if self.pending else self.drain if self.queued else None
            (act or (self.start_copy if self.to_copy else self.end_copy))()
        return lost


def place(slba, blocks):
    return f"{slba}" if blocks == 1 else f"{slba}-{slba + blocks - 1}"


def write_sqe(cid, slba, blocks):
    return struct.pack(
        "<BBHI8s8sQQQIIII",
        1,
        0,
        cid,
        1,
        bytes(8),
        bytes(8),
        0x8000 + 4096 * cid,
        0,
        slba,
        blocks - 1,
        0,
        0,
        0,
    )


def model(blocks=176, slots=31, steps=412, seed=7, cell_lbas=1, lose=False, chunk=None) -> dict:
    """A player model of about `steps` steps (exactly so many); with `lose` one write never gets its entry."""
    run = _Run(blocks, slots, steps, stream(seed, "synthetic"), lose)
    chunk = chunk or max(4, blocks // 44)
    mapped = [
        [start, min(chunk, blocks - start)] for start in range(0, blocks, chunk) if run.rng.randrange(10) < 7
    ]
    ends = [sum(SHARES[: n + 1]) * steps // 100 for n in range(8)]
    firsts = [0]

    def quiet(until, lane, actor, words):
        n = 0
        while len(run.steps) < until:
            run.step(lane, actor, f"{actor} {words[min(n, len(words) - 1)]}")
            n += 1

    quiet(
        ends[0],
        GH,
        "Ctlr G",
        ["created namespace 1", "attached it to Ctlr H", "answered Identify for the VMM"],
    )
    firsts.append(len(run.steps))
    asked = run.step(VMM, "VMM", "VMM sent Track Send, start logging, to Ctlr X")
    run.logging = True
    run.post(esa=1, word="first", cause=asked)
    run.step(X, "Ctlr X", "Ctlr X completed Track Send", cause=asked, verdicts=[[3, "good", ""]])
    run.head = run.tail
    run.step(VMM, "VMM", "VMM read the first entry", head=run.head, cause=len(run.steps) - 2)
    quiet(ends[1], VMM, "VMM", ["asked for the LBA status of namespace 1", "noted the mapped ranges"])
    firsts.append(len(run.steps))
    run.to_copy += [[slba, count, len(run.steps) - 1] for slba, count in mapped]
    run.busy(ends[2])
    firsts.append(len(run.steps))
    run.busy(ends[3])
    firsts.append(len(run.steps))
    paused = run.step(VMM, "VMM", "VMM paused the vCPUs and sent Suspend for Ctlr Y")
    lost = run.finish()
    run.post(esa=3, word="suspended", cause=paused)
    run.head = run.tail
    read = run.step(
        VMM, "VMM", "VMM read up to the marker and moved the head", head=run.head, cause=len(run.steps) - 1
    )
    quiet(ends[4], COPY, "Copy task 0", ["found nothing left to copy"])
    firsts.append(len(run.steps))
    run.step(X, "Ctlr X", "Ctlr X returned the state of Ctlr Y", cause=read)
    quiet(ends[5], GH, "Ctlr G", ["set the state of Ctlr H"])
    firsts.append(len(run.steps))
    verdicts = [[n, "good", ""] for n in (1, 2, 4)]
    verdicts.append([0, "bad", f"LBA {lost[0]}"] if lost else [0, "good", ""])
    more = {"lbas": lost[:2], "cause": lost[3]} if lost else {}
    run.step(GH, "Ctlr H", "Ctlr H resumed and fetches commands", verdicts=verdicts, **more)
    quiet(ends[6], GUEST, "Guest", ["read what it had written"])
    firsts.append(len(run.steps))
    quiet(max(steps, len(run.steps) + 1), VMM, "VMM", ["reset Ctlr Y", "deleted the source's namespace"])
    return {
        "version": 1,
        "title": "One live migration",
        "seed": seed,
        "token": f"lm1:{seed}:4f2a9c",
        "timed": True,
        "lba_bytes": 512,
        "blocks": blocks,
        "cell_lbas": cell_lbas,
        "queue": {"slots": slots, "cdqid": 0},
        "phases": [{"name": name, "first": first} for name, first in zip(PHASES, firsts, strict=True)],
        "lanes": LANES,
        "source": {"name": "Source · NS of Y", "start": [[s, n, 1] for s, n in mapped]},
        "destination": {"name": "Destination · NS of H", "start": []},
        "properties": [{"name": name, "sentence": words} for name, words in PROPERTIES],
        "layouts": LAYOUTS,
        "steps": run.steps,
    }

"""Summaries made up for the player's tests: frames of a migration with counters, over any number of tiles, drawn
from a random stream in place of an SSD."""

from random import Random
from typing import Any

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.views.model import PHASES, State
from tests.views.synthetic import PROPERTIES

COUNTERS = [
    ("Guest writes", "writes", "Writes of the guest that were acknowledged."),
    ("Copied", "LBAs", "LBAs written at the destination, again and again if need be."),
    ("Behind", "LBAs", "LBAs that changed after they were copied and are not copied again."),
    ("Entries posted", "entries", "Entries that the SSD has posted to the Migration Queue."),
    ("Entries waiting", "entries", "Entries in the Migration Queue that the VMM has not read."),
    ("Downtime", "ns", "Time for which the VM has been stood still by the migration."),
]
SHARES = (4, 8, 45, 85, 91, 95, 98, 100)
SLOTS = 127


class _Summary:
    """A migration in tiles: its states on both sides, and what changed since the frame before."""

    def __init__(self, blocks: int, tile: int, rng: Random) -> None:
        self.blocks, self.tile, self.rng = blocks, tile, rng
        self.tiles = -(-blocks // tile)
        chunk = max(1, self.tiles // 40)
        self.source = [
            int(rng.randrange(10) < 7) for _ in range(-(-self.tiles // chunk)) for _ in range(chunk)
        ]
        self.source = self.source[: self.tiles]
        self.destination = [0] * self.tiles
        self.start = self.runs(dict(enumerate(self.source)))
        self.news: tuple[dict[int, int], dict[int, int]] = {}, {}
        self.behind: set[int] = set()
        self.written: set[int] = set()
        self.copied = self.writes = self.posted = self.sweep = 0

    def runs(self, states: dict[int, int]) -> list[list[int]]:
        """Runs of LBAs from states by tile; tiles that follow one another in one state are one run."""
        found: list[list[int]] = []
        for tile, state in sorted(states.items()):
            slba = tile * self.tile
            blocks = min(self.tile, self.blocks - slba)
            if found and found[-1][0] + found[-1][1] == slba and found[-1][2] == state:
                found[-1][1] += blocks
            else:
                found.append([slba, blocks, state])
        return found

    def put(self, tile: int, source: int | None = None, destination: int | None = None) -> None:
        sides = (self.source, self.destination)
        for side, state in enumerate((source, destination)):
            if state is not None and sides[side][tile] != state:
                sides[side][tile] = self.news[side][tile] = int(state)

    def write(self, logging: bool) -> None:
        tile = min(self.rng.randrange(self.tiles) for _ in range(2))
        self.writes += 1
        if not logging:
            self.put(tile, State.MAPPED)
            return
        self.put(tile, State.CHANGED, State.LOST)
        self.behind.add(tile)
        self.written.add(tile)

    def post(self) -> None:
        self.posted += len(self.written)
        for tile in self.written:
            self.put(tile, destination=State.MAPPED)
        self.written.clear()

    def copy(self, number: int) -> None:
        again = sorted(self.behind - self.written)[:number]
        for tile in again:
            self.behind.discard(tile)
        whole = range(self.sweep, min(self.tiles, self.sweep + number))
        self.sweep = whole.stop
        for tile in (*again, *(tile for tile in whole if self.source[tile] == State.MAPPED)):
            self.copied += self.tile
            self.put(tile, State.MAPPED, State.EQUAL)

    def take(self) -> dict[str, Any]:
        runs = [self.runs(news) for news in self.news]
        self.news = {}, {}
        return {
            side: changed for side, changed in zip(("source", "destination"), runs, strict=True) if changed
        }


def summary(
    blocks: int = 16384, tile: int = 1, frames: int = 412, seed: int = 7, busy: int = 12, lose: bool = False
) -> dict[str, Any]:
    """A summary of `frames` frames in each of which the guest writes about `busy` tiles; with `lose` the last
    write is never copied.
    """
    run = _Summary(blocks, tile, stream(seed, "synthetic summary"))
    ends = [share * frames // 100 for share in SHARES]
    firsts = [0, *ends[:-1]]
    sweep = -(-run.tiles // max(1, ends[2] - ends[1]))
    steps: list[dict[str, Any]] = []
    waiting = downtime = 0
    for index in range(frames):
        phase = next(n for n, end in enumerate(ends) if index < end)
        run.post()
        if phase < 4:
            for _ in range(run.rng.randrange(2 * busy + 1)):
                run.write(logging=phase >= 1)
            waiting = run.rng.randrange(SLOTS) if phase >= 1 else 0
        else:
            waiting, downtime = 0, downtime + 41_700
        if phase in (2, 3, 4):
            run.copy(sweep if phase == 2 else len(run.behind) if phase == 4 else busy)
        lost = run.rng.randrange(run.tiles) if lose and index == ends[4] else None
        if lost is not None:
            run.put(lost, State.CHANGED, State.LOST)
        levels = [run.writes, run.copied, len(run.behind) * tile, run.posted, waiting, downtime]
        text = f"{PHASES[phase]}: {run.copied} LBAs copied so far, {len(run.behind) * tile} behind"
        tail = run.posted % (SLOTS + 1)
        steps.append({
            "t": 1_204_000 * (index + 1) + run.rng.randrange(1000), "lane": 0, "actor": "", "text": text,
            "tail": tail, "head": (tail - waiting) % (SLOTS + 1), "counts": levels, **run.take(),
        })  # fmt: skip
    steps[-1]["verdicts"] = [[n, "good", ""] for n in range(len(PROPERTIES))]
    if lose:
        steps[-1]["verdicts"][0] = [0, "bad", "a write is lost"]
    return {
        "version": 1,
        "title": "One live migration (summary: 1 frame = 1.2 ms)",
        "seed": seed,
        "token": f"lm1:{seed}:4f2a9c",
        "timed": True,
        "lba_bytes": 512,
        "blocks": blocks,
        "cell_lbas": tile,
        "queue": {"slots": SLOTS + 1, "cdqid": 0},
        "phases": [{"name": name, "first": first} for name, first in zip(PHASES, firsts, strict=True)],
        "lanes": [name for name, _, _ in COUNTERS],
        "counters": [{"name": name, "unit": unit, "sentence": words} for name, unit, words in COUNTERS],
        "source": {"name": "Source · NS of Y", "start": run.start},
        "destination": {"name": "Destination · NS of H", "start": []},
        "properties": [{"name": name, "sentence": words} for name, words in PROPERTIES],
        "layouts": {},
        "steps": steps,
    }

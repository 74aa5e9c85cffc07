"""What is at stake in a run, and when it is settled: the verdict on each property, step by step.

A property is open until the run itself settles it, and bad at once when it is broken.  Nothing here looks at
a device: what the oracle found at the end has the last word, through `end`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from nvmelm_lab.runs.content import UNREADABLE

Verdict = Literal["open", "good", "bad"]

NAMES: Final = (
    "no write lost",
    "nothing revived",
    "unreadable marked",
    "one controller runs",
    "each command once",
)
"""The oracle's properties that a trace settles by itself.  The others are known when the run is over."""

NO_WRITE_LOST, NOTHING_REVIVED, STAYS_UNREADABLE, ONE_RUNS, ONCE_EACH = range(5)

News = list[list[int | str]]


class Stakes:
    """The verdicts as they stand.  Each method tells of something that happened; `news`: what it changed."""

    def __init__(self) -> None:
        self._verdicts: dict[int, tuple[Verdict, str]] = {}
        self._news: News = []
        self._source_runs = True
        self._destination_runs = False
        self._moved = False
        self._open_commands: set[tuple[int, int]] = set()

    def news(self) -> News:
        """``[property, verdict, word]`` of each verdict that changed since last asked."""
        news, self._news = self._news, []
        return news

    def moved(self, wrong: Sequence[tuple[int, int]]) -> None:
        """The guest is about to run at the destination, which holds `wrong` LBAs otherwise than promised."""
        self._moved = True
        self.found(wrong)
        for which in (NO_WRITE_LOST, NOTHING_REVIVED, STAYS_UNREADABLE):
            self._settle(which, "good")

    def found(self, wrong: Sequence[tuple[int, int]]) -> None:
        """LBAs where the guest's data are not what it was promised: ``(lba, promised)``."""
        for lba, promised in wrong:
            broken = {UNREADABLE: STAYS_UNREADABLE, 0: NOTHING_REVIVED}.get(promised, NO_WRITE_LOST)
            self._settle(broken, "bad", f"LBA {lba}")

    def source(self, *, runs: bool) -> None:
        """The source's controller may carry out commands of the guest, or not any more."""
        self._source_runs = runs
        self._look_who_runs()

    def destination(self, *, runs: bool) -> None:
        """The destination's controller may carry out commands of the guest, or not any more."""
        self._destination_runs = runs
        self._look_who_runs()

    def source_is_reset(self) -> None:
        """The source's controller cannot come back."""
        self.source(runs=False)
        if self._moved:
            self._settle(ONE_RUNS, "good")

    def submitted(self, qid: int, cid: int) -> None:
        """The guest handed a command over."""
        self._open_commands.add((qid, cid))

    def reaped(self, qid: int, cid: int, *, known: bool) -> None:
        """The guest read a completion; `known`: one that it waits for."""
        if not known:
            self._settle(ONCE_EACH, "bad", f"command {cid} twice")
        self._open_commands.discard((qid, cid))
        if self._moved and not self._open_commands:
            self._settle(ONCE_EACH, "good")

    def end(self, holds: Mapping[str, bool]) -> None:
        """The run is over, and the oracle found these properties, by name, to hold or not."""
        for which, name in enumerate(NAMES):
            if name in holds:
                self._settle(which, "good" if holds[name] else "bad")

    def _look_who_runs(self) -> None:
        if self._source_runs and self._destination_runs:
            self._settle(ONE_RUNS, "bad", "both run")

    def _settle(self, which: int, verdict: Verdict, word: str = "") -> None:
        """What is bad stays bad, with its first word."""
        if self._verdicts.get(which, ("open", ""))[0] in ("bad", verdict):
            return
        self._verdicts[which] = (verdict, word)
        self._news.append([which, verdict, word])

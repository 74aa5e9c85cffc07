"""From a summary to the player's model: a frame for each of its frames, in words, numbers and maps.

Nothing here looks into a lab: the summary says all of it, or it is not known.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from nvmelm_lab.engine import Frame, Summary, unpack_runs
from nvmelm_lab.runs.sentences import PAUSE, started
from nvmelm_lab.views.frames import FEWEST_SLOTS, About, phases_begun
from nvmelm_lab.views.model import VERSION, Counter, PlayerModel, Step
from nvmelm_lab.views.reel import cut
from nvmelm_lab.views.stakes import found, judged_by
from nvmelm_lab.views.text import duration, grouped

Levels = Mapping[str, int]
"""The counters of a frame, by their names in `runs/summarizer.py`."""

_WRITES: Final[Counter] = {
    "name": "Guest writes",
    "unit": "",
    "sentence": "Commands of the guest that changed data, and were acknowledged.",
}
_COPIED: Final[Counter] = {
    "name": "LBAs copied",
    "unit": "LBAs",
    "sentence": "LBAs that copies have written at the destination, each as often as it was copied.",
}
_BEHIND: Final[Counter] = {
    "name": "LBAs behind",
    "unit": "LBAs",
    "sentence": "LBAs that changed at the source and were not copied since: they have to be copied again.",
}
_WAITING: Final[Counter] = {
    "name": "Entries waiting",
    "unit": "entries",
    "sentence": "Entries in the Migration Queue that the VMM has not given back: at the queue's end it is full.",
}
_DOWNTIME: Final[Counter] = {
    "name": "Downtime",
    "unit": "ns",
    "sentence": "How long the VM has stood still so far.",
}


def summary_model(summary: Summary, about: About) -> PlayerModel:
    """The player's model of a summary that was made of a migration."""
    facts = summary.about
    shown = _counters(facts)
    lbas = _Lbas(facts["tile"], facts["blocks"])
    levels = [dict(zip(summary.counters, frame.counters, strict=True)) for frame in summary.frames]
    steps: list[Step] = []
    entered: dict[str, int] = {}
    phase = ""
    for at, (frame, now) in enumerate(zip(summary.frames, levels, strict=True)):
        before = levels[at - 1] if at else dict.fromkeys(summary.counters, 0)
        for name in (str(word[1]) for word in frame.words if word[0] == "phase"):
            entered.setdefault(name, at)
            phase = name
        step = _step(frame, facts, phase, now, before)
        step["counts"] = [level(now) for _, level in shown]
        if at:
            step["source"], step["destination"] = map(lbas.runs, frame.maps)
        steps.append(step)
    steps[-1]["verdicts"] = found(about.holds)
    start = lbas.runs(summary.frames[0].maps[0])
    return {
        "version": VERSION,
        "title": f"{about.title}, summary: 1 frame = {_interval(summary)}",
        "seed": about.seed,
        "token": about.token,
        "timed": facts["timed"],
        "lba_bytes": facts["block_bytes"],
        "blocks": facts["blocks"],
        "cell_lbas": facts["tile"],
        "queue": {"slots": facts["slots"] or FEWEST_SLOTS, "cdqid": facts["cdqid"]},
        "phases": phases_begun(entered, len(steps)),
        "lanes": [counter["name"] for counter, _ in shown],
        "source": {"name": f"Source · NS of {facts['here']}", "start": start},
        "destination": {"name": f"Destination · NS of {facts['there']}", "start": []},
        "properties": judged_by(about.holds),
        "layouts": {},
        "steps": steps,
        "counters": [counter for counter, _ in shown],
    }


def _counters(facts: Mapping[str, Any]) -> list[tuple[Counter, Callable[[Levels], int]]]:
    """What the player draws: nothing of a queue where there was none, and no time where no clock ran."""
    slots = facts["slots"]
    shown: list[tuple[Counter, Callable[[Levels], int]]] = [
        (_WRITES, lambda level: level["guest writes"]),
        (_COPIED, lambda level: level["copied"]),
        (_BEHIND, lambda level: level["behind"]),
    ]
    if slots:
        shown.append((_WAITING, lambda level: (level["tail"] - level["head"]) % slots))
    if facts["timed"]:
        shown.append((_DOWNTIME, lambda level: level["downtime"]))
    return shown


class _Lbas:
    """Runs of tiles as runs of LBAs; the last tile of a namespace may be short."""

    def __init__(self, tile: int, blocks: int) -> None:
        self._tile = tile
        self._blocks = blocks

    def runs(self, packed: bytes) -> list[list[int]]:
        """``[slba, LBAs, state]`` of each run."""
        tile, blocks = self._tile, self._blocks
        return [
            [first * tile, min(count * tile, blocks - first * tile), state]
            for first, count, state in unpack_runs(packed)
        ]


def _interval(summary: Summary) -> str:
    return duration(summary.interval) if summary.about["timed"] else f"{summary.interval} steps"


# -- words ------------------------------------------------------------------------------------------------


def _step(frame: Frame, facts: Mapping[str, Any], phase: str, now: Levels, before: Levels) -> Step:
    """The frame without its maps and counts."""
    step: Step = {
        "t": max(0, frame.time if facts["timed"] else frame.step),
        "lane": 0,
        "actor": "",
        "text": cut(_sentence(frame, facts, phase, now, before), 100),
    }
    if now["overflows"] > before["overflows"]:
        step["note"] = "the Migration Queue was full"
    if "running" in _words(frame) and now["downtime"]:
        step["note"] = f"it stood still for {duration(now['downtime'])}"
    for end in ("head", "tail"):
        if now[end] != before[end]:
            step[end] = now[end]
    return step


def _words(frame: Frame) -> dict[str, tuple[Any, ...]]:
    return {word[0]: word for word in frame.words}


def _sentence(frame: Frame, facts: Mapping[str, Any], phase: str, now: Levels, before: Levels) -> str:
    words = _words(frame)
    if "begin" in words:
        return "The guest runs at the source; nothing has been copied yet"
    if "running" in words:
        return started(facts["there"] if words["running"][1] else "")
    if "paused" in words:
        return PAUSE
    return ": ".join(
        part for part in (_where(words, phase, now, before), ", ".join(_told(now, before))) if part
    )


def _where(words: Mapping[str, Any], phase: str, now: Levels, before: Levels) -> str:
    begun = [f"Round {now['rounds']} ended"] if now["rounds"] > before["rounds"] else []
    if "phase" in words:
        begun.append(f"{phase} begins")
    if begun:
        return ", ".join(begun)
    return f"{phase}, round {now['rounds'] + 1}" if phase == "Iterate" else phase or "Before the migration"


def _told(now: Levels, before: Levels) -> list[str]:
    """What happened since the frame before, in numbers."""
    grown = {name: now[name] - before[name] for name in now}
    told = []
    if grown["copied"]:
        told.append(f"{_counted(grown['copied'], 'LBA')} copied")
    if grown["guest writes"]:
        told.append(_counted(grown["guest writes"], "guest write"))
    if now["behind"] or grown["behind"]:
        told.append(f"{grouped(now['behind'])} behind")
    return told


def _counted(number: int, word: str) -> str:
    return f"{grouped(number)} {word}{'' if number == 1 else 's'}"

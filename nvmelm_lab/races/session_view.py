"""What a session shows: all of it as plain values, for a screen, and the same in words.

Nothing here decides or runs anything; what a screen draws and what the text says come from one and the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import Any, Final

from nvmelm_lab.races.board import Board, Cell, Queue
from nvmelm_lab.races.execution import Row
from nvmelm_lab.races.history import History
from nvmelm_lab.races.names import Place
from nvmelm_lab.races.session import Session
from nvmelm_lab.runs.states import State

WIDTH: Final = 80

STATES: Final = ("deallocated", "mapped", "changed", "copying", "equal", "lost or stale", "unreadable")
"""What each `State` is called."""


def plain(session: Session) -> dict[str, Any]:
    """All that a screen shows of a session, as JSON values."""
    execution, history, progress = session.execution, session.history, session.progress
    board = execution.board()
    return {
        "goal": session.goal,
        "steps": history.position,
        "best": session.best,
        "rows": [_row(row) for row in execution.rows()],
        "waiting": [asdict(each) for each in execution.waiting()],
        "board": asdict(board),
        "stake": asdict(session.stake),
        "message": session.message,
        "history": _history(history, execution.lanes()),
        "search": None if progress is None else {"runs": progress.runs},
        "is_over": session.is_over,
    }


def touched(places: tuple[Place, ...]) -> str:
    """What a step touches, in words."""
    return ", ".join(place.words for place in places) or "nothing that others touch"


def _row(row: Row) -> dict[str, Any]:
    return asdict(row) | {"touches": touched(row.touches), "places": [asdict(place) for place in row.touches]}


def _history(history: History, lanes: tuple[str, ...]) -> dict[str, Any]:
    used = dict.fromkeys(chip.lane for line in history.lines for chip in line.chips)
    return {
        "lanes": [
            lane for lane in (*lanes, *(other for other in used if other not in lanes)) if lane in used
        ],
        "chips": [asdict(chip) for chip in history.line.chips],
        "position": history.position,
        "line": history.number,
        "lines": [{"steps": len(line.chips), "outcome": line.outcome} for line in history.lines],
        "forks": {str(at): numbers for at, numbers in history.forks().items()},
    }


# -- in words ----------------------------------------------------------------------------------------------


def text(session: Session) -> str:
    """All that a screen shows of a session, in lines of at most 80 columns."""
    best = f"best known {session.best}" if session.best else "none is known that does it"
    parts = [
        f"{session.goal}  You decide who goes next.",
        f"{_count(session.history.position, 'step')} so far; {best}.",
        "; ".join(
            f"{each.name}: {_VERDICTS[each.verdict]}{f' ({each.word})' if each.word else ''}"
            for each in session.execution.board().properties
        )
        + ".",
        "",
        *_who(session),
        "",
        *_state(session.execution.board()),
        "",
        *_tried(session.history),
        "",
        f"{session.stake.head} {session.stake.rest}",
        *([session.message] if session.message else []),
    ]
    return "\n".join(
        line for part in parts for line in (wrap(part, WIDTH, subsequent_indent="     ") or [""])
    )


_VERDICTS: Final = {"open": "holds so far", "good": "holds", "bad": "broken"}


def _who(session: Session) -> Iterator[str]:
    progress = session.progress
    if progress is not None:
        yield f"A search is under way: {progress.runs} orders tried.  Nobody may go meanwhile."
        return
    yield "Nobody can go any more: the run is over." if session.is_over else "Who goes next?"
    number = 0
    for row in session.execution.rows():
        touches = f" (touches {touched(row.touches)})"
        is_choice = len(row.options) > 1
        if is_choice:
            yield f"     {row.who} may {row.does}:"
        for option in row.options:
            number += 1
            words = f"  {option.words}" if is_choice else f"{row.who}: {row.does}{touches}"
            yield f"  {number}  {words}"
    for each in session.execution.waiting():
        yield f"     {each.who} {each.why}"


def _state(board: Board) -> Iterator[str]:
    yield from map(_cell, board.cells)
    if board.blocks > len(board.cells):
        yield f"({board.blocks - len(board.cells)} more LBAs are not shown.)"
    yield _queue(board.queue)
    yield f"{board.logging}."
    yield f"{board.controllers}."
    yield f"{board.vm}."


def _cell(cell: Cell) -> str:
    here, there = cell.source, cell.destination
    words = f"LBA {cell.lba}: source {here.version or 'nothing'} ({STATES[State(here.state)]})"
    words += f", destination {there.version or 'nothing'} ({STATES[State(there.state)]})"
    if cell.coming:
        words += f"; {cell.coming}"
    if cell.copied:
        words += f"; a copy under way carries {cell.copied}"
    return words


def _queue(queue: Queue) -> str:
    if not queue.size:
        return "There is no Migration Queue yet."
    filled = (f"slot {s.number} {s.words} ({s.state}, phase {s.phase})" for s in queue.slots if s.words)
    words = "; ".join(filled) or "no entry yet"
    return f"Migration Queue of {queue.size} slots: head {queue.head}, tail {queue.tail}; {words}."


def _tried(history: History) -> Iterator[str]:
    if not history.line.chips:
        yield "Nothing was decided yet."
    for number, chip in enumerate(history.line.chips, 1):
        yield f"{'>' if number == history.position else ' '}{number:3} {chip.title}"
    if len(history.lines) > 1:
        yield f"This is line {history.number + 1} of {len(history.lines)}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

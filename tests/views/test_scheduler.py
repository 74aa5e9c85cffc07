"""You are the scheduler as a widget, seen from Python: what it sends, what it answers, and what others get of it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.notebook import scheduler
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS
from nvmelm_lab.races.ladder import LADDER
from nvmelm_lab.views.scheduler import Scheduler

START = "copy-before-logging"


@pytest.fixture(autouse=True)
def plain_program() -> Iterator[None]:
    """No loop runs, as in a plain program: what is asked for is done when the call returns."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


def ask(shown: Scheduler, kind: str, **more: Any) -> dict[str, Any]:
    """What the browser would ask for at this point, and what it then shows."""
    history = shown.session.history
    shown._view._handle_custom_msg({"kind": kind, "at": [history.number, history.position], **more}, [])
    return shown._view._view


def test_a_decision_of_the_browser_is_taken_and_shown() -> None:
    shown = scheduler()
    view = ask(shown, "take", decision=shown._view._view["rows"][0]["options"][0]["decision"])
    assert view["steps"] == 1
    assert ask(shown, "undo")["steps"] == 0
    assert ask(shown, "redo")["steps"] == 1


def test_a_request_that_came_too_late_is_dropped() -> None:
    shown = scheduler()
    shown._view._handle_custom_msg({"kind": "run", "at": [0, 7]}, [])
    assert shown.session.history.taken == ()


def test_what_cannot_be_done_is_said_in_one_sentence() -> None:
    message = ask(scheduler(), "take", decision="nobody")["message"]
    assert message.startswith("'nobody' cannot go now; who can: ")


def test_the_search_ends_at_the_loss_and_why_opens_the_player() -> None:
    shown = scheduler()
    view = ask(shown, "find")
    assert (view["search"], view["stake"]["kind"], view["why"]) == (None, "lost", False)
    assert ask(shown, "why")["why"] is True
    (player,) = shown._stage.children
    assert "LBA 0" in player.text(len(player._run["steps"]) - 1)
    assert ask(shown, "why")["why"] is False


def test_a_token_brings_an_order_back_in_another_scheduler() -> None:
    one, other = scheduler(), scheduler("no-last-drain")
    lost = ask(one, "find")
    found = ask(other, "token", text=lost["token"])
    assert (found["board"], found["steps"]) == (lost["board"], lost["steps"])
    assert "of another case" in found["message"]


def test_a_damaged_token_is_refused_and_nothing_moves() -> None:
    shown = scheduler()
    before = ask(shown, "run")
    after = ask(shown, "token", text="nonsense")
    assert "is not a replay token" in after["message"]
    assert after | {"message": ""} == before | {"message": ""}


def test_what_goes_over_is_plain_and_the_saved_state_is_small() -> None:
    shown = scheduler()
    json.dumps(ask(shown, "find"))
    assert len(json.dumps(shown._view.get_state(), default=str)) < 10_000


def test_its_text_is_its_repr() -> None:
    shown = scheduler()
    assert repr(shown) == shown.text()
    assert "Who goes next?" in shown.text()


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_can_be_scheduled(name: str) -> None:
    shown = scheduler(name)
    ask(shown, "run")
    assert shown.session.is_over


def test_any_case_can_be_scheduled_and_an_unknown_defect_is_refused() -> None:
    assert ask(scheduler(Case(LADDER[0])), "run")["stake"]["kind"] == "good"
    with pytest.raises(InputError):
        scheduler("no such defect")

"""Asynchronous Event Request, Abort and log pages before a shim: as before the controller behind it."""

from typing import Any

import pytest

from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import AdminOpcode, LogPage
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import SQE

REQUEST = commands.async_event_request(0)
FUSED_REQUEST = SQE.pack(AdminOpcode.ASYNC_EVENT_REQUEST, 1, *[0] * 13)
Answer = tuple[int, Status] | None


class Guest:
    """The admin queue of a guest, with a shim before its controller or without."""

    def __init__(self, *, shim: bool) -> None:
        self.lab = Lab(LabSpec(guests=(GuestSpec(blocks=(8,), shim=shim),)))
        self.guest = self.lab.guests["guest"]
        self.queue = self.guest.driver.admin
        self.lab.begin()

    def issue(self, *sqes: bytes) -> list[Any]:
        """Submit each, and run until nobody can go on."""
        pending = []
        for sqe in sqes:
            actor = self.lab.engine.spawn("test", self.queue.issue(sqe))
            self.lab.engine.run()
            pending.append(actor.result)
        self.queue.reap_visible()
        return pending


def answers(pending: list[Any]) -> list[Answer]:
    """DW0 and status of each, or None where it still waits."""
    return [None if each.cqe is None else (each.cqe.dw0, Status(each.status)) for each in pending]


@pytest.fixture(params=[False, True], ids=["controller", "shim"])
def guest(request: pytest.FixtureRequest) -> Guest:
    return Guest(shim=request.param)


def test_requests_wait_up_to_the_limit(guest: Guest) -> None:
    assert answers(guest.issue(*[REQUEST] * 5)) == [None] * 4 + [(0, Status.ASYNC_LIMIT)]


def test_a_malformed_request_is_refused(guest: Guest) -> None:
    assert answers(guest.issue(FUSED_REQUEST)) == [(0, Status.INVALID_FIELD)]


def test_other_commands_go_on_while_requests_wait(guest: Guest) -> None:
    waiting = guest.issue(*[REQUEST] * 4)
    # More than the queue has slots, so that its laps are counted right.
    for _ in range(80):
        ((_, status),) = answers(guest.issue(commands.get_number_of_queues(0)))
        assert status == Status.SUCCESS
    assert answers(waiting) == [None] * 4


def test_a_waiting_request_is_aborted_and_counts_no_more(guest: Guest) -> None:
    first, second, *_ = waiting = guest.issue(*[REQUEST] * 4)
    assert answers(guest.issue(commands.abort(0, 0, second.cid))) == [(0, Status.SUCCESS)]
    assert answers([first, second]) == [None, (0, Status.ABORT_REQUESTED)]
    assert answers(guest.issue(REQUEST, REQUEST)) == [None, (0, Status.ASYNC_LIMIT)]
    assert answers(waiting[2:]) == [None, None]


def test_what_is_not_there_is_not_aborted(guest: Guest) -> None:
    assert answers(guest.issue(commands.abort(0, 1, 999))) == [(1, Status.SUCCESS)]


def test_log_pages_are_the_controllers() -> None:
    pages = []
    for shim in (True, False):
        guest = Guest(shim=shim)
        address = guest.guest.vm.pages.take(4096)
        assert answers(guest.issue(commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 1024, address))) == [
            (0, Status.SUCCESS)
        ]
        pages.append(guest.guest.vm.memory.read(address, 4096))
    assert pages[0] == pages[1]
    assert any(pages[0])

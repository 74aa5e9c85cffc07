"""Raw SQEs, doorbells and properties, most of them nonsense: the device answers, never raises, and stays consistent.

Every step of these runs is audited: what it touched lies within what it had declared.  This is a slice of what
`python -m tests.ssd.long_fuzz` does.
"""

import pytest

from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme.codes import AdminOpcode, Property
from tests.ssd.door import status_of
from tests.ssd.fuzzer import Fuzzer, check, picture

ROUNDS = 10
COMMANDS = 500


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_the_device_answers_nonsense_and_stays_consistent(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    for _ in range(COMMANDS):
        fuzzer.turn()
    fuzzer.settle()
    fuzzer.revive()
    fuzzer.settle()
    check(fuzzer.bench)
    known = {int(status) for status in Status}
    assert {status for _, status in fuzzer.answers} <= known
    assert len(fuzzer.answers) > COMMANDS // 4
    assert sum(status == Status.SUCCESS for _, status in fuzzer.answers) > COMMANDS // 8
    assert len({status for _, status in fuzzer.answers}) > 5
    assert fuzzer.bench.x.admin.status(commands.get_number_of_queues(0)) == Status.SUCCESS


def test_what_is_refused_leaves_the_device_as_it_was() -> None:
    fuzzer = Fuzzer(77, audited=False)
    bench = fuzzer.bench
    refused = 0
    for number in range(400):
        host = fuzzer.dice.choice(fuzzer.hosts)
        ring = host.admin if number % 2 else host.io
        before = picture(bench)
        if bench.ssd.controllers[host.cntlid].suspended or ring.qid not in host.controller.sqs:
            fuzzer = Fuzzer(number, audited=False)
            bench = fuzzer.bench
            continue
        sqe = fuzzer.twist(fuzzer.admin_sqe() if number % 2 else fuzzer.io_sqe())
        (cid,) = ring.submit(sqe)
        bench.engine.run()
        ring.reap()
        answers = ring.unread.pop(cid, None)
        ring.unread.clear()
        if answers is None:
            assert sqe[0] == AdminOpcode.ASYNC_EVENT_REQUEST
            continue
        status = status_of(answers[0])
        if status != Status.SUCCESS:
            refused += 1
            assert picture(bench) == before, f"{sqe.hex()} ended with {status!r} and changed the device"
        if host.read(Property.CSTS) != 1 or any(h.read(Property.CSTS) != 1 for h in fuzzer.hosts):
            fuzzer = Fuzzer(number, audited=False)
            bench = fuzzer.bench
    assert refused > 100

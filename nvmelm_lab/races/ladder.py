"""The ladder: scenarios to climb, smallest first, so that what is wrong is found where it is easiest to understand.

`LADDER` is what every VMM has to stand.  `SAFEGUARDS` are rungs with something more in them that a VMM has to guard
against, as `guarding` does.  `SCENARIOS` are larger, for measuring.
"""

from __future__ import annotations

from nvmelm_lab.races.scenario import Scenario

TWO_WRITES_ONE_LBA = Scenario("two writes, one LBA", "w0 w0", 1)

LADDER = (
    Scenario("one write, no round", "w0", 1, rounds=0),
    Scenario("one write, one round", "w0", 1),
    Scenario("one deallocation", "d0", 1, rounds=0),
    Scenario("one unreadable block", "u0", 1, rounds=0),
    Scenario("three blocks", "w0", 3, chunk=2, rounds=0),
    Scenario(
        "a write across granules",
        "w1-2",
        4,
        chunk=4,
        rounds=0,
        filled=0,
        whole_namespace=False,
        granularity=2,
    ),
    Scenario(
        "a deallocation across granules",
        "d1-2",
        4,
        chunk=4,
        rounds=0,
        whole_namespace=False,
        granularity=2,
    ),
    Scenario("three ranges", "d0,2,4", 5, chunk=5, rounds=0),
    Scenario("two writes", "w0 w1", 2, slots=5, rounds=0),
    Scenario("a deallocation, then a write", "d0 w0", 1, rounds=0),
    Scenario("two writes in flight", "w0 w1", 2, chunk=2, rounds=0, depth=2),
    Scenario("a write, read back", "w0 r0", 1, rounds=0),
    TWO_WRITES_ONE_LBA,
    Scenario("seven ranges, six slots", "d0,2,4,6 d1,3,5", 7, chunk=7, slots=6),
    Scenario("three writes, three slots", "w0 w1 w2", 3, chunk=3, slots=3),
    Scenario("a deallocation, and the queue fills", "d0 w1 w1", 2, chunk=2, slots=3),
)

SCENARIOS = (
    Scenario("1 command", "w0", 1),
    Scenario("2 commands", "w0 w2", 4, chunk=2, depth=2),
    Scenario("3 commands, QD 2", "w0 w2 d0", 5, chunk=2, depth=2),
    Scenario("3 commands, QD 3", "w0 w2 d0", 5, chunk=2, depth=3),
    Scenario("4 commands", "w0 w3 d6 w1", 9, chunk=2, depth=2, rounds=2),
    TWO_WRITES_ONE_LBA,
    Scenario("three writes, a small queue, two rounds", "w0 w1 w2", 3, slots=5, rounds=2, depth=3, copies=1),
)

SHARED = Scenario("a shared namespace", "w0", 2, chunk=2, rounds=0, partner="w1")
BEFORE = Scenario("commands at the destination before", "w0", 1, rounds=0, before="w0")
CANCELLED = Scenario("cancelled while the VM stands still", "w0", 1, rounds=0, fault="cancel@VMM#18")
SAFEGUARDS = (SHARED, BEFORE, CANCELLED)

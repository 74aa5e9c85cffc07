"""The long fuzz: ``python -m tests.ssd.long_fuzz [commands [first seed]]`` sends at least 200 000 commands.

Each round is an SSD of its own, with habits, block size and granularity of its own, every step audited; after each
round the SSD is at rest and consistent, and serves its hosts again.  A round that fails is named by its seed.
"""

import sys
from collections import Counter
from time import perf_counter

from nvmelm_lab.nvme import Status
from tests.ssd.fuzzer import Fuzzer, check

COMMANDS = 200_000
TURNS = 1_000
"""Turns of a round; not each of them gets a command through to the SSD."""


def fetched(fuzzer: Fuzzer) -> int:
    """Commands that the SSD has ever taken from the rings of this bench."""
    return sum(host.controller.fetched for host in fuzzer.hosts)


def play(seed: int) -> tuple[int, Counter[int]]:
    """One round; gives how many commands there were, and how often each status."""
    fuzzer = Fuzzer(seed)
    before = fetched(fuzzer)
    for _ in range(TURNS):
        fuzzer.turn()
    fuzzer.settle()
    fuzzer.revive()
    fuzzer.settle()
    check(fuzzer.bench)
    statuses = Counter(status for _, status in fuzzer.answers)
    unknown = statuses.keys() - {int(status) for status in Status}
    assert not unknown, f"statuses that the kit does not know: {sorted(unknown)}"
    return fetched(fuzzer) - before, statuses


def main(wanted: int = COMMANDS, seed: int = 1_000) -> None:
    """Play rounds until `wanted` commands were sent; prints what came of them."""
    commands, rounds, statuses, began = 0, 0, Counter[int](), perf_counter()
    while commands < wanted:
        try:
            more, answers = play(seed + rounds)
        except BaseException:
            print(f"the round with seed {seed + rounds} failed, after {commands} commands", file=sys.stderr)
            raise
        commands, rounds, statuses = commands + more, rounds + 1, statuses + answers
    seconds = perf_counter() - began
    print(f"{commands} commands in {rounds} rounds, {seconds:.0f} s; {statuses.total()} completions:")
    for status, count in statuses.most_common():
        print(f"{count:8}  {Status(status).title}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

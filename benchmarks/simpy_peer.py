"""The peer of the engine: the same guest, queue and controller, their steps performed by processes of SimPy 4.

Each step is one ``timeout`` followed by the very function that the engine would call: a process for the guest, one
that fetches, one for each command, one that reaps.  They differ in how one process waits for another:

`Idiomatic`
    As SimPy's manual shows: Stores for what is handed over, a Container for the queue depth, a Resource a channel.
`Bare`
    The leanest that SimPy allows: an event made when somebody waits, and the channel's queue kept by hand.  That
    gives up what makes SimPy readable; it is here to show where the bottom is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Protocol

import simpy

from benchmarks.bench import DEPTH, NAME, Bench, writes
from nvmelm_lab.engine import Resource
from nvmelm_lab.errors import KitError
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.entries import take_command

SLICE_NS = 640_000
"""Virtual time of a slice: some two hundred I/Os."""

Process = Generator[Any, Any, None]


class Peer(Protocol):
    """One way of writing the four processes."""

    env: simpy.Environment

    def __init__(self, bench: Bench, ios: int) -> None:
        """Set the processes up; nothing happens before `env` runs."""


def run(ios: int, peer: type[Peer]) -> Iterator[int]:
    """`ios` Writes by the processes of `peer`, in slices of the same virtual time."""
    bench = Bench()
    made = peer(bench, ios)
    guest = bench.lab.guests[NAME].programs[0]
    now, before = 0, -1
    while guest.completed < ios:
        if guest.completed == before:
            raise KitError(f"SimPy's processes stand still after {before} of {ios} I/Os")
        before, now = guest.completed, now + SLICE_NS
        made.env.run(now)
        yield guest.completed - before


class Idiomatic:
    """With SimPy's Stores, Containers and Resources."""

    def __init__(self, bench: Bench, ios: int) -> None:
        self.env = simpy.Environment()
        self.bench = bench
        self.program = bench.lab.program(NAME, ())
        self.room = simpy.Container(self.env, DEPTH, DEPTH)
        self.visible = simpy.Store(self.env)
        self.arrived = simpy.Store(self.env)
        self.channels = {channel: simpy.Resource(self.env) for channel in bench.lab.source.channels}
        for process in (self.guest(ios), self.fetcher(), self.collector()):
            self.env.process(process)

    def guest(self, ios: int) -> Process:
        """Submits while there is room."""
        submit, ring, timeout = self.program.submit, self.bench.queue.ring, self.env.timeout
        for operation in writes(ios):
            yield self.room.get(1)
            yield timeout(submit.takes)
            submit.act(operation)
            yield timeout(ring.takes)
            ring.act(None)
            yield self.visible.put(operation)

    def fetcher(self) -> Process:
        """Fetches one command after the other."""
        controller = self.bench.controller
        while True:
            yield self.visible.get()
            yield self.env.timeout(controller.fetch.takes)
            self.env.process(self.command(_taken(self.bench)))

    def command(self, command: Command) -> Process:
        """Executes and completes one command."""
        execute, complete = self.bench.controller.execute, self.bench.controller.complete
        assert execute.uses is not None
        resource, busy_ns, latency_ns = execute.uses(command)
        with self.channels[resource].request() as turn:
            yield turn
            yield self.env.timeout(busy_ns + latency_ns)
        execute.act(command)
        yield self.env.timeout(complete.takes)
        complete.act(command)
        yield self.arrived.put(command)

    def collector(self) -> Process:
        """Reaps."""
        reap = self.program.reap
        while True:
            yield self.arrived.get()
            yield self.env.timeout(reap.takes)
            before = self.program.completed
            reap.act(None)
            if self.program.completed > before:
                yield self.room.put(self.program.completed - before)


class Bare:
    """With an event a wait, and channels by hand."""

    def __init__(self, bench: Bench, ios: int) -> None:
        self.env = simpy.Environment()
        self.bench = bench
        self.program = bench.lab.program(NAME, ())
        self.awaited: dict[str, simpy.Event] = {}
        self.free_at: dict[Resource, float] = dict.fromkeys(bench.lab.source.channels, 0)
        for process in (self.guest(ios), self.fetcher(), self.collector()):
            self.env.process(process)

    def wait(self, word: str) -> simpy.Event:
        """An event that `wake` brings about."""
        event = self.awaited[word] = self.env.event()
        return event

    def wake(self, word: str) -> None:
        """Let go on who waits, if anybody does."""
        event = self.awaited.pop(word, None)
        if event is not None:
            event.succeed()

    def guest(self, ios: int) -> Process:
        """Submits while there is room."""
        submit, ring, timeout = self.program.submit, self.bench.queue.ring, self.env.timeout
        for operation in writes(ios):
            while not self.program.has_room(operation):
                yield self.wait("room")
            yield timeout(submit.takes)
            submit.act(operation)
            yield timeout(ring.takes)
            ring.act(None)
            self.wake("visible")

    def fetcher(self) -> Process:
        """Fetches one command after the other."""
        ring, takes = self.bench.ring, self.bench.controller.fetch.takes
        while True:
            while ring.visible.level <= ring.fetched:
                yield self.wait("visible")
            yield self.env.timeout(takes)
            self.env.process(self.command(_taken(self.bench)))

    def command(self, command: Command) -> Process:
        """Executes and completes one command."""
        execute, complete, env = self.bench.controller.execute, self.bench.controller.complete, self.env
        assert execute.uses is not None
        resource, busy_ns, latency_ns = execute.uses(command)
        free_at = self.free_at[resource] = max(self.free_at[resource], env.now) + busy_ns
        yield env.timeout(free_at + latency_ns - env.now)
        execute.act(command)
        yield env.timeout(complete.takes)
        complete.act(command)
        self.wake("arrived")

    def collector(self) -> Process:
        """Reaps."""
        reap, arrived = self.program.reap, self.bench.queue.arrived
        seen = arrived.level
        while True:
            while arrived.level <= seen:
                yield self.wait("arrived")
            seen = arrived.level
            yield self.env.timeout(reap.takes)
            reap.act(None)
            self.wake("room")


def _taken(bench: Bench) -> Command:
    command = take_command(bench.controller, bench.ring)
    if command is None:
        raise KitError("a ring of twice the queue depth is full")
    return command

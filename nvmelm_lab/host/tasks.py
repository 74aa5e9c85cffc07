"""Tasks: a learner's coroutines that go on side by side, each with queue pairs and buffers of its own.

A group of `limit` tasks at once has that many *lanes*.  Number k that is started goes on lane k modulo `limit`,
behind what was started there before: which lane comes next never depends on what is done first.  So independent
tasks touch nothing in common, and their order need not be tried.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, TypeVar

from nvmelm_lab.engine import Actor, Kind, Signal, do
from nvmelm_lab.engine.step import Step
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.copier import Lane
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import Move

T = TypeVar("T")

Send = Callable[[Coroutine[Any, Any, Any], Any], Step]
"""Lets a learner's coroutine go on with a value to its next step.  Raises what it raises; StopIteration at its end."""


def _send(coroutine: Coroutine[Any, Any, Any], value: Any) -> Step:
    step: Step = coroutine.send(value)
    return step


class Place:
    """Where a learner's coroutine goes on: its lane, and the controllers as it reaches them.

    The program itself has a place, and each task of an open group; the program's lane is None until it is needed.
    """

    __slots__ = ("_sides", "is_task", "lane")

    def __init__(self, lane: Lane | None, sides: tuple[ManagedController, ManagedController] | None) -> None:
        self.lane = lane
        self.is_task = sides is None
        self._sides = sides

    def sides(self, move: Move) -> tuple[ManagedController, ManagedController]:
        """The source's and the destination's controller, with buffers that no other place uses."""
        if self._sides is None:
            self._sides = (move.source_side.apart(), move.destination_side.apart())
        return self._sides


class Desk:
    """What the verbs of one migration share: who is going on now, and which lanes are free.

    here
        The place of the coroutine that is going on.
    is_over
        Whether the run has ended around the program.
    groups
        Open groups of tasks.
    phase
        That to which the verbs of now belong.
    tells_deliveries
        Whether the moment at which a verb gives its result to one of several tasks is a step that the others can tell
        of: for programs whose tasks share variables.
    send
        How coroutines of the learner are let go on, for whoever watches them.
    """

    def __init__(self, migration: Migration, *, send: Send = _send, tells_deliveries: bool = False) -> None:
        self.migration = migration
        self.move = migration.move
        self.engine = migration.engine
        self.send = send
        self.tells_deliveries = tells_deliveries
        self.program = Place(None, (self.move.source_side, self.move.destination_side))
        self.here = self.program
        self.phase = ""
        self.is_over = False
        self.groups = 0
        self.opened = 0
        self._free = deque(Place(lane, None) for lane in self.move.copier.lanes)
        self._deliver = Kind(
            "go on",
            lambda _: None,
            touches=lambda _: ((), (("variables", self.move.vm.name),)),
            label=lambda _: "goes on",
        )

    def enter(self, phase: str) -> None:
        """What is done from now on belongs to `phase` of the migration."""
        if phase != self.phase and not self.is_over:
            self.phase = phase
            self.move.enter(phase)

    @types.coroutine
    def lead(self, place: Place, coroutine: Coroutine[Any, Any, T]) -> Generator[Step, Any, T]:
        """Let a coroutine of the learner go on at `place`, step by step, to its end."""
        value: Any = None
        send = self.send
        try:
            while True:
                self.here = place
                try:
                    step = send(coroutine, value)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                value = yield step
        except GeneratorExit:
            self.is_over = True
            raise
        finally:
            # On the way out there are no more steps; who would take one cannot.
            with suppress(RuntimeError):
                coroutine.close()

    async def lane(self) -> Lane:
        """The lane of who asks; the program itself gets one of its own while a group is open."""
        here = self.here
        if here.lane is None:
            if self._free and not self.groups:
                here = self._free[0]
            else:
                here.lane = (await self.take_place()).lane
        assert here.lane is not None
        return here.lane

    async def take_place(self) -> Place:
        """A place for tasks that nobody uses; one with new queue pairs if there is none."""
        if self._free:
            return self._free.popleft()
        move = self.move
        return Place(await move.copier.open_lane(move.source.driver, move.destination.driver), None)

    def give_places(self, places: list[Place]) -> None:
        """Nobody uses these places any more."""
        self._free.extendleft(reversed(places))

    def share_queues(self, *, shared: bool) -> None:
        """Whether from now on several tasks may use the admin queues: their order can then be told."""
        for side in (self.move.source, self.move.destination):
            side.driver.admin.is_shared = shared

    async def delivered(self) -> None:
        """A verb is about to give its result."""
        if self.tells_deliveries and self.groups:
            await do(self._deliver)


class Task:
    """A coroutine that was started in a group: ``await task`` gives its result, or raises what ended it."""

    __slots__ = ("_coroutine", "_done", "_error", "_result")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Signal) -> None:
        self._coroutine = coroutine
        self._done = done
        self._error: BaseException | None = None
        self._result: Any = None

    async def run(self, desk: Desk, place: Place) -> None:
        """Let it go on at `place` until it ends.  Raises what it raises."""
        desk.here = place
        await desk.delivered()
        try:
            self._result = await desk.lead(place, self._coroutine)
        except Exception as error:
            self._error = error
            self._done.set()
            raise
        self._done.set()

    def drop(self, error: BaseException) -> None:
        """It will not begin any more, because of `error`."""
        self.close()
        self._error = error
        self._done.set()

    def close(self) -> None:
        """It will not begin any more, and nobody is there to be told."""
        self._coroutine.close()

    def __await__(self) -> Generator[Step, Any, Any]:
        yield from self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result


class _Worker:
    """One lane of a group: an actor, and the tasks that it still has to do."""

    __slots__ = ("actor", "error", "place", "queued", "tasks")

    def __init__(self, place: Place, queued: Signal) -> None:
        self.actor: Actor | None = None
        self.error: BaseException | None = None
        self.place = place
        self.queued = queued
        self.tasks: deque[Task] = deque()

    def drop_all(self, error: BaseException) -> None:
        """None of its tasks will begin any more, because of `error`."""
        while self.tasks:
            self.tasks.popleft().drop(error)


class Group:
    """Tasks of which at most `limit` go on at once; ``async with`` waits at its end for all of them."""

    def __init__(self, desk: Desk, limit: int) -> None:
        self._desk = desk
        self._limit = limit
        self._workers: list[_Worker] = []
        self._started = 0
        self._is_open = False
        self._name = ""

    async def __aenter__(self) -> Group:
        desk = self._desk
        if desk.here.is_task:
            raise InputError("a task cannot open tasks of its own; start them all from migrate")
        if self._workers:
            raise InputError("a group of tasks is opened once; ask tasks(...) for another")
        desk.opened += 1
        self._name = f"copy {desk.move.vm.name} {desk.opened}"
        for number in range(1, self._limit + 1):
            queued = Signal(desk.engine, f"something to do for copy task {number}")
            self._workers.append(_Worker(await desk.take_place(), queued))
        desk.groups += 1
        self._is_open = True
        desk.share_queues(shared=True)
        return self

    def start(self, task: Coroutine[Any, Any, T]) -> Task:
        """Let `task`, a coroutine such as ``copy_one(extent)``, go on beside the others.

        It begins when its lane is free: with ``limit=2`` the third task when the first has ended.
        InputError for what is no coroutine, or when the group is not open.
        """
        if not isinstance(task, Coroutine):
            raise InputError(
                f"start takes a coroutine, such as copy_one(extent) where copy_one is an async def; "
                f"this is {_article(type(task).__name__)}"
            )
        if not self._is_open or self._desk.is_over:
            task.close()
            raise InputError(
                "this group of tasks is not open; start them inside `async with tasks(...) as group:`"
            )
        desk, place = self._desk, self._started % self._limit
        self._started += 1
        started = Task(task, Signal(desk.engine, f"task {self._started} of {desk.move.vm.name}"))
        worker = self._workers[place]
        if worker.error is not None:
            started.drop(worker.error)
            return started
        worker.tasks.append(started)
        worker.queued.count()
        if worker.actor is None:
            worker.actor = desk.engine.spawn(f"{self._name}.{place + 1}", self._work(worker))
            worker.actor.watched = True
        return started

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        self._is_open = False
        if kind is GeneratorExit:
            # The run is over; nobody waits, and nobody is waited for.
            return
        for worker in self._workers:
            if error is not None:
                worker.drop_all(error)
            worker.queued.count()
        for worker in self._workers:
            if worker.actor is not None:
                await worker.actor.done.wait()
        desk = self._desk
        desk.groups -= 1
        if not desk.groups:
            desk.share_queues(shared=False)
        desk.give_places([worker.place for worker in self._workers])
        failed = [worker.error for worker in self._workers if worker.error is not None]
        if failed and error is None:
            raise failed[0]

    async def _work(self, worker: _Worker) -> None:
        """Do the tasks of one lane, one after the other, until the group is closed; the first that fails ends it."""
        done = 0
        try:
            while True:
                done += 1
                await worker.queued.wait(done)
                if not worker.tasks:
                    return
                await worker.tasks.popleft().run(self._desk, worker.place)
        except Exception as error:
            worker.error = error
            worker.drop_all(error)
        finally:
            for task in worker.tasks:
                task.close()


class Tasks:
    """``tasks(limit=n)``: a group of tasks of which at most n go on at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __call__(self, *, limit: int = 0) -> Group:
        """A group to be opened by ``async with``.

        limit
            Tasks at once; the host has queue pairs for only so many, and more are never done.  0: as many as those.
        """
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise InputError(f"tasks cannot have the limit {limit!r}; give a whole number from 1 on")
        most = self._desk.move.plan.copy_tasks
        return Group(self._desk, min(limit or most, most))


def _article(name: str) -> str:
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"

"""The schedule with a clock: integer ns, resources that serve first come first served, ties by name."""

import pytest

from nvmelm_lab.engine import Gate, Kind, Resource, Signal, Timed, do, until
from nvmelm_lab.lab import Lab
from tests.engine.actors import Diary


@pytest.fixture
def diary() -> Diary:
    return Diary(Timed())


class Stamped(Diary):
    """A diary that notes the time of each entry."""

    def kind(self, name: str = "write", **more: object) -> Kind:
        return Kind(name, lambda word: self.entries.append((word[0], self.engine.now)), **more)  # type: ignore[arg-type]


@pytest.fixture
def stamped() -> Stamped:
    return Stamped(Timed())


def test_a_step_acts_at_its_end(stamped: Stamped) -> None:
    stamped.writer("a", 1, 2, kind=stamped.kind(takes=30))
    assert stamped.run() == [("a", 30), ("a", 60)]


def test_time_goes_from_step_to_step_across_actors(stamped: Stamped) -> None:
    stamped.writer("slow", 1, 2, kind=stamped.kind(takes=50))
    stamped.writer("fast", 1, 2, 3, kind=stamped.kind(takes=20))
    assert stamped.run() == [("fast", 20), ("fast", 40), ("slow", 50), ("fast", 60), ("slow", 100)]


def test_steps_that_end_at_the_same_ns_happen_in_the_order_of_their_actors_names(diary: Diary) -> None:
    for name in ("c", "a", "b"):
        diary.writer(name, 1, 2, kind=diary.kind(takes=10))
    diary.run()
    assert diary.order == "abcabc"


def test_a_resource_serves_one_step_at_a_time_in_the_order_of_asking(stamped: Stamped) -> None:
    link = Resource("link")
    kind = stamped.kind(uses=lambda _: (link, 100, 0))
    for name in ("b", "a"):
        stamped.writer(name, 1, 2, kind=kind)
    assert stamped.run() == [("b", 100), ("a", 200), ("b", 300), ("a", 400)]


def test_latency_delays_the_effect_but_not_the_next_user_of_the_resource(stamped: Stamped) -> None:
    link = Resource("link")
    kind = stamped.kind(uses=lambda _: (link, 100, 1_000))
    for name in ("a", "b"):
        stamped.writer(name, 1, kind=kind)
    assert stamped.run() == [("a", 1_100), ("b", 1_200)]
    assert link.free_at == 200


def test_an_idle_resource_does_not_serve_in_the_past(stamped: Stamped) -> None:
    link = Resource("link")
    kind = stamped.kind(uses=lambda _: (link, 100, 0))

    async def late() -> None:
        await until(5_000)
        await do(kind, ("late", 1))

    stamped.spawn("late", late())
    stamped.writer("early", 1, kind=kind)
    assert stamped.run() == [("early", 100), ("late", 5_100)]


def test_two_resources_serve_side_by_side(stamped: Stamped) -> None:
    for name in ("a", "b"):
        channel = Resource(f"channel {name}")
        stamped.writer(name, 1, kind=stamped.kind(uses=lambda _, channel=channel: (channel, 100, 0)))
    assert stamped.run() == [("a", 100), ("b", 100)]


def test_idling_until_a_time_that_has_passed_takes_no_time(stamped: Stamped) -> None:
    async def idle() -> None:
        await until(100)
        await until(40)
        await do(stamped.kind(), ("a", 1))

    stamped.spawn("a", idle())
    assert stamped.run() == [("a", 100)]


def test_waiting_for_a_signal_ends_at_the_moment_when_it_is_raised(stamped: Stamped) -> None:
    bell = Signal(stamped.engine, "bell")

    async def wait() -> None:
        await bell.wait()
        await do(stamped.kind(), ("waits", 1))

    async def ring() -> None:
        await do(Kind("ring", lambda _: bell.set(), takes=70))

    stamped.spawn("waits", wait())
    stamped.spawn("rings", ring())
    assert stamped.run() == [("waits", 70)]


def test_a_step_behind_a_closed_gate_begins_when_the_gate_opens(stamped: Stamped) -> None:
    gate = Gate(stamped.engine, "processors")

    async def vmm() -> None:
        await do(Kind("pause", lambda _: gate.close(), takes=10))
        await until(1_000)
        await do(Kind("start", lambda _: gate.open(), takes=10))

    stamped.writer("guest", 1, kind=stamped.kind(takes=30, gate=gate))
    stamped.spawn("VMM", vmm())
    assert stamped.run() == [("guest", 1_040)]


def test_an_actor_that_was_stopped_moves_the_clock_no_more(stamped: Stamped) -> None:
    async def idle() -> None:
        await until(1_000_000)

    stamped.spawn("idle", idle())
    stamped.writer("a", 1, kind=stamped.kind(takes=10))
    stamped.engine.stop("idle")
    stamped.run()
    assert stamped.engine.now == 10


def test_the_clock_counts_in_whole_ns_whatever_a_lab_does() -> None:
    lab = Lab()
    lab.begin()
    lab.engine.run(lab.engine.spawn("VMM", lab.migration("guest").run()))
    assert type(lab.engine.now) is int
    assert lab.engine.now > 0

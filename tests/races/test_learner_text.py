"""Programs of learners as text: what runs, and the one sentence that each sort of broken program gets."""

import inspect
from dataclasses import replace

import pytest

from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.host import ready_copy
from nvmelm_lab.races import Explorer, Scenario, reference_vmm
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.learner import compile_vmm
from nvmelm_lab.races.learner_sharing import shared_variables
from nvmelm_lab.races.learner_text import ProgramError
from nvmelm_lab.races.scenario import World
from nvmelm_lab.races.walk import Walk

ONE = Scenario("one write, no round", "w0", 1, rounds=0)
THREE = Scenario("three blocks", "w0", 3, chunk=2, rounds=0)

REFERENCE = inspect.getsource(reference_vmm)

READY = f"from {ready_copy.__name__} import ready_copy\n"

END = """
    await vm.pause()
    await source.suspend()
    await copy(await mq.drain(until="suspended"))
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)
"""

BEGIN = """async def migrate(vm, source, destination, tasks):
    copy = ready_copy(source, destination, tasks)
    mq = await source.create_mq()
    await source.track_send(mq, start=True)
    await copy(await source.lba_status())
"""

RIGHT = BEGIN + END + READY


def error_of(text: str, scenario: Scenario = ONE, *, instructions: int = 0) -> ProgramError:
    """What ends one run of the program."""
    with pytest.raises(ProgramError) as caught:
        raise _run(text, scenario, instructions) or AssertionError("the program went to its end")
    assert "\n" not in str(caught.value)
    return caught.value


def _run(text: str, scenario: Scenario, instructions: int) -> BaseException | None:
    world = World(scenario, compile_vmm(text, instructions=instructions))
    world.begin(Walk())
    world.engine.run()
    world.engine.use(RunToBlock())
    return next(actor.error for actor in world.actors if actor.name == "VMM")


@pytest.mark.parametrize("text", [REFERENCE, RIGHT])
def test_a_right_program_loses_nothing_in_any_order(text: str) -> None:
    for scenario in (ONE, THREE):
        found = Explorer(Case(scenario, source=text).worlds()).run()
        assert found.failures == {}
        assert found.executions > 5


def test_the_text_of_the_reference_has_as_many_orders_as_the_reference() -> None:
    scenario = Scenario("2 commands", "w0 w2", 4, chunk=2, depth=2)
    assert shared_variables(REFERENCE) == ()
    internal = Explorer(Case(scenario).worlds()).run()
    assert Explorer(Case(scenario, source=REFERENCE).worlds()).run().executions == internal.executions


def test_a_wrong_program_is_found() -> None:
    text = RIGHT.replace('    await copy(await mq.drain(until="suspended"))\n', "")
    found = Explorer(Case(ONE, source=text).worlds()).run()
    assert any("no write lost: LBA 0" in sentence for sentence in found.failures)


def test_what_a_program_keeps_is_gone_in_the_next_execution() -> None:
    text = (
        RIGHT.replace("    copy =", "    runs.append(1)\n    assert len(runs) == 1\n    copy =")
        + "runs = []\n"
    )
    assert Explorer(Case(ONE, source=text).worlds()).run().failures == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "async def migrate(vm:\n    pass\n",
            "this is not Python: line 1 of your program: `async def migrate(vm:`",
        ),
        ("x = 1\0", "this is not Python"),
        (
            "def helper(): pass",
            "there is no migrate; write `async def migrate(vm, source, destination, tasks):`",
        ),
        ("def migrate(vm, source, destination, tasks): pass", "migrate is a plain `def`"),
        ("async def migrate(vm, source): pass", "migrate takes other parameters"),
        ("async def migrate(a, b, c, d, *, e): pass", "migrate takes other parameters"),
        ("async def migrate(vm, source, destination, tasks):\n    yield 1", "migrate has a `yield`"),
    ],
)
def test_what_is_no_program_is_refused_before_it_runs(text: str, words: str) -> None:
    with pytest.raises(ProgramError) as caught:
        compile_vmm(text)
    assert words in str(caught.value)
    assert caught.value.outcome == "not a migration"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "outcome", "words"),
    [
        ("    d = {}\n    d[3]\n", "raises", "line 4 of migrate: `d[3]` raised KeyError: 3"),
        ("    await sleep(0)\n", "raises", "line 3 of migrate: `await sleep(0)` awaits what is no verb"),
        ("    return\n", "moves nothing", "the VM does not run at the destination"),
        (
            "    while True:\n        await source.whole()\n        await mq.drain()\n",
            "never finishes",
            "steps",
        ),
        (
            "    while True:\n        pass\n",
            "never finishes",
            "instructions without a step, and goes on at line",
        ),
        ("    all(x >= 0 for x in count())\n", "never finishes", "line 3 of migrate: `all("),
        (
            "    while True:\n        try:\n            pass\n        except Exception:\n            pass\n",
            "never finishes",
            "of migrate",
        ),
    ],
)
def test_a_program_that_breaks_gets_one_sentence_with_its_line(wrong: str, outcome: str, words: str) -> None:
    imports = "from asyncio import sleep\nfrom itertools import count\n"
    needs_queue = "mq" in wrong
    place = "    await source.track_send" if needs_queue else "    mq ="
    error = error_of(RIGHT.replace(place, wrong + place) + imports, instructions=20_000)
    assert (error.outcome, words in str(error)) == (outcome, True), str(error)


def test_an_error_in_a_task_names_the_line_of_the_task() -> None:
    text = """async def migrate(vm, source, destination, tasks):
    async def one(extent):
        data = await source.read(extent)
        return data.nothing
    async with tasks() as group:
        for extent in await source.whole():
            group.start(one(extent))
"""
    assert "line 3 of one: `return data.nothing` raised AttributeError" in str(error_of(text))


def test_an_error_of_the_text_outside_all_functions_is_told_too() -> None:
    error = error_of(RIGHT + "\n1 / 0\n")
    assert "of your program: `1 / 0` raised ZeroDivisionError" in str(error)


def test_a_loop_of_the_text_itself_is_ended_too() -> None:
    assert error_of(RIGHT + "\nwhile True: pass\n", instructions=20_000).outcome == "never finishes"


def test_a_learner_can_catch_what_a_verb_raises_in_a_task() -> None:
    text = """from nvmelm_lab.host.verbs import Unreadable

async def migrate(vm, source, destination, tasks):
    async def one(extent):
        raise Unreadable("so it is")
    try:
        async with tasks() as group:
            for extent in await source.whole():
                group.start(one(extent))
    except Unreadable:
        raise RuntimeError("caught it")
"""
    assert "RuntimeError: caught it" in str(error_of(text))


# -- variables that tasks share --------------------------------------------------------------------------------

BY_WORKERS = """async def migrate(vm, source, destination, tasks):
    async def copy(ranges):
        todo = list(ranges)
        async with tasks(limit=2) as group:
            group.start(worker(todo))
            group.start(worker(todo))

    async def worker(todo):
        while todo:
            extent = todo.pop()
            await destination.write(extent, await source.read(extent))

    mq = await source.create_mq()
    await source.track_send(mq, start=True)
    await copy(await source.lba_status())
"""


def test_workers_that_take_from_one_list_share_it() -> None:
    (shared,) = shared_variables(BY_WORKERS + END)
    assert (shared.name, str(shared.line)) == ("todo", "line 3 of worker: `extent = todo.pop()`")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("nonlocal n; n += 1", ["n"]),
        ("done[extent.slba] = True", ["done"]),
        ("del done[0]", ["done"]),
        ("vm.note = 1", ["vm"]),
        ("mine = []; mine.append(1)", []),
        ("print(done)", []),
    ],
)
def test_what_counts_as_shared(change: str, names: list[str]) -> None:
    text = f"""async def migrate(vm, source, destination, tasks):
    n, done = 0, dict()
    async def one(extent):
        {change}
    async with tasks() as group:
        group.start(one(None))
"""
    assert [each.name for each in shared_variables(text)] == names


def test_a_function_that_no_task_calls_shares_nothing() -> None:
    text = "total = []\nasync def migrate(vm, source, destination, tasks):\n    total.append(1)\n"
    assert shared_variables(text) == ()


def test_a_lost_update_between_two_tasks_is_found_only_where_their_moments_are_steps() -> None:
    """Each task reads the count, awaits, and writes it back; the program copies the rest only if it counted all."""
    scenario = replace(THREE, guest="")
    text = """async def migrate(vm, source, destination, tasks):
    counted = 0

    async def one(extent):
        nonlocal counted
        before = counted
        data = await source.read(extent)
        counted = before + 1
        await destination.write(extent, data)

    async with tasks(limit=2) as group:
        for extent in await source.whole():
            group.start(one(extent))
    assert counted in (1, 2), counted
    first = counted
    await vm.pause()
    await source.suspend()
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)
    assert first == 1, "each counted by itself"
"""

    def failures(*, tells: bool) -> set[str]:
        vmm = compile_vmm(text, tells_deliveries=tells)
        return {sentence for sentence in Explorer(lambda: World(scenario, vmm)).run().failures}

    assert len(shared_variables(text)) == 1
    assert any("each counted by itself" in sentence for sentence in failures(tells=True))
    assert failures(tells=False) == set()
    assert Explorer(Case(scenario, source=text).worlds()).run().failures

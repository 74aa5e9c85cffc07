"""A summarizer takes its frames between two steps, and counts what is the guest's alone."""

import pytest

from nvmelm_lab.engine import Engine, RunToBlock, Summary, unpack_runs
from nvmelm_lab.host import provision
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import Lab
from nvmelm_lab.nvme import commands
from nvmelm_lab.runs.roles import roles_of
from nvmelm_lab.runs.states import State
from nvmelm_lab.runs.summarizer import FIRST_INTERVAL_STEPS, Summarizer

INTRODUCTION = [
    ("lab", 4096, "source SSD", "X", "destination SSD", "G"),
    ("disk", "guest", ("Y", 2), ("H", 2), 1, 16, (1, 2, 3, 4)),
    ("disk", "neighbour", ("Z", 3), ("I", 3), 2, 8, ()),
]


class Told:
    """A summarizer, and an engine that tells it whatever a test wants."""

    def __init__(self, most_tiles: int = 16) -> None:
        self.engine = Engine(RunToBlock())
        self.summarizer = Summarizer(
            self.engine, roles_of(INTRODUCTION, "guest"), most_tiles=most_tiles, most_frames=64
        )

    def step(self, number: int, *effects: tuple) -> None:
        self.engine.step_index = number
        for effect in effects:
            self.engine.emit(effect)

    def levels(self) -> dict[str, int]:
        summary = self.summarizer.so_far()
        return dict(zip(summary.counters, summary.frames[-1].counters, strict=True))


def wrote(slba: int, *stamps: int) -> tuple:
    return ("wrote", "source SSD", 1, slba, stamps, "Y.sq1#1")


def copied(slba: int, *stamps: int) -> tuple:
    return ("wrote", "destination SSD", 1, slba, stamps, "G.sq1#1")


def maps(summary: Summary) -> list[tuple[int, list]]:
    return [(frame.step, [list(unpack_runs(runs)) for runs in frame.maps]) for frame in summary.frames]


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_first_frame_shows_how_it_was_before_anything_happened(told):
    assert maps(told.summarizer.so_far()) == [(-1, [[(0, 4, State.MAPPED)], []])]


def test_a_frame_shows_all_that_its_step_did_though_it_was_marked_half_way(told):
    told.step(3, wrote(8, 9), ("phase", "Prepare"), wrote(9, 9))
    told.step(4, wrote(10, 9))
    frames = maps(told.summarizer.so_far())
    assert frames[1:] == [(3, [[(8, 2, State.MAPPED)], []]), (4, [[(10, 1, State.MAPPED)], []])]


def test_frames_are_taken_when_their_time_has_come_and_not_for_every_step(told):
    for number in range(FIRST_INTERVAL_STEPS + 3):
        told.step(number, ("acknowledged", "guest", "write", number, 1))
    steps = [frame.step for frame in told.summarizer.so_far().frames]
    assert steps == [-1, FIRST_INTERVAL_STEPS - 1, FIRST_INTERVAL_STEPS + 2]


def test_where_nothing_changed_there_is_no_frame(told):
    for number in range(0, 400, 40):
        told.step(number, ("read", "source SSD", 1, 0, (1,), "Y.sq1#1"), ("doorbell", "Y", "SQ", 1, 1, True))
    assert len(told.summarizer.so_far().frames) == 1
    assert len(told.summarizer.so_far().frames) == 1


def test_only_the_guests_own_commands_that_changed_data_are_counted(told):
    for number, (who, kind) in enumerate(
        [
            ("guest", "write"),
            ("guest", "read"),
            ("guest", "flush"),
            ("guest", "trim"),
            ("neighbour", "write"),
            ("guest disk 2", "zeroes"),
        ]
    ):
        told.step(number, ("acknowledged", who, kind, 0, 1))
    assert told.levels()["guest writes"] == 3


def test_a_write_that_failed_is_not_acknowledged():
    lab = Lab()
    lab.begin()
    _, guest, (_, cntlid), _, nsid, *_ = lab.introduction()[1]
    lab.engine.spawn("detach", provision.detach(lab.source_driver, nsid, [cntlid]))
    lab.engine.run()
    acknowledged = []
    lab.engine.observe("acknowledged", acknowledged.append, frequent=True)
    program = lab.run_workload(guest, [Operation(OperationKind.WRITE, 0, 1, 0)])
    lab.engine.run()
    assert program.failed
    assert acknowledged == []


def test_copies_and_what_fell_behind_are_counted(told):
    told.step(1, copied(0, 1, 2))
    told.step(2, wrote(1, 70))
    assert (told.levels()["copied"], told.levels()["behind"]) == (2, 1)
    told.step(3, copied(1, 70))
    assert (told.levels()["copied"], told.levels()["behind"]) == (3, 0)


@pytest.mark.parametrize(
    "effect",
    [
        ("namespace deleted", "destination SSD", 1),
        ("vm", "guest", "running", "H"),
        ("resumed", "H"),
        copied(1, 9),
        wrote(0, 9),
    ],
)
def test_a_frame_that_is_due_shows_nothing_of_the_step_after_it(told, effect):
    told.step(1, copied(0, 1), ("phase", "Prepare"))
    told.step(2, effect)
    assert maps(told.summarizer.so_far())[1] == (1, [[], [(0, 1, State.EQUAL)]])


def test_a_controller_that_a_reset_resumes_does_not_run(told):
    told.step(1, ("reset", "H"), ("resumed", "H"))
    assert len(told.summarizer.so_far().frames) == 1
    told.step(2, ("resumed", "H"))
    assert maps(told.summarizer.so_far())[1:] == [(2, [[], [(0, 4, State.LOST)]])]


def submitted(who: str, qid: int, nsid: int = 1, slba: int = 0) -> tuple:
    return ("submitted", who, qid, 7, commands.read(7, nsid, slba, 2, 0, 0))


@pytest.mark.parametrize(
    ("asked", "controller", "copying"),
    [
        (submitted("copy task 1", 1), "X", True),
        (submitted("copy task 1", 2), "X", False),
        (submitted("copy task 1", 1), "G", False),
        (submitted("copy task 1", 1, nsid=2), "X", False),
        (submitted("copy task 1", 1, slba=15), "X", False),
        (submitted("VMM on X", 0), "X", False),
        (submitted("guest", 1), "X", False),
        (submitted("neighbour", 1), "X", False),
        (submitted("shim Y", 1), "X", False),
    ],
)
def test_a_read_of_the_source_that_is_neither_a_guests_nor_a_shims_is_a_copy_from_its_doorbell_on(
    told, asked, controller, copying
):
    told.step(1, asked)
    assert len(told.summarizer.so_far().frames) == 1
    told.step(2, ("doorbell", controller, "SQ", 1, 1, True))
    expected = [(2, [[], [(0, 2, State.COPYING)]])] if copying else []
    assert maps(told.summarizer.so_far())[1:] == expected


def test_what_neighbours_write_is_nobodys_business(told):
    told.step(
        1, ("wrote", "source SSD", 2, 0, (7,), "Z.sq1#1"), ("wrote", "source SSD", 1, 9, (7,), "Z.sq1#2")
    )
    assert len(told.summarizer.so_far().frames) == 1


def test_a_finished_summary_stays_as_it_is(told):
    told.step(1, wrote(9, 9))
    frames = list(told.summarizer.finish().frames)
    told.step(2, wrote(10, 9), ("phase", "Clean up"))
    assert told.summarizer.finish().frames == frames


@pytest.mark.parametrize(("most", "tile"), [(16, 1), (15, 2), (8, 2), (7, 4), (1, 16)])
def test_tiles_are_the_smallest_that_are_few_enough(most, tile):
    assert Told(most).summarizer.so_far().about["tile"] == tile

"""blkparse's default output, as blkparse 1.2.0 prints it."""

from pathlib import Path

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.recordings import Recording, load_recording, samples

DATA = Path(__file__).parent / "data"
READ, WRITE, TRIM, ZEROES, FLUSH = (
    OperationKind.READ,
    OperationKind.WRITE,
    OperationKind.TRIM,
    OperationKind.ZEROES,
    OperationKind.FLUSH,
)


def loaded(name: str) -> Recording:
    return load_recording(DATA / name, lba_bytes=512, blocks=1 << 28)


@pytest.fixture
def load(tmp_path):
    def of_text(text: str, lba_bytes: int = 512, blocks: int = 1 << 28) -> Recording:
        path = tmp_path / "own.txt"
        path.write_text(text)
        return load_recording(path, lba_bytes=lba_bytes, blocks=blocks)

    return of_text


def event(action: str, rwbs: str, rest: str, at: str = "0.000001000", device: str = "259,0") -> str:
    return f"{device}    0        1     {at}  4242  {action} {rwbs:>3} {rest}\n"


def what(recording: Recording) -> list[tuple[OperationKind, int, int]]:
    return [(operation.kind, operation.slba, operation.blocks) for operation in recording.operations]


def test_the_sample_counts_each_io_once_when_it_is_queued():
    (sample,) = [path for path in samples() if path.name.startswith("blkparse")]
    recording = load_recording(sample, lba_bytes=512, blocks=1 << 36)
    assert recording.format == "blkparse"
    assert recording.operations == (
        Operation(WRITE, 2048, 8, 0),
        Operation(WRITE, 4096, 128, 10_210),
        Operation(READ, 8, 8, 20_440),
        Operation(TRIM, 2147483648, 256, 30_660),
        Operation(FLUSH, 0, 0, 40_870),
        Operation(WRITE, 2048, 16, 51_080),
        Operation(READ, 17179869184, 8, 61_290),
    )
    assert recording.notes == ("Each I/O is counted once, when it was queued (Q).",)
    assert recording.left_out["C events"] == 8
    assert recording.left_out["lines of the summary"] == 11


def test_sectors_have_512_bytes_whatever_the_lba_has(load):
    assert what(load(event("Q", "W", "16 + 16 [fio]"), lba_bytes=4096)) == [(WRITE, 2, 2)]


def test_without_queued_events_issued_ones_are_counted():
    recording = loaded("blkparse_issue_only.txt")
    assert what(recording) == [
        (READ, 2048, 8),
        (WRITE, 0, 256),
        (WRITE, 256, 256),
        (FLUSH, 0, 0),
        (WRITE, 512, 8),
    ]
    assert recording.notes[0] == "Each I/O is counted once, when it was issued (D)."
    assert recording.left_out["commands without an extent (passthrough)"] == 1


def test_without_either_completed_events_are_counted_unless_they_failed():
    recording = loaded("blkparse_complete_only.txt")
    assert what(recording) == [(READ, 2048, 8), (WRITE, 0, 256), (FLUSH, 0, 0), (WRITE, 512, 8)]
    assert recording.notes[0] == "Each I/O is counted once, when it completed (C)."
    assert recording.left_out["I/Os that failed"] == 1


def test_queued_passthrough_commands_do_not_hide_issued_ios(load):
    text = event("Q", "R", "36 (12 00 ..) [nvme]") + event("D", "W", "8 + 8 [fio]")
    assert what(load(text)) == [(WRITE, 8, 8)]


def test_the_remainder_of_a_split_io_is_not_counted_again():
    recording = loaded("blkparse_two_cpus.txt")
    assert what(recording) == [(READ, 2048, 8), (WRITE, 0, 512), (FLUSH, 0, 0), (WRITE, 512, 8)]
    assert recording.left_out["remainders of split I/Os"] == 1
    assert recording.left_out["X events"] == 1


def test_a_remainder_split_again_is_not_counted_again(load):
    text = (
        event("Q", "W", "0 + 768 [fio]", "0.1".ljust(11, "0"))
        + event("X", "W", "0 / 256 [fio]", "0.2".ljust(11, "0"))
        + event("Q", "W", "256 + 512 [fio]", "0.3".ljust(11, "0"))
        + event("X", "W", "256 / 512 [fio]", "0.4".ljust(11, "0"))
        + event("Q", "W", "512 + 256 [fio]", "0.5".ljust(11, "0"))
        + event("Q", "W", "512 + 256 [fio]", "0.6".ljust(11, "0"))
    )
    assert what(load(text)) == [(WRITE, 0, 768), (WRITE, 512, 256)]


def test_another_io_after_a_split_is_counted(load):
    text = (
        event("Q", "W", "0 + 768 [fio]") + event("X", "W", "0 / 256 [fio]") + event("Q", "W", "9 + 1 [fio]")
    )
    assert what(load(text)) == [(WRITE, 0, 768), (WRITE, 9, 1)]


def test_what_a_stacked_device_passes_on_is_counted_once():
    recording = loaded("blkparse_stacked.txt")
    assert what(recording) == [
        (WRITE, 0, 8),
        (WRITE, 8, 16),
        (READ, 800, 8),
        (TRIM, 1024, 128),
        (WRITE, 1152 + 4096, 8),
    ]
    assert recording.left_out["I/Os passed on by a stacked device that is recorded too"] == 4
    assert "2 devices, laid one behind another in the order of their appearance." in recording.notes


def test_what_is_passed_on_is_recognised_in_lines_out_of_order_too(load):
    text = (
        event("Q", "W", "2056 + 8 [fio]", "0.000003000", "8,0")
        + event("A", "W", "2056 + 8 <- (253,0) 8", "0.000002000", "8,0")
        + event("Q", "W", "8 + 8 [fio]", "0.000001000", "253,0")
    )
    assert [operation.kind for operation in load(text).operations] == [WRITE]


def test_what_a_partition_passes_on_is_counted(load):
    text = event("A", "W", "2056 + 8 <- (259,1) 8") + event("Q", "W", "2056 + 8 [fio]")
    assert what(load(text)) == [(WRITE, 2056, 8)]


@pytest.mark.parametrize(
    ("rwbs", "rest", "expected"),
    [
        ("R", "8 + 8 [fio]", [(READ, 8, 8)]),
        ("RA", "8 + 8 [fio]", [(READ, 8, 8)]),
        ("RAM", "8 + 8 [fio]", [(READ, 8, 8)]),
        ("RM", "8 + 8 [fio]", [(READ, 8, 8)]),
        ("W", "8 + 8 [fio]", [(WRITE, 8, 8)]),
        ("WB", "8 + 8 [fio]", [(WRITE, 8, 8)]),
        ("WS", "8 + 8 [fio]", [(WRITE, 8, 8)]),
        ("WFS", "8 + 8 [fio]", [(WRITE, 8, 8)]),
        ("WSM", "8 + 8 [fio]", [(WRITE, 8, 8)]),
        ("FW", "[fio]", [(FLUSH, 0, 0)]),
        ("FWS", "0 + 0 [fio]", [(FLUSH, 0, 0)]),
        ("FWFSM", "8 + 8 [jbd2/sda1-8]", [(FLUSH, 0, 0), (WRITE, 8, 8)]),
        ("F", "[fio]", [(FLUSH, 0, 0)]),
        ("FF", "[fio]", [(FLUSH, 0, 0)]),
        ("FN", "[fio]", [(FLUSH, 0, 0)]),
        ("D", "8 + 8 [fstrim]", [(TRIM, 8, 8)]),
        ("DS", "8 + 8 [fstrim]", [(TRIM, 8, 8)]),
        ("DE", "8 + 8 [blkdiscard]", [(TRIM, 8, 8)]),
        ("WZS", "8 + 8 [mkfs]", [(ZEROES, 8, 8)]),
        ("W", "8 + 8 (     1234) [fio]", [(WRITE, 8, 8)]),
        ("W", "8 + 8 [kworker/0:1 + 5]", [(WRITE, 8, 8)]),
        ("W", "8 + 8 [5]", [(WRITE, 8, 8)]),
    ],
)
def test_flags_tell_what_an_io_is(load, rwbs, rest, expected):
    assert what(load(event("Q", rwbs, rest))) == expected


@pytest.mark.parametrize(
    ("rwbs", "rest", "reason"),
    [
        ("N", "[fio]", "commands that neither read, write, deallocate nor flush"),
        ("N", "8 + 8 [fio]", "commands that neither read, write, deallocate nor flush"),
        ("ZR", "8 + 8 [fio]", "zone commands"),
        ("R", "36 (12 00 00 ..) [sg_inq]", "commands without an extent (passthrough)"),
        ("W", "8 + 0 [fio]", "I/Os of length 0"),
    ],
)
def test_what_is_no_io_is_left_out_with_its_reason(load, rwbs, rest, reason):
    recording = load(event("Q", "W", "0 + 8 [fio]") + event("Q", rwbs, rest))
    assert what(recording) == [(WRITE, 0, 8)]
    assert recording.left_out == {reason: 1}


def test_lines_out_of_order_are_sorted_by_time_and_said(load):
    text = event("Q", "W", "16 + 8 [a]", "0.000002000") + event("Q", "W", "8 + 8 [b]", "0.000001000")
    recording = load(text)
    assert recording.operations == (Operation(WRITE, 8, 8, 0), Operation(WRITE, 16, 8, 1_000))
    assert "The lines are not in order of time: sorted." in recording.notes


def test_times_before_the_first_io_do_not_count(load):
    text = event("m", "N", "mark", "0.000000000") + event("Q", "W", "8 + 8 [b]", "3.000000007")
    assert load(text).operations[0].at_ns == 0


def test_a_cut_off_last_line_is_left_out_and_said(load):
    recording = load(event("Q", "W", "8 + 8 [fio]") + "259,0    0        2     0.0000")
    assert what(recording) == [(WRITE, 8, 8)]
    assert "The last line (line 2) is cut off: left out." in recording.notes


def test_a_last_event_without_line_end_is_kept_and_said(load):
    recording = load(event("Q", "W", "8 + 8 [fio]") + event("Q", "W", "16 + 8 [fio]").rstrip())
    assert what(recording) == [(WRITE, 8, 8), (WRITE, 16, 8)]
    assert "The last line (line 2) has no line end: taken as it stands." in recording.notes


def test_a_line_that_makes_no_sense_is_refused_by_number(load):
    text = event("Q", "W", "8 + 8 [fio]") + "259,0 broken\n" + event("Q", "W", "8 + 8 [fio]")
    with pytest.raises(
        InputError, match=r"own.txt \(blkparse\), line 2 makes no sense: '259,0 broken'; expected 'MAJOR"
    ):
        load(text)


def test_a_summary_before_further_events_ends_with_them(load):
    text = event("Q", "W", "8 + 8 [fio]") + "CPU0 (sda):\n Reads Queued: 0\n" + event("Q", "R", "8 + 8 [fio]")
    recording = load(text)
    assert what(recording) == [(WRITE, 8, 8), (READ, 8, 8)]
    assert recording.left_out == {"lines of the summary": 2}

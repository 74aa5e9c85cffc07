"""Recordings whatever their format: fitting a namespace, playing, finding them by name, and bad files."""

import hashlib
import os
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.recordings import (
    Recording,
    load_recording,
    recording_workload,
    resolve_workload,
    samples,
)
from nvmelm_lab.host.workloads import WORKLOADS

DATA = Path(__file__).parent / "data"
ALL_FILES = [*samples(), *sorted(path for path in DATA.iterdir() if path.suffix in (".log", ".txt"))]
GOOD_FILES = [path for path in ALL_FILES if path.name != "fio_jobs_cut_each_other.log"]
READ, WRITE, TRIM, FLUSH = (
    OperationKind.READ,
    OperationKind.WRITE,
    OperationKind.TRIM,
    OperationKind.FLUSH,
)


@pytest.fixture
def log(tmp_path):
    """Writes a version 3 iolog of ``action offset length`` lines, one microsecond apart."""

    def write(*ios: str) -> Path:
        path = tmp_path / "own.log"
        lines = [f"{number} d {io}\n" for number, io in enumerate(ios)]
        path.write_text("fio version 3 iolog\n0 d add\n" + "".join(lines))
        return path

    return write


def extents(recording: Recording) -> list[tuple[int, int]]:
    return [(operation.slba, operation.blocks) for operation in recording.operations]


# Fitting a namespace


def test_an_extent_past_the_end_wraps_around_and_keeps_its_length(log):
    recording = load_recording(
        log("write 0 4096", f"write {105 * 4096} {3 * 4096}"), lba_bytes=4096, blocks=100
    )
    assert extents(recording) == [(0, 1), (5, 3)]
    assert recording.notes == ("1 extent past the end of the namespace (100 LBAs): wrapped around it.",)


def test_an_extent_across_the_end_is_moved_to_end_there(log):
    recording = load_recording(log(f"write {98 * 4096} {4 * 4096}"), lba_bytes=4096, blocks=100)
    assert extents(recording) == [(96, 4)]


def test_an_extent_longer_than_the_namespace_is_clipped_to_it_and_said(log):
    recording = load_recording(log(f"write {4096 * 7} {4096 * 500}"), lba_bytes=4096, blocks=100)
    assert extents(recording) == [(0, 100)]
    assert "1 extent longer than the whole namespace: clipped to it." in recording.notes


def test_extents_past_the_end_can_be_refused_with_the_size_that_would_do(log):
    path = log("write 0 4096", f"write {105 * 4096} 4096", f"write {200 * 4096} 4096")
    with pytest.raises(InputError) as refusal:
        load_recording(path, lba_bytes=4096, blocks=100, outside="refuse")
    assert str(refusal.value) == (
        "own.log does not fit a namespace of 100 LBAs of 4096 bytes: 2 of its 3 I/Os end past it "
        "(the one in line 4 at LBA 106), so take one of 201 LBAs, or let them wrap."
    )
    assert load_recording(path, lba_bytes=4096, blocks=201, outside="refuse").notes == ()


def test_parts_of_lbas_are_read_and_written_whole(log):
    recording = load_recording(log("write 4608 512", "read 4000 200"), lba_bytes=4096, blocks=100)
    assert extents(recording) == [(1, 1), (0, 2)]
    assert recording.notes == ("2 I/Os not a multiple of 4096 bytes: widened to whole LBAs.",)


def test_a_deallocation_never_takes_data_that_it_did_not_name(log):
    recording = load_recording(
        log("trim 512 16384", "trim 100 4096", "trim 0 8192"), lba_bytes=4096, blocks=100
    )
    assert extents(recording) == [(1, 3), (0, 2)]
    assert recording.notes == (
        "1 deallocation not a multiple of 4096 bytes: only the whole LBAs inside kept.",
    )
    assert recording.left_out["deallocations of less than one LBA"] == 1


@settings(deadline=None, max_examples=60)
@given(
    path=st.sampled_from(GOOD_FILES),
    lba_bytes=st.sampled_from([512, 4096]),
    blocks=st.one_of(st.integers(1, 300), st.integers(1, 1 << 28)),
)
def test_every_operation_of_every_recording_lies_in_any_namespace_in_order_of_time(path, lba_bytes, blocks):
    recording = load_recording(path, lba_bytes=lba_bytes, blocks=blocks)
    for operation in recording.operations:
        if operation.kind is FLUSH:
            assert (operation.slba, operation.blocks) == (0, 0)
        else:
            assert operation.slba >= 0
            assert operation.blocks >= 1
            assert operation.slba + operation.blocks <= blocks
    assert recording.operations[0].at_ns == 0
    assert all(earlier.at_ns <= later.at_ns for earlier, later in pairwise(recording.operations))
    assert recording.duration_ns == recording.operations[-1].at_ns


@settings(deadline=None, max_examples=60)
@given(path=st.sampled_from(GOOD_FILES), blocks=st.integers(1, 1 << 20))
def test_wrapping_changes_neither_kinds_nor_lengths_nor_times(path, blocks):
    whole = load_recording(path, lba_bytes=512, blocks=1 << 40)
    wrapped = load_recording(path, lba_bytes=512, blocks=blocks)
    assert [(op.kind, op.at_ns, min(op.blocks, blocks)) for op in whole.operations] == [
        (op.kind, op.at_ns, op.blocks) for op in wrapped.operations
    ]


# What is known of a recording


@pytest.mark.parametrize("path", GOOD_FILES, ids=lambda path: path.name)
def test_every_line_is_accounted_for(path):
    recording = load_recording(path, lba_bytes=512, blocks=1 << 40)
    assert recording.lines_read == len(path.read_bytes().splitlines())
    assert recording.operations
    assert recording.name == path.name


def test_the_hash_is_that_of_the_file():
    path = samples()[0]
    recording = load_recording(path, lba_bytes=4096, blocks=64)
    assert recording.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_four_samples_come_with_the_kit():
    assert [path.name for path in samples()] == [
        "blkparse_default.txt",
        "null_mixed.log",
        "null_trimwrite.log",
        "randwrite_zipf.v3.log",
    ]


# Playing


def test_a_recording_is_played_once(log):
    recording = load_recording(log("write 0 4096", "read 4096 4096"), lba_bytes=4096, blocks=8)
    played = recording_workload(recording)
    assert list(played.operations()) == list(recording.operations) == list(played.operations())
    assert played.name == "own.log"
    assert played.summary == "Plays once what own.log (fio iolog v3) recorded: 2 operations in 1000 ns."


def test_or_again_and_again_with_an_average_pause_between(log):
    recording = load_recording(
        log("write 0 4096", "write 4096 4096", "write 0 8192"), lba_bytes=4096, blocks=8
    )
    rounds = list(islice(recording_workload(recording, repeat=True).operations(), 9))
    assert [op.at_ns for op in rounds] == [number * 1_000 for number in range(9)]
    assert [op[:3] for op in rounds[3:6]] == [op[:3] for op in recording.operations]


def test_a_recording_without_times_repeats_without_times(log):
    path = log()
    path.write_text("fio version 2 iolog\nd add\nd write 0 4096\n")
    recording = load_recording(path, lba_bytes=4096, blocks=8)
    rounds = islice(recording_workload(recording, repeat=True).operations(), 5)
    assert list(rounds) == [Operation(WRITE, 0, 1, 0)] * 5


# By name or path


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_built_in_name_resolves_to_the_built_in_workload(name):
    found = resolve_workload(name, lba_bytes=4096, blocks=64, seed=1)
    assert found.summary == WORKLOADS[name].summary


def test_a_write_rate_reaches_the_built_in_workload():
    found = resolve_workload("uniform", lba_bytes=4096, blocks=64, seed=1, writes_per_second=1000)
    assert [op.at_ns for op in islice(found.operations(), 3)] == [0, 1_000_000, 2_000_000]


def test_a_path_resolves_to_the_recording(log):
    path = str(log("write 0 4096"))
    found = resolve_workload(path, lba_bytes=4096, blocks=64, seed=1, repeat=True)
    assert found.summary.startswith("Plays again and again what own.log")


def test_a_write_rate_for_a_recording_is_refused(log):
    with pytest.raises(InputError, match=r"own.log' brings its own times"):
        resolve_workload(str(log("write 0 4096")), lba_bytes=4096, blocks=64, seed=1, writes_per_second=5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "unifrom",
            "There is no workload and no file 'unifrom': did you mean 'uniform'? the built-in ones are",
        ),
        (
            "/no/such.log",
            "There is no workload and no file '/no/such.log': the built-in ones are sequential,",
        ),
        ("", "There is no workload and no file '': the built-in ones are"),
        ("a\0b", "There is no workload and no file 'a\\x00b': "),
    ],
)
def test_what_is_neither_is_refused_with_what_would_be_right(name, said):
    with pytest.raises(InputError) as refusal:
        resolve_workload(name, lba_bytes=4096, blocks=64, seed=1)
    assert str(refusal.value).startswith(said)


# Files that are no recording


def refusal_of(path: str | os.PathLike[str]) -> str:
    with pytest.raises(InputError) as refusal:
        load_recording(path, lba_bytes=4096, blocks=64)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_missing_file_is_named(tmp_path):
    assert refusal_of(tmp_path / "gone.log").endswith("gone.log': give the path of a recording.")


def test_a_directory_is_refused(tmp_path):
    assert "is a directory: give the recording in it" in refusal_of(tmp_path)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file: save the recording to a file first." in refusal_of(tmp_path / "pipe")


def test_a_path_that_leads_through_a_file_is_refused(log):
    assert "cannot be read (Not a directory)" in refusal_of(log("write 0 4096") / "deeper.log")


def test_a_name_with_a_zero_byte_is_refused():
    assert "cannot be read (embedded null byte)" in refusal_of("a\0b")


def test_a_file_that_may_not_be_read_is_refused(log, monkeypatch):
    path = log("write 0 4096")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "own.log' cannot be read (Permission denied): give a recording that can." in refusal_of(path)


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    (tmp_path / "empty.log").write_bytes(content)
    assert refusal_of(tmp_path / "empty.log").startswith(
        "empty.log is empty: give a fio iolog, or what blkparse"
    )


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        "fio version 3 iolog\n".encode("utf-16"),
        b"x" * 100_000,
        b"fio version 3 iolog\n0 d add\n0 d write \0 0\n",
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "garbage.bin").write_bytes(content)
    assert refusal_of(tmp_path / "garbage.bin").startswith("garbage.bin is not text (line ")


@pytest.mark.parametrize(
    "beginning", ["0, 4096, 4096", "fio version 4 iolog", "fio version 2 iolo", "<html>", "time,op,lba"]
)
def test_text_of_another_kind_is_refused_with_the_kinds_that_would_do(tmp_path, beginning):
    (tmp_path / "other.txt").write_text(beginning + "\n1 2 3\n")
    message = refusal_of(tmp_path / "other.txt")
    assert message.startswith(f"other.txt begins with {beginning!r}, which is neither 'fio version 2 iolog'")


def test_a_log_without_any_io_is_refused_with_what_it_held(tmp_path):
    (tmp_path / "own.log").write_text("fio version 3 iolog\n0 d add\n1 d open\n2 d write 0 0\n3 d close\n")
    assert refusal_of(tmp_path / "own.log") == (
        "own.log holds no I/O (5 lines read, 3 add, open and close lines, 1 I/Os of length 0): "
        "record a workload that reads or writes."
    )


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"lba_bytes": 520, "blocks": 64}, "An LBA has 512, 1024, 2048 or 4096 ... bytes, not 520."),
        ({"lba_bytes": 256, "blocks": 64}, "An LBA has 512"),
        ({"lba_bytes": 4096, "blocks": 0}, "A namespace has at least 1 LBA, not 0."),
        ({"lba_bytes": 4096, "blocks": 64, "outside": "clip"}, "are to 'wrap' or to 'refuse', not 'clip'."),
    ],
)
def test_a_namespace_that_makes_no_sense_is_refused(parameters, said):
    with pytest.raises(InputError, match=said):
        load_recording(samples()[0], **parameters)


# Damaged files never end in anything but a recording or a sentence


def read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        recording = load_recording(path, lba_bytes=4096, blocks=1000)
    except InputError as refusal:
        sentence = str(refusal)
        operations: tuple[Operation, ...] = ()
    else:
        sentence, operations = "read", recording.operations
    assert sentence.strip()
    assert "\n" not in sentence
    assert all(operation.slba + operation.blocks <= 1000 for operation in operations)


fuzzing = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzzing
@given(path=st.sampled_from(ALL_FILES), cut=st.integers(0, 30_000))
def test_a_file_cut_off_anywhere_is_read_or_refused(tmp_path, path, cut):
    read_or_refuse(tmp_path / "damaged", path.read_bytes()[:cut])


@pytest.mark.parametrize("path", GOOD_FILES, ids=lambda path: path.name)
def test_a_file_cut_off_within_a_line_keeps_all_lines_before_it(tmp_path, path):
    whole = path.read_bytes()
    end = whole.index(b"\n", len(whole) // 2)
    (tmp_path / "cut").write_bytes(whole[: end + 1])
    (tmp_path / "cut later").write_bytes(whole[: end + 1] + b"259,0    0   1")
    before, after = (
        load_recording(tmp_path / name, lba_bytes=512, blocks=1 << 40) for name in ("cut", "cut later")
    )
    assert after.operations == before.operations
    assert after.lines_read == before.lines_read + 1


@fuzzing
@given(path=st.sampled_from(ALL_FILES), data=st.data())
def test_a_file_with_bytes_changed_added_or_lost_is_read_or_refused(tmp_path, path, data):
    content = bytearray(path.read_bytes()[:3000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        lost = data.draw(st.integers(0, 12))
        content[at : at + lost] = data.draw(
            st.one_of(st.binary(max_size=8), st.text(max_size=6).map(str.encode))
        )
    read_or_refuse(tmp_path / "damaged", bytes(content))


@fuzzing
@given(path=st.sampled_from(ALL_FILES), data=st.data())
def test_a_file_with_lines_shuffled_repeated_or_lost_is_read_or_refused(tmp_path, path, data):
    lines = path.read_bytes().splitlines(keepends=True)[:60]
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=60))
    read_or_refuse(tmp_path / "damaged", b"".join([*lines[:1], *chosen]))


@fuzzing
@given(head=st.sampled_from([b"fio version 2 iolog\n", b"fio version 3 iolog\n", b""]), rest=st.binary())
@example(head=b"fio version 3 iolog\n", rest=b"0 d add\n1 d write " + b"9" * 5000 + b" 4096\n")
@example(head=b"fio version 3 iolog\n", rest=b" " * 8000 + b"\n")
@example(head=b"", rest=b"1,1 0 1 0.000000000 1 Q W " + b"9" * 5000 + b" + 8 [x]\n")
def test_arbitrary_bytes_are_read_or_refused(tmp_path, head, rest):
    read_or_refuse(tmp_path / "damaged", head + rest)

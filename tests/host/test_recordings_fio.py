"""fio's iologs, as fio 3.33 writes them and as its manual describes them."""

from pathlib import Path

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.recordings import Recording, load_recording

DATA = Path(__file__).parent / "data"
READ, WRITE, TRIM, FLUSH = (
    OperationKind.READ,
    OperationKind.WRITE,
    OperationKind.TRIM,
    OperationKind.FLUSH,
)
V3 = "fio version 3 iolog\n0 d add\n1 d open\n"
V2 = "fio version 2 iolog\nd add\nd open\n"


def loaded(name: str, lba_bytes: int = 4096, blocks: int = 1 << 24) -> Recording:
    return load_recording(DATA / name, lba_bytes=lba_bytes, blocks=blocks)


@pytest.fixture
def load(tmp_path):
    def of_text(text: str | bytes, lba_bytes: int = 4096, blocks: int = 1 << 24) -> Recording:
        path = tmp_path / "own.log"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_recording(path, lba_bytes=lba_bytes, blocks=blocks)

    return of_text


# What fio writes


def test_a_version_3_log_keeps_kinds_places_lengths_and_microseconds(load):
    recording = load(V3 + "100 d write 8192 4096\n117 d read 4096 8192\n250 d trim 0 16384\n300 d close\n")
    assert recording.format == "fio iolog v3"
    assert recording.operations == (
        Operation(WRITE, 2, 1, 0),
        Operation(READ, 1, 2, 17_000),
        Operation(TRIM, 0, 4, 150_000),
    )
    assert (recording.read_blocks, recording.written_blocks, recording.trimmed_blocks) == (2, 1, 4)
    assert recording.duration_ns == 150_000
    assert recording.left_out == {"add, open and close lines": 3}
    assert recording.lines_read == 7


def test_lbas_of_512_bytes_count_eight_times_as_many_blocks():
    small, large = loaded("fio_randrw.log", 512), loaded("fio_randrw.log", 4096)
    assert [(op.kind, op.slba, op.blocks, op.at_ns) for op in small.operations] == [
        (op.kind, op.slba * 8, op.blocks * 8, op.at_ns) for op in large.operations
    ]


def test_every_io_line_of_a_real_log_becomes_one_operation():
    text = (DATA / "fio_randrw.log").read_text().splitlines()
    recording = loaded("fio_randrw.log")
    assert len(recording.operations) == sum(" read " in line or " write " in line for line in text)
    assert recording.lines_read == len(text)
    assert recording.notes == ()


def test_several_files_lie_one_behind_another():
    recording = loaded("fio_files.log")
    offsets: dict[str, list[int]] = {}
    for line in (DATA / "fio_files.log").read_text().splitlines():
        words = line.split()
        if words[2] in ("read", "write"):
            offsets.setdefault(words[1], []).append(int(words[3]) // 4096)
    second = max(offsets["files.0.0"]) + 1
    third = second + max(offsets["files.0.1"]) + 1
    expected = {slba for slba in offsets["files.0.0"]}
    expected |= {second + slba for slba in offsets["files.0.1"]}
    expected |= {third + slba for slba in offsets["files.0.2"]}
    assert {operation.slba for operation in recording.operations} == expected
    assert "3 files, laid one behind another in the order of their appearance." in recording.notes


def test_jobs_in_one_log_run_beside_each_other():
    recording = loaded("fio_jobs.log")
    assert len(recording.operations) == 90
    times = [operation.at_ns for operation in recording.operations]
    assert times == sorted(times)
    note = "The file holds the logs of 3 jobs: they run beside each other from a common start."
    assert note in recording.notes


def test_jobs_on_one_file_share_its_lbas():
    recording = loaded("fio_jobs_one_file.log", blocks=4096)
    assert len(recording.operations) == 40
    assert not any("files" in note for note in recording.notes)
    assert max(operation.slba for operation in recording.operations) < 16 * 256


def test_merged_jobs_alternate_when_their_clocks_do(load):
    job = "{t} d add\n{t} d write {offset} 4096\n{u} d write {offset} 4096\n"
    recording = load(
        "fio version 3 iolog\n"
        + job.format(t=10, u=30, offset=0)
        + "fio version 3 iolog\n"
        + job.format(t=20, u=40, offset=4096)
    )
    assert [operation.slba for operation in recording.operations] == [0, 1, 0, 1]


def test_lines_that_jobs_cut_from_each_other_are_refused_with_the_remedy():
    with pytest.raises(
        InputError, match=r"v3\), line 24 makes no sense: .* record each by itself \(23 lines"
    ):
        loaded("fio_jobs_cut_each_other.log")


def test_file_names_may_hold_spaces_and_numbers():
    recording = loaded("fio_name_with_spaces_sync.log")
    assert recording.written_blocks == 20
    assert recording.left_out == {"add, open and close lines": 3}
    assert recording.notes == ()


def test_a_file_name_that_reads_like_an_io_is_still_a_name(load):
    name = "my write 4096 1 add"
    recording = load(f"fio version 3 iolog\n0 {name} add\n5 {name} write 4096 4096\n9 {name} close\n")
    assert recording.operations == (Operation(WRITE, 1, 1, 0),)


def test_sync_and_datasync_become_flushes():
    recording = loaded("fio_name_with_spaces_sync.log")
    kinds = [operation.kind for operation in recording.operations]
    text = (DATA / "fio_name_with_spaces_sync.log").read_text()
    assert kinds.count(FLUSH) == text.count("sync")
    assert all(op.slba == op.blocks == 0 for op in recording.operations if op.kind is FLUSH)


def test_sync_file_range_asks_nothing_of_the_device():
    recording = loaded("fio_sync_file_range.log")
    assert {operation.kind for operation in recording.operations} == {WRITE}
    assert recording.left_out["sync_file_range lines"] == 3


def test_trims_become_deallocations():
    recording = loaded("fio_randtrimwrite.log")
    kinds = [operation.kind for operation in recording.operations]
    assert kinds[:4] == [TRIM, WRITE, TRIM, WRITE]
    assert recording.trimmed_blocks == 16 * kinds.count(TRIM)


def test_unaligned_ios_get_their_lbas_whole():
    recording = loaded("fio_unaligned.log")
    ios = [
        (int(words[3]), int(words[4]))
        for words in map(str.split, (DATA / "fio_unaligned.log").read_text().splitlines())
        if len(words) == 5 and words[2] in ("read", "write")
    ]
    assert len(ios) == len(recording.operations)
    for (offset, length), operation in zip(ios, recording.operations, strict=True):
        assert operation.slba == offset // 4096
        assert operation.slba + operation.blocks == -(-(offset + length) // 4096)
    widened = sum(bool(offset % 4096 or length % 4096) for offset, length in ios)
    assert f"{widened} I/Os not a multiple of 4096 bytes: widened to whole LBAs." in recording.notes


# Version 2


def test_waits_of_version_2_are_microseconds_since_the_wait_before():
    recording = loaded("fio_v2_waits.log")
    assert recording.format == "fio iolog v2"
    assert recording.operations == (
        Operation(WRITE, 0, 1, 0),
        Operation(READ, 2, 1, 1_500_000),
        Operation(TRIM, 4, 2, 1_500_000),
        Operation(FLUSH, 0, 0, 1_750_000),
        Operation(FLUSH, 0, 0, 1_750_000),
        Operation(WRITE, 1, 4, 1_750_000),
    )
    (note,) = recording.notes
    assert note.startswith("2 wait lines, in microseconds since the wait before")


def test_a_wait_without_a_length_is_a_wait(load):
    recording = load(V2 + "d write 0 4096\nd wait 20\nd write 0 4096\n")
    assert recording.duration_ns == 20_000


def test_version_2_without_waits_has_no_times_and_says_so(load):
    recording = load(V2 + "d write 0 4096\nd write 4096 4096\n")
    assert [operation.at_ns for operation in recording.operations] == [0, 0]
    assert recording.notes == ("A version 2 log without wait lines has no times: every I/O is due at once.",)


def test_the_clock_of_version_2_restarts_with_each_job(load):
    job = "d add\nd wait 10 0\nd write {offset} 4096\nd wait 10 0\nd write {offset} 4096\n"
    recording = load(
        "fio version 2 iolog\n" + job.format(offset=0) + "fio version 2 iolog\n" + job.format(offset=4096)
    )
    assert [(op.slba, op.at_ns) for op in recording.operations] == [(0, 0), (1, 0), (0, 10_000), (1, 10_000)]


# Lines that are odd, cut off or wrong


@pytest.mark.parametrize("end", ["\r\n", " \n", "\n\n"])
def test_other_line_ends_trailing_spaces_and_blank_lines_do_no_harm(load, end):
    recording = load((V3 + "5 d write 0 4096\n").replace("\n", end))
    assert recording.operations == (Operation(WRITE, 0, 1, 0),)


def test_a_byte_order_mark_does_no_harm(load):
    assert len(load(b"\xef\xbb\xbf" + (V3 + "5 d write 0 4096\n").encode()).operations) == 1


def test_file_names_that_are_no_utf_8_stay_apart(load):
    log = b"fio version 3 iolog\n0 \xe4 add\n0 \xf6 add\n1 \xe4 write 0 4096\n2 \xf6 write 0 4096\n"
    assert [operation.slba for operation in load(log).operations] == [0, 1]


def test_a_last_line_that_is_cut_off_is_left_out_and_said(load):
    recording = load(V3 + "5 d write 0 4096\n9 d wri")
    assert recording.operations == (Operation(WRITE, 0, 1, 0),)
    assert recording.notes == ("The last line (line 5) is cut off: left out.",)
    assert recording.lines_read == 5


def test_a_last_line_without_line_end_is_kept_and_said(load):
    recording = load(V3 + "5 d write 0 4096\n9 d write 4096 4096")
    assert recording.operations[-1] == Operation(WRITE, 1, 1, 4_000)
    assert recording.notes == ("The last line (line 5) has no line end: taken as it stands.",)


@pytest.mark.parametrize(
    "bad",
    [
        "7 d write 4096",
        "7 d erase 0 4096",
        "7 d write -4096 4096",
        "7 d write 0x1000 4096",
        "7 d write 4.5 4096",
        "7 d write ٤٠٩٦ 4096",
        "7 d write 99999999999999999999 4096",
        "seven d write 0 4096",
        "d write 0 4096",
        "7 d wait 100 0",
        "7 never-added write 0 4096",
        "fio version 2 iolog",
        "# a comment",
        "7",
    ],
)
def test_a_line_that_makes_no_sense_is_refused_by_number_and_with_what_was_expected(load, bad):
    with pytest.raises(InputError) as refusal:
        load(V3 + bad + "\n8 d write 0 4096\n")
    message = str(refusal.value)
    assert message.startswith(f"own.log (fio iolog v3), line 4 makes no sense: {bad!r}; expected 'TIME FILE")
    assert message.endswith("(3 lines were read before it).")


def test_an_io_without_length_is_left_out_and_counted(load):
    recording = load(V3 + "5 d write 0 0\n6 d read 0 4096\n")
    assert [operation.kind for operation in recording.operations] == [READ]
    assert recording.left_out["I/Os of length 0"] == 1

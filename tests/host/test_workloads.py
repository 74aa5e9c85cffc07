"""The built-in workloads: what each does, and what all promise."""

from collections import Counter
from itertools import islice, pairwise
from math import gcd
from random import Random
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.workload_patterns import LOAD_BY_HOUR
from nvmelm_lab.host.workload_zipf import scatter, zipf_rows, zipf_slots, zipf_weight
from nvmelm_lab.host.workloads import WORKLOADS, workload

MS = 1_000_000
NAMES = sorted(WORKLOADS)


def first(count: int, name: str, **parameters: int) -> list[Operation]:
    return list(islice(workload(name, **{"seed": 1, "blocks": 4096, **parameters}).operations(), count))


# All of them


@settings(deadline=None, max_examples=200)
@given(
    name=st.sampled_from(NAMES),
    blocks=st.one_of(st.integers(1, 64), st.integers(1, 1 << 28)),
    seed=st.integers(0, 1 << 32),
    writes_per_second=st.integers(1, 1_000_000_000),
    blocks_per_io=st.one_of(st.none(), st.integers(1, 1 << 16)),
)
def test_every_operation_lies_in_the_namespace_and_time_never_runs_back(
    name, blocks, seed, writes_per_second, blocks_per_io
):
    one = workload(
        name, blocks=blocks, seed=seed, writes_per_second=writes_per_second, blocks_per_io=blocks_per_io
    )
    operations = list(islice(one.operations(), 200))
    assert all(type(operation) is Operation for operation in operations)
    assert all(type(number) is int for operation in operations for number in operation[1:4])
    for operation in operations:
        if operation.kind is OperationKind.FLUSH:
            assert (operation.slba, operation.blocks) == (0, 0)
        else:
            assert operation.slba >= 0
            assert operation.blocks >= 1
            assert operation.slba + operation.blocks <= blocks
    assert all(earlier.at_ns <= later.at_ns for earlier, later in pairwise(operations))
    assert not operations or operations[0].at_ns >= 0


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_numbers_however_often_one_asks(name):
    one = workload(name, blocks=10_007, seed=7)
    again = workload(name, blocks=10_007, seed=7)
    begun = one.operations()
    list(islice(begun, 10))
    assert list(islice(one.operations(), 500)) == list(islice(again.operations(), 500))


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        ("sequential", 0x351C21F9),
        ("uniform", 0x59BAC835),
        ("zipf", 0x3E8101AE),
        ("mixed", 0xBCCC0760),
        ("ai-training", 0x3AB29F0C),
        ("diurnal", 0x3BA4988F),
    ],
)
def test_the_numbers_are_the_same_on_every_machine_and_python_version(name, checksum):
    operations = first(1000, name, blocks=1_000_003, seed=2026, writes_per_second=20_000)
    text = "\n".join(f"{kind} {slba} {blocks} {at_ns}" for kind, slba, blocks, at_ns, _ in operations)
    assert crc32(text.encode()) == checksum


@pytest.mark.parametrize("name", ["uniform", "zipf", "mixed", "diurnal"])
def test_another_seed_gives_other_places(name):
    assert first(50, name, seed=1) != first(50, name, seed=2)


@pytest.mark.parametrize("name", ["sequential", "uniform", "zipf", "mixed"])
def test_the_rate_counts_writes(name):
    second = 1_000_000_000
    operations = first(20_000, name, writes_per_second=4_000)
    writes = [
        operation
        for operation in operations
        if operation.at_ns < second and operation.kind in (OperationKind.WRITE, OperationKind.ZEROES)
    ]
    assert operations[-1].at_ns > second
    assert 3_850 <= len(writes) <= 4_150


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_sentence_for_learners(name):
    assert workload(name, blocks=64, seed=1).summary == WORKLOADS[name].summary
    assert WORKLOADS[name].summary.endswith(".")


# One by one


def test_sequential_writes_every_lba_once_a_lap_even_if_the_last_io_is_short():
    lap = first(13, "sequential", blocks=100, blocks_per_io=8)
    touched = [lba for _, slba, blocks, *_ in lap for lba in range(slba, slba + blocks)]
    assert touched == list(range(100))
    assert lap[-1].blocks == 4
    assert first(14, "sequential", blocks=100, blocks_per_io=8)[13].slba == 0


def test_uniform_hits_every_place_about_equally_often():
    hits = Counter(operation.slba for operation in first(16_000, "uniform", blocks=16))
    assert set(hits) == set(range(16))
    assert all(850 <= count <= 1150 for count in hits.values())


def test_zipf_hits_the_hottest_place_about_twice_as_often_as_the_second():
    hits = Counter(operation.slba for operation in first(60_000, "zipf", blocks=1000))
    (_, hottest), (_, second), (_, third) = hits.most_common(3)
    harmonic = sum(1 / rank for rank in range(1, 1001))
    assert hottest == pytest.approx(60_000 / harmonic, rel=0.05)
    assert second == pytest.approx(hottest / 2, rel=0.1)
    assert third == pytest.approx(hottest / 3, rel=0.1)


def test_zipf_writes_most_of_a_large_namespace_rarely_but_writes_it():
    hits = Counter(operation.slba >> 20 for operation in first(20_000, "zipf", blocks=1 << 28))
    assert len(hits) == 256


@pytest.mark.parametrize("ranks", [1, 2, 1023, 1024, 1025, 5_000, 1_000_003, 1 << 28])
def test_the_zipf_table_covers_every_rank_once_and_stays_small(ranks):
    rows = zipf_rows(ranks)
    assert rows[0][0] == 1
    assert all(start + width == following for (start, width), (following, _) in pairwise(rows))
    assert sum(rows[-1]) == ranks + 1
    assert len(rows) < 2000


@pytest.mark.parametrize(("start", "width"), [(1, 1), (1024, 1), (1025, 16), (100_000, 1562)])
def test_a_row_of_the_zipf_table_weighs_what_its_ranks_weigh(start, width):
    exact = sum((1 << 32) / rank for rank in range(start, start + width))
    assert zipf_weight(start, width) == pytest.approx(exact, rel=1e-4)


def test_scattering_meets_every_slot_once_at_every_size():
    for slots in [*range(1, 400), 1 << 20, 1_000_003, 1 << 28]:
        assert gcd(scatter(slots), slots) == 1


def test_neighbouring_ranks_are_far_apart():
    slots = 1 << 20
    step = scatter(slots)
    assert min(step, slots - step) > slots // 4


def test_every_slot_is_drawn_sooner_or_later():
    assert set(islice(zipf_slots(40, Random(3)), 5_000)) == set(range(40))


def test_mixed_reads_writes_deallocates_zeroes_and_flushes():
    kinds = Counter(operation.kind for operation in first(32_000, "mixed"))
    assert kinds[OperationKind.READ] == pytest.approx(14_000, rel=0.05)
    assert kinds[OperationKind.WRITE] == pytest.approx(12_000, rel=0.05)
    assert kinds[OperationKind.TRIM] == pytest.approx(3_000, rel=0.1)
    assert kinds[OperationKind.ZEROES] == pytest.approx(2_000, rel=0.1)
    assert kinds[OperationKind.FLUSH] == pytest.approx(1_000, rel=0.15)


def test_mixed_reads_mostly_what_was_written_before():
    written: set[int] = set()
    known = 0
    operations = first(10_000, "mixed")
    for kind, slba, *_ in operations:
        known += kind is OperationKind.READ and slba in written
        written.update([slba] * (kind is OperationKind.WRITE))
    assert known > sum(operation.kind is OperationKind.READ for operation in operations) // 2


def ai_round(operations: list[Operation], number: int) -> list[Operation]:
    """The operations from one flush (excluded) to the next (included)."""
    ends = [0, *(i + 1 for i, operation in enumerate(operations) if operation.kind is OperationKind.FLUSH)]
    return operations[ends[number] : ends[number + 1]]


def test_ai_training_reads_its_data_set_in_order_and_goes_on_where_it_stopped():
    reads = [op for op in first(400, "ai-training") if op.kind is OperationKind.READ]
    data_set_end = 4096 * 3 // 4
    assert all(op.slba + op.blocks <= data_set_end for op in reads)
    assert all(
        later.slba == (earlier.slba + earlier.blocks) % data_set_end for earlier, later in pairwise(reads)
    )


def test_ai_training_saves_checkpoints_in_bursts_to_two_places_in_turn():
    operations = first(400, "ai-training")
    for number, (start, end) in enumerate([(3072, 3584), (3584, 4096), (3072, 3584)]):
        burst = [op for op in ai_round(operations, number) if op.kind is OperationKind.WRITE]
        assert burst == ai_round(operations, number)[-len(burst) - 1 : -1]
        assert [lba for op in burst for lba in range(op.slba, op.slba + op.blocks)] == list(range(start, end))


def test_ai_training_flushes_a_checkpoint_and_rests():
    operations = first(400, "ai-training")
    gap = operations[1].at_ns - operations[0].at_ns
    flush = next(i for i, operation in enumerate(operations) if operation.kind is OperationKind.FLUSH)
    assert operations[flush].at_ns - operations[flush - 1].at_ns == gap
    assert operations[flush + 1].at_ns - operations[flush].at_ns == 512 // 32 * gap


def test_diurnal_follows_the_load_of_a_day_that_begins_at_midnight():
    operations = first(60_000, "diurnal", blocks=16, writes_per_second=1_000_000)
    writes = Counter(op.at_ns // MS for op in operations if op.kind is OperationKind.WRITE)
    assert set(range(24)) < set(writes)
    for hour, load in enumerate(LOAD_BY_HOUR):
        assert writes[hour] == pytest.approx(1000 * load / 100, abs=2)
        assert writes[hour + 24] == pytest.approx(writes[hour], abs=2)


def test_idle_does_nothing():
    assert first(1, "idle") == []


# Bad input


def test_an_unknown_name_is_refused_with_the_nearest_one_and_all_the_others():
    with pytest.raises(
        InputError, match=r"no workload 'zipff': did you mean 'zipf'\? the built-in ones are"
    ) as e:
        workload("zipff", blocks=64, seed=1)
    assert all(name in str(e.value) for name in NAMES)


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"blocks": 0}, "blocks must be between 1 and"),
        ({"blocks": 8, "writes_per_second": 0}, "writes_per_second must be between 1 and 1000000000, and 0"),
        ({"blocks": 8, "blocks_per_io": 0}, "blocks_per_io must be between 1 and 65536, and 0"),
    ],
)
def test_impossible_numbers_are_refused(parameters, what):
    with pytest.raises(InputError, match=what):
        workload("uniform", seed=1, **parameters)

"""Sizes as people write them."""

from pathlib import Path

import pytest

from nvmelm_lab import sizes
from nvmelm_lab.errors import InputError
from nvmelm_lab.sizes import in_words, memory_limit, parse_blocks


@pytest.mark.parametrize(
    ("text", "block_bytes", "blocks"),
    [
        ("1", 4096, 1),
        ("16384", 512, 16384),
        (" 64 MiB ", 4096, 16384),
        ("64gib", 4096, 1 << 24),
        ("1TiB", 512, 1 << 31),
        ("4KiB", 4096, 1),
        ("0", 4096, 0),
    ],
)
def test_a_count_of_lbas_or_bytes_with_a_unit(text: str, block_bytes: int, blocks: int) -> None:
    assert parse_blocks(text, block_bytes, least=0) == blocks


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5GiB", "64GB", "64G", "0x10", "1 2", "GiB", "\u0661"])
def test_what_is_no_size_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read: give a count .* such as 64MiB") as error:
        parse_blocks(text, 4096)
    assert repr(text) in str(error.value)


def test_bytes_that_are_no_whole_number_of_lbas_are_refused() -> None:
    with pytest.raises(InputError, match="'5KiB' is no whole number of LBAs of 4096 bytes"):
        parse_blocks("5KiB", 4096)


@pytest.mark.parametrize("text", ["0", "0GiB"])
def test_too_few_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="give at least 1 LBA"):
        parse_blocks(text, 4096)


@pytest.mark.parametrize(
    ("length", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1_600_000, "1.5 MiB"), (3 << 40, "3.0 TiB")],
)
def test_bytes_in_words(length: int, words: str) -> None:
    assert in_words(length) == words


def test_a_container_may_have_less_memory_than_its_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = memory_limit()
    assert machine is not None
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(sizes, "CONTAINER_LIMIT", limit)
    for text, expected in (("max\n", None), ("1048576\n", 1 << 20), (str(1 << 62), None)):
        limit.write_text(text)
        found = memory_limit()
        assert found == (expected or found)
        assert found is not None
        assert found >= (expected or machine)

"""Sizes as people write them, and how much memory this machine has for them.

Nothing here knows what a size is of.
"""

import os
import re
from pathlib import Path

from nvmelm_lab.errors import InputError

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")

_BYTES_BY_WORD = {word.lower(): size for word, size in UNITS.items()}


def parse_blocks(text: str, block_bytes: int, *, least: int = 1) -> int:
    """The LBAs that `text` means: a count of them (``16384``), or bytes with a unit (``64GiB``).

    InputError when it is neither, or no whole number of LBAs of `block_bytes` bytes, or fewer than `least`.
    """
    found = re.fullmatch(r"\s*(\d+)\s*([a-z]*)\s*", text, re.ASCII | re.IGNORECASE)
    word = found[2].lower() if found else ""
    if found is None or (word and word not in _BYTES_BY_WORD):
        raise InputError(
            f"The size {text!r} cannot be read: give a count of LBAs such as 16384, or bytes with one of the units "
            f"{', '.join(UNITS)}, such as 64MiB."
        )
    count = int(found[1])
    if word:
        count, rest = divmod(count * _BYTES_BY_WORD[word], block_bytes)
        if rest:
            raise InputError(
                f"The size {text!r} is no whole number of LBAs of {block_bytes} bytes: give a multiple of them."
            )
    if count < least:
        raise InputError(f"The size {text!r} is too small: give at least {least} LBA.")
    return count


def in_words(length: int) -> str:
    """`length` bytes in the largest unit of which there is at least one, such as ``1.5 GiB``."""
    for word, size in reversed(UNITS.items()):
        if length >= size:
            return f"{length // size}.{length % size * 10 // size} {word}"
    return f"{length} bytes"


def memory_limit() -> int | None:
    """The bytes of memory that this process may have: the machine's, or its container's where less.

    None where that cannot be told.
    """
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CONTAINER_LIMIT.read_text().strip() if CONTAINER_LIMIT.is_file() else ""
    return min(machine, int(limit)) if limit.isdigit() else machine

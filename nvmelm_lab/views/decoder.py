"""Bytes to meaning and back: an SQE, a CQE, an MQE, a controller state ... field by field, in words, with the standard.

Plain values and texts.  Where a bit lies, and what it means, is known by the layouts of `nvmelm_lab.nvme` alone; the
widget that edits a structure is in `decoder_widget`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import (
    LAYOUTS,
    CompletionQueueState,
    ControllerState,
    Field,
    IoOpcode,
    Layout,
    LbaStatusDescriptor,
    LogAction,
    QueueStates,
    Status,
    SubmissionQueueState,
    commands,
    layout_of_controller_state,
    layout_of_lba_status,
    layout_of_mqe,
    layout_of_sqe,
    migration_commands,
    pack_controller_state,
    pack_lba_status,
    pack_mqe,
)
from nvmelm_lab.nvme.codes import Completeness
from nvmelm_lab.nvme.fields import RESERVED, text_of
from nvmelm_lab.nvme.structs import CQE

BYTES_A_LINE: Final = 16
MOST_BYTES: Final = 4096
"""A structure longer than a page of memory is no longer one to read."""

SHOWN: Final = 20
"""Characters of a value; what is longer is vendor data, and reads better as bytes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What bytes are taken for: how they are laid out, and bytes to begin with."""

    layout_of: Callable[[bytes], Layout]
    example: bytes


def _admin(data: bytes) -> Layout:
    LAYOUTS["SQE"].as_number(data)
    return layout_of_sqe(data[0], admin=True, select=data[40])


def _io(data: bytes) -> Layout:
    LAYOUTS["SQE"].as_number(data)
    return layout_of_sqe(data[0], admin=False)


def _cqe(data: bytes) -> Layout:
    return LAYOUTS["CQE"]


_STATE: Final = ControllerState(
    True,
    QueueStates(
        (SubmissionQueueState(1, 1, 0x10000, 16, 5, 7),), (CompletionQueueState(1, 0x11000, 16, 3, 5, 1),)
    ),
)

KINDS: Final[Mapping[str, Kind]] = {
    "I/O SQE": Kind(_io, commands.write(7, 1, 40, 8, 0x20000)),
    "admin SQE": Kind(_admin, migration_commands.track_send(3, 0, LogAction.START)),
    "CQE": Kind(_cqe, CQE.pack(0, 0, 8, 1, 7, Status.SUCCESS << 1 | 1)),
    "MQE": Kind(layout_of_mqe, pack_mqe(1, 40, 8, phase=1)),
    "Controller State": Kind(layout_of_controller_state, pack_controller_state(_STATE)),
    "LBA Status": Kind(
        layout_of_lba_status,
        pack_lba_status([LbaStatusDescriptor(0, 8), LbaStatusDescriptor(32, 16)], Completeness.COMPLETE),
    ),
}
"""By the names that people type.  Which command an SQE is, and how many queues a state has, its own bytes say."""

_IO_NAMES: Final = frozenset(layout_of_sqe(opcode, admin=False).name for opcode in IoOpcode)
_OWN_LAYOUTS: Final = {"MQE, no range": "MQE"}


def kind_of(name: str) -> str:
    """The kind that a layout belongs to, for example ``I/O SQE`` for ``SQE Write``; other layouts are their own."""
    if name.startswith("SQE"):
        return "I/O SQE" if name in _IO_NAMES else "admin SQE"
    return _OWN_LAYOUTS.get(name, name)


@dataclass(frozen=True, slots=True)
class Structure:
    """Some bytes and what they are taken for: a name in `KINDS`, or of a layout in `nvmelm_lab.nvme.LAYOUTS`.

    As text, and as the last line of a cell, it shows its bytes and every field.  InputError where the bytes cannot be
    one.
    """

    kind: str
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > MOST_BYTES:
            raise InputError(f"{self.kind} of {len(self.data)} bytes: give at most {MOST_BYTES}")
        self.layout.as_number(self.data)

    @property
    def layout(self) -> Layout:
        """How these very bytes are laid out."""
        if self.kind in KINDS:
            return KINDS[self.kind].layout_of(self.data)
        return LAYOUTS[self.kind]

    @property
    def rows(self) -> list[Row]:
        """Its fields, in order."""
        layout = self.layout
        whole = layout.as_number(self.data)
        return [_row(each, whole >> each.start & each.most) for each in layout.fields]

    def with_bytes(self, text: str) -> Structure:
        """The same kind with other bytes, given in hex."""
        return replace(self, data=parse_hex(text))

    def with_value(self, index: int, text: str) -> Structure:
        """The same with another value in the field `index` (from 0), given as `parse_value` reads it."""
        layout = self.layout
        each = layout.fields[index]
        value = parse_value(each, text)
        whole = layout.as_number(self.data) & ~(each.most << each.start) | value << each.start
        return replace(self, data=whole.to_bytes(len(self.data), "little"))

    def __repr__(self) -> str:
        rows = self.rows
        wide = max(len(row.place) for row in rows)
        lines = (f"{row.place:{wide}}  {row.told} ({row.meaning}; {row.source})" for row in rows)
        return "\n".join([f"{self.layout.name}, {len(self.data)} bytes", *hex_lines(self.data), *lines])

    def _repr_html_(self) -> str:
        body = "".join(_html_row(row) for row in self.rows)
        head = "".join(f"<th>{word}</th>" for word in ("Where", "Field", "Value", "In words", "Standard"))
        dump = escape("\n".join(hex_lines(self.data)))
        title = f"{escape(self.layout.name)}, {len(self.data)} bytes"
        table = f"<table class='nvq-fields'><tr>{head}</tr>{body}</table>"
        return f"{_STYLE}<div class='nvq'><b>{title}</b><pre>{dump}</pre>{table}</div>"


@dataclass(frozen=True, slots=True)
class Row:
    """One field: its name, where it lies, its value as people type it, in words, and what it is for.

    `told` is name, value and words in one; `first` and `last` are the bytes that it lies in; `is_quiet` says that it
    is reserved, and 0 as it should be.
    """

    name: str
    place: str
    value: str
    words: str
    told: str
    meaning: str
    source: str
    first: int
    last: int
    is_quiet: bool


def _row(each: Field, value: int) -> Row:
    told = text_of(each, value)
    shown = f"{value:X}h" if each.hexadecimal else str(value)
    words = told.removeprefix(f"{each.name} {shown}").removeprefix(":").strip()
    if each.name == RESERVED:
        words = "should be 0" if value else ""
    if len(shown) > SHOWN:
        told = told.replace(shown, f"{shown[: SHOWN - 1]}…")
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1]
    first, last = each.start // 8, (each.start + each.high_bit - each.low_bit) // 8
    quiet = each.name == RESERVED and not value
    return Row(each.name, _place(each), shown, words, told, each.meaning, each.source, first, last, quiet)


def _place(each: Field) -> str:
    """``byte 3``, ``bytes 40-47``, ``byte 31, bits 3:1``: bits are counted within the bytes that are named."""
    first = each.start // 8
    last = (each.start + each.high_bit - each.low_bit) // 8
    where = f"byte {first}" if first == last else f"bytes {first}-{last}"
    low = each.start - 8 * first
    high = low + each.high_bit - each.low_bit
    if low == 0 and high + 1 == 8 * (last - first + 1):
        return where
    return f"{where}, bit {low}" if low == high else f"{where}, bits {high}:{low}"


# --- what people type ----------------------------------------------------------------------------------------


def structure(kind: str, hex_digits: str) -> Structure:
    """The structure that these hex digits stand for.  InputError where they cannot be one of this kind."""
    if kind not in KINDS and kind not in LAYOUTS:
        raise InputError(f"bytes cannot be taken for {kind!r}; give one of {', '.join(KINDS)}")
    return Structure(kind, parse_hex(hex_digits))


def parse_hex(text: str) -> bytes:
    """The bytes that hex digits stand for; spaces, line ends, commas, colons and a leading 0x do not count."""
    digits = re.sub(r"0[xX]|[\s,:_]", "", text)
    wrong = re.search(r"[^0-9a-fA-F]", digits)
    if wrong:
        raise InputError(
            f"{wrong.group()!r} is no hex digit (after {wrong.start()} of them); give 0 to 9 and A to F"
        )
    if len(digits) % 2:
        raise InputError(f"{len(digits)} hex digits are no whole number of bytes; give two digits a byte")
    return bytes.fromhex(digits)


def parse_value(each: Field, text: str) -> int:
    """The value that `text` stands for: decimal (``40``), or hexadecimal (``28h``, ``0x28``).

    InputError when it is no number, or does not fit into the field.
    """
    word = text.strip().replace(" ", "")
    try:
        value = int(word[:-1], 16) if word[-1:] in "hH" and word[:-1] else int(word, 0)
    except ValueError:
        raise InputError(
            f"{each.name} cannot be {text.strip()!r}; give a whole number such as 40, 28h or 0x28"
        ) from None
    if not 0 <= value <= each.most:
        raise InputError(f"{each.name} cannot be {text.strip()}; give 0 to {each.most} ({each.most:X}h)")
    return value


# --- what people read ----------------------------------------------------------------------------------------


def hex_lines(data: bytes) -> list[str]:
    """The bytes, sixteen a line, each line with the offset of its first."""
    return [
        f"{at:4}  {data[at : at + BYTES_A_LINE].hex(' ').upper()}" for at in range(0, len(data), BYTES_A_LINE)
    ]


_STYLE: Final = """<style>
.nvq { max-width: 1000px; font-size: 13px }
.nvq pre { font-size: 12px; line-height: 17px; margin: 4px 0 }
.nvq .nvq-fields { border-collapse: collapse; font-size: 12px; width: 100%; margin: 0; table-layout: auto }
.nvq .nvq-fields tr { background: none }
.nvq .nvq-fields :is(th, td) { text-align: left; padding: 1px 10px 1px 0; vertical-align: top; background: none;
  white-space: normal }
.nvq .nvq-fields :is(th, td):nth-child(-n + 2) { white-space: nowrap }
.nvq .nvq-fields :is(th, .nvq-muted, .nvq-quiet td) { color: var(--jp-ui-font-color2, #5b5f66); font-weight: 400 }
</style>"""


def _html_row(row: Row) -> str:
    quiet = ' class="nvq-quiet"' if row.is_quiet else ""
    value = row.value if len(row.value) <= SHOWN else f"{row.value[: SHOWN - 1]}…"
    name = escape(row.name) if row.is_quiet else f"<b>{escape(row.name)}</b>"
    words = f'{escape(row.words)} <span class="nvq-muted">{escape(row.meaning)}</span>'
    cells = (
        escape(row.place),
        name,
        escape(value),
        words,
        f'<span class="nvq-muted">{escape(row.source)}</span>',
    )
    return f"<tr{quiet}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

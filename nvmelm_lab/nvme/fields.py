"""What a layout is: a table that says of every bit of a structure what it is for.  From one such table a
structure is packed, taken apart, decoded for people, and handed to a browser; no other place knows where
a bit lies.  The tables themselves are in `layouts_*`; the entries of the rings have a faster way in
`structs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.nvme.codes import Code

Buffer = bytes | bytearray | memoryview

RESERVED = "Reserved"
"""The name of every field that the standard keeps for later, and that therefore holds 0."""


_NO_VALUES: Mapping[int, str] = MappingProxyType({})


class Field(NamedTuple):
    """Bits `high_bit:low_bit` of the `size` bytes at offset `byte`, little-endian.

    `values` names the values that have a name.  `unit` says what is counted; `zero_based` that value N
    stands for N + 1 of it; `hexadecimal` that people read the value best so.
    """

    name: str
    byte: int
    size: int
    low_bit: int
    high_bit: int
    meaning: str
    source: str = ""
    values: Mapping[int, str] = _NO_VALUES
    unit: str = ""
    zero_based: bool = False
    hexadecimal: bool = False

    @property
    def start(self) -> int:
        """The field's lowest bit, counted from bit 0 of byte 0 of the structure."""
        return 8 * self.byte + self.low_bit

    @property
    def most(self) -> int:
        """The largest value that fits."""
        return (2 << (self.high_bit - self.low_bit)) - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure of `size` bytes; its `fields`, in order, cover each bit exactly once."""

    name: str
    size: int
    fields: tuple[Field, ...]
    _places: dict[str, tuple[int, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {each.name: (each.start, each.most) for each in self.fields if each.name != RESERVED}
        object.__setattr__(self, "_places", places)

    def pack(self, values: Mapping[str, int]) -> bytes:
        """The structure with `values` by field name, all other fields 0.  InputError when a value does
        not fit its field; KitError for a field that the layout lacks.
        """
        whole = 0
        for name, value in values.items():
            if name not in self._places:
                raise KitError(f"{self.name} has no field {name}")
            start, most = self._places[name]
            if not (isinstance(value, int) and 0 <= value <= most):
                raise InputError(f"{name} {value} of {self.name}: must be a whole number from 0 to {most}")
            whole |= value << start
        return whole.to_bytes(self.size, "little")

    def unpack(self, data: Buffer) -> dict[str, int]:
        """The values of `data` by field name, reserved fields left out.  InputError when `data` has
        another size than the layout.
        """
        whole = self.as_number(data)
        return {name: whole >> start & most for name, (start, most) in self._places.items()}

    def as_number(self, data: Buffer) -> int:
        """`data` as one little-endian number, in which `Field.start` counts.  InputError as `unpack`."""
        if len(data) != self.size:
            raise InputError(f"{self.name} of {len(data)} bytes: must be {self.size} bytes")
        return int.from_bytes(data, "little")


class Decoded(NamedTuple):
    """One field of a structure as people read it: `text` is the value with what it stands for."""

    name: str
    value: int
    text: str
    source: str


def decode(layout: Layout, data: Buffer) -> list[Decoded]:
    """Every field of `data`, in order.  InputError when `data` has another size than the layout."""
    whole = layout.as_number(data)
    decoded = []
    for each in layout.fields:
        value = whole >> each.start & each.most
        decoded.append(Decoded(each.name, value, text_of(each, value), each.source))
    return decoded


def text_of(each: Field, value: int) -> str:
    """A value in words, by four rules: reserved bits are 0 or wrong; a named value is named; a 0's based
    count shows the real one; anything else is the number and its unit.
    """
    shown = f"{value:X}h" if each.hexadecimal else str(value)
    if each.name == RESERVED:
        return RESERVED if value == 0 else f"{RESERVED} {shown}: should be 0"
    if each.values:
        return f"{each.name} {shown}: {each.values.get(value, 'a value without a meaning here')}"
    if each.zero_based:
        return f"{each.name} {shown} ({value + 1} {each.unit if value else each.unit.removesuffix('s')})"
    return f"{each.name} {shown} {each.unit}".rstrip()


def as_plain(layout: Layout) -> dict[str, object]:
    """The layout as plain values for JSON, so that a browser can decode by the rules of `text_of`.  Keys
    of `values` become text, as JSON demands.
    """
    fields = [
        {
            "name": each.name,
            "byte": each.byte,
            "size": each.size,
            "low_bit": each.low_bit,
            "high_bit": each.high_bit,
            "meaning": each.meaning,
            "source": each.source,
            "values": {str(value): text for value, text in each.values.items()},
            "unit": each.unit,
            "zero_based": each.zero_based,
            "hexadecimal": each.hexadecimal,
        }
        for each in layout.fields
    ]
    return {"name": layout.name, "size": layout.size, "fields": fields}


def bits(
    byte: int,
    size: int,
    high: int,
    low: int,
    name: str,
    meaning: str,
    values: Mapping[int, str] | None = None,
    unit: str = "",
    zero_based: bool = False,
    hexadecimal: bool = False,
) -> Field:
    """The field of bits `high:low` in the `size` bytes at `byte`."""
    return Field(
        name, byte, size, low, high, meaning, "", values or _NO_VALUES, unit, zero_based, hexadecimal
    )


def whole_bytes(
    first: int,
    last: int,
    name: str,
    meaning: str,
    values: Mapping[int, str] | None = None,
    unit: str = "",
    zero_based: bool = False,
    hexadecimal: bool = False,
) -> Field:
    """The field of the whole bytes `first` to `last`, both included."""
    size = last - first + 1
    return bits(first, size, 8 * size - 1, 0, name, meaning, values, unit, zero_based, hexadecimal)


def reserved_bits(byte: int, size: int, high: int, low: int) -> Field:
    """The reserved bits `high:low` in the `size` bytes at `byte`."""
    return bits(byte, size, high, low, RESERVED, "kept for later: 0", hexadecimal=True)


def reserved(first: int, last: int) -> Field:
    """The reserved bytes `first` to `last`, both included."""
    return whole_bytes(first, last, RESERVED, "kept for later: 0", hexadecimal=True)


def layout(name: str, size: int, source: str, *fields: Field) -> Layout:
    """A layout whose fields all come from `source`, except those that name another."""
    return Layout(name, size, tuple(each if each.source else each._replace(source=source) for each in fields))


def moved(each: Field, by: int, prefix: str = "") -> Field:
    """The same field `by` bytes further on, its name prefixed unless it is reserved."""
    name = each.name if each.name == RESERVED else prefix + each.name
    return each._replace(name=name, byte=each.byte + by)


def meanings(codes: type[Code]) -> dict[int, str]:
    """The values of an enumeration with what each stands for."""
    return {code.value: code.meaning for code in codes}


def one_less(name: str, count: int, most: int) -> int:
    """A plain `count` as the 0's based number that stands for it.  InputError unless 1 to `most`."""
    if not (isinstance(count, int) and 1 <= count <= most):
        raise InputError(f"{name} {count}: must be a whole number from 1 to {most}")
    return count - 1

"""How an Identify page is written down: a frozen dataclass whose fields say where in the page they lie.
From that one declaration a page is packed and parsed.  The pages themselves are in `identify`.
"""

import struct
from dataclasses import Field, field, fields
from typing import Any, ClassVar, Protocol, TypeVar

from nvmelm_lab.errors import InputError

PAGE_BYTES = 4096
"""Size of every Identify page."""


class AnyPage(Protocol):
    """A dataclass whose fields were all declared with `at`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Page = TypeVar("Page", bound=AnyPage)

Buffer = bytes | bytearray | memoryview


def at(offset: int, form: str, default: int | str = 0) -> Any:
    """A field of a page at byte `offset`, as the letter(s) `form` of the struct module say.  A form that
    ends in s is ASCII text, padded with spaces.
    """
    return field(default=default, metadata={"offset": offset, "form": "<" + form})


def pack_page(page: AnyPage) -> bytes:
    """The 4096 bytes of `page`.  InputError when a value does not fit its field."""
    data = bytearray(PAGE_BYTES)
    for each in fields(page):
        offset, form = each.metadata["offset"], each.metadata["form"]
        value = getattr(page, each.name)
        size = struct.calcsize(form)
        if form.endswith("s"):
            data[offset : offset + size] = _text(each.name, value, size)
            continue
        try:
            struct.pack_into(form, data, offset, value)
        except struct.error as error:
            most = (1 << 8 * size) - 1
            raise InputError(f"{each.name} {value} of Identify: must be 0 to {most}") from error
    return bytes(data)


def _text(name: str, value: str, size: int) -> bytes:
    if not value.isascii() or len(value) > size:
        raise InputError(f"{name} {value!r} of Identify: must be at most {size} ASCII characters")
    return value.encode("ascii").ljust(size)


def unpack_page(kind: type[Page], data: Buffer) -> Page:
    """The page of class `kind` that `data` holds.  InputError unless `data` is 4096 bytes."""
    check_page(data)
    values: dict[str, int | str] = {}
    for each in fields(kind):
        (value,) = struct.unpack_from(each.metadata["form"], data, each.metadata["offset"])
        values[each.name] = value.decode("latin-1").rstrip() if isinstance(value, bytes) else value
    return kind(**values)


def check_page(data: Buffer) -> None:
    """InputError unless `data` is 4096 bytes."""
    if len(data) != PAGE_BYTES:
        raise InputError(f"Identify page of {len(data)} bytes: must be {PAGE_BYTES}")


def padded(data: bytes) -> bytes:
    """`data` with zeroes behind it up to 4096 bytes."""
    return data.ljust(PAGE_BYTES, b"\0")

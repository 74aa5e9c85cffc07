"""A named run of bits inside a register or a dword: read it, or place a value in it.  Positions are
written `Bits(high, low)`, as the standard prints them.  No register lives here.
"""

from typing import NamedTuple

from nvmelm_lab.errors import InputError


class Bits(NamedTuple):
    """The bits `high:low` of a word, both ends included."""

    high: int
    low: int

    def get(self, word: int) -> int:
        """The value that `word` carries in these bits."""
        return (word >> self.low) & ((2 << (self.high - self.low)) - 1)

    def put(self, value: int) -> int:
        """`value` shifted to its place, to be or-ed into a word.  InputError when it needs more bits."""
        most = (2 << (self.high - self.low)) - 1
        if not 0 <= value <= most:
            raise InputError(f"value {value} for bits {self.high}:{self.low}: must be 0 to {most}")
        return value << self.low

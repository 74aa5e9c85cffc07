"""The two ways in which the kit refuses to go on.  Nothing else in the package defines an exception
that reaches a user: either what was given is wrong, or the kit is.
"""


class InputError(ValueError):
    """What you gave cannot be used.  The message names the input, what is wrong, and what would be right."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the message alone.  Where in the kit it was noticed helps nobody."""
        return [f"{type(self).__name__}: {self}"]


class KitError(RuntimeError):
    """A promise that the kit makes to itself was broken: a defect of the kit, not of your input."""

"""The two ways in which the kit refuses to go on.  Nothing else in the package defines an exception
that reaches a user: either what was given is wrong, or the kit is.
"""


class InputError(ValueError):
    """What you gave cannot be used.  The message names the input, what is wrong, and what would be right."""


class KitError(RuntimeError):
    """A promise that the kit makes to itself was broken: a defect of the kit, not of your input."""

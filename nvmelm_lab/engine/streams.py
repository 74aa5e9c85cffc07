"""Randomness.  Each concern draws from a stream of its own, so that one more draw in one place never
shifts the numbers of another.  Nothing in the kit draws random numbers from anywhere else.
"""

import random


def stream(seed: int, concern: str) -> random.Random:
    """The stream of one concern (such as ``"workload/vm-a"``) under one seed.

    Draw integers only (``getrandbits``, ``randrange``): those are the same on every machine and version.
    """
    return random.Random(f"{seed}/{concern}")

"""How property tests run here: no deadline, for a busy machine is no defect; in CI the same examples every time.

At home each run draws new examples, and keeps those that failed.
"""

import os

from hypothesis import settings

settings.register_profile("kit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("kit")

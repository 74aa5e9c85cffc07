"""The derived check list as a whole: every row of facts E has tests that are named after it."""

import re
from pathlib import Path

ROWS = {"r": 7, "s": 12, "q": 5, "t": 6, "l": 2}
"""Letter of the rows, and how many there are of it."""


def test_each_row_of_the_list_has_a_test() -> None:
    files = Path(__file__).parent.glob("test_check_list_*.py")
    found = {
        row for file in files for row in re.findall(r"^def test_([a-z]\d+)_", file.read_text("utf-8"), re.M)
    }
    assert found == {f"{letter}{number}" for letter, count in ROWS.items() for number in range(1, count + 1)}

"""The text of a learner's program: is it one, and which of its lines is meant.

Lines are counted from the first of the function that they are in, since a function is what a learner looks at: the same
number in a notebook's cell and in a file.  Nothing of the program is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, TracebackType

from nvmelm_lab.errors import InputError

FILE = "<your program>"
"""What Python calls the file of a learner's program."""

ENTRY = "migrate"
PARAMETERS = ("vm", "source", "destination", "tasks")
SIGNATURE = f"async def {ENTRY}({', '.join(PARAMETERS)})"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a program: number `number` of the function `function` ("" outside of all), and what it says."""

    function: str
    number: int
    code: str

    def __str__(self) -> str:
        return f"line {self.number} of {self.function or 'your program'}: `{self.code}`"


class ProgramError(InputError):
    """What ended the run of a learner's program, in one sentence.

    outcome
        The word for it, of those that `learner_verdict` lists.
    line
        Where, if that is known.
    """

    def __init__(self, outcome: str, message: str, line: Line | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.line = line


@lru_cache(maxsize=64)
def parsed(text: str) -> ast.Module:
    """The program's syntax.  Raises ProgramError when it has none, or does not define what it must."""
    try:
        tree = ast.parse(text, FILE)
    except SyntaxError as error:
        lines = text.splitlines()
        code = lines[error.lineno - 1].strip() if error.lineno and error.lineno <= len(lines) else ""
        line = Line("", error.lineno or 1, code)
        raise ProgramError("not a migration", f"this is not Python: {line}: {error.msg}", line) from None
    except ValueError as error:
        raise ProgramError("not a migration", f"this is not Python: {error}") from None
    _check_entry(tree)
    return tree


@lru_cache(maxsize=64)
def compiled(text: str) -> CodeType:
    """The program's code.  Raises ProgramError as `parsed` does."""
    parsed(text)
    return compile(text, FILE, "exec", dont_inherit=True)


def _check_entry(tree: ast.Module) -> None:
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name == ENTRY
    ]
    if not found:
        raise ProgramError("not a migration", f"there is no {ENTRY}; write `{SIGNATURE}:`")
    entry = found[-1]
    if isinstance(entry, ast.FunctionDef):
        raise ProgramError(
            "not a migration", f"{ENTRY} is a plain `def`, which cannot await anything; write `{SIGNATURE}:`"
        )
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own(entry)):
        raise ProgramError("not a migration", f"{ENTRY} has a `yield`; await the verbs instead")
    arguments = entry.args
    most = len(arguments.posonlyargs) + len(arguments.args)
    least = most - len(arguments.defaults)
    required = [1 for default in arguments.kw_defaults if default is None]
    if required or not least <= len(PARAMETERS) <= (1 << 16 if arguments.vararg else most):
        raise ProgramError("not a migration", f"{ENTRY} takes other parameters; write `{SIGNATURE}:`")


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function itself, and not in the functions within it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own(node)


def line_at(text: str, number: int) -> Line:
    """Line `number`, counted from 1, of the text."""
    lines = text.splitlines()
    code = lines[number - 1].strip() if 1 <= number <= len(lines) else ""
    function, first = "", 1
    for node in ast.walk(parsed(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if first <= node.lineno <= number <= (node.end_lineno or node.lineno):
            function, first = node.name, node.lineno
    return Line(function, number - first + 1, code)


def line_of(text: str, traceback: TracebackType | None) -> Line | None:
    """The innermost line of the program that a traceback goes through."""
    number = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILE:
            number = traceback.tb_lineno
        traceback = traceback.tb_next
    return line_at(text, number) if number else None

"""Which variables the tasks of a learner's program share, as far as its text tells.

A task is what is started, ``group.start(worker(...))``, with the functions of the program that it calls.  A variable is
shared when a task changes it and it is not the task's own: a name of the function around it or of the whole program, or
a parameter, whose value other tasks may have been given too.  It counts as changed by an assignment (``nonlocal``,
``global``), by ``x[...] = ``, ``x.y = ``, ``del``, and by a method that changes lists, sets, dictionaries and queues.

What cannot be seen: a change by a method of the learner's own, by a function of a module, or through another name of
the same object.  Of such programs only the orders of steps are tried, not those in which their tasks go on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nvmelm_lab.races.learner_text import Line, line_at, parsed

MUTATORS = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "put_nowait",
        "get_nowait",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "update",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
    ]
)
"""Methods of Python's containers that change them."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Shared:
    """A variable that tasks share, and the first line at which one changes it."""

    name: str
    line: Line


@lru_cache(maxsize=64)
def shared_variables(text: str) -> tuple[Shared, ...]:
    """The variables that tasks share, in the order of the lines that change them."""
    tree = parsed(text)
    functions: dict[str, list[_Function]] = {}
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            functions.setdefault(node.name, []).append(node)
    found: dict[str, int] = {}
    for function in _tasks(tree, functions):
        own = _own_names(function)
        for name, number in _changed(function):
            if name not in own:
                found[name] = min(number, found.get(name, number))
    return tuple(
        Shared(name, line_at(text, number))
        for name, number in sorted(found.items(), key=lambda item: item[1])
    )


def _tasks(tree: ast.Module, functions: dict[str, list[_Function]]) -> list[_Function]:
    """The functions of the program that run in tasks."""
    waiting = [
        called
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "start"
        for argument in node.args
        for called in _called(argument)
    ]
    seen: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name not in seen and name in functions:
            seen[name] = None
            waiting += [called for function in functions[name] for called in _called(function)]
    return [function for name in seen for function in functions[name]]


def _called(node: ast.AST) -> Iterator[str]:
    """The names of functions that are called in `node`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
            yield each.func.id


def _inside(function: _Function) -> Iterator[ast.AST]:
    """What stands in the function itself; functions within it are looked at where they are called."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _own_names(function: _Function) -> set[str]:
    """Names that mean something of this call alone: assigned in the function, and no parameter."""
    own, elsewhere = set(), set()
    for node in _inside(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            own.add(node.name)
        elif isinstance(node, ast.Nonlocal | ast.Global):
            elsewhere.update(node.names)
    arguments = function.args
    parameters = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    return own - elsewhere - parameters


def _changed(function: _Function) -> Iterator[tuple[str, int]]:
    """Names whose value is changed in the function, each with the line."""
    elsewhere = {
        name
        for node in _inside(function)
        if isinstance(node, ast.Nonlocal | ast.Global)
        for name in node.names
    }
    for node in _inside(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node.id in elsewhere:
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield from _root(node)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS
        ):
            yield from _root(node.func)


def _root(node: ast.expr) -> Iterator[tuple[str, int]]:
    """The variable that an expression such as ``x.y[3]`` begins with."""
    number = node.lineno
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id, number

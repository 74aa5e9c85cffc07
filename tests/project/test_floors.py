"""The house: imports go down only, and the ground floors need next to nothing."""

import ast
import graphlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "nvmelm_lab"

FLOORS = {
    "": -1,
    "errors": -1,
    "engine": 0,
    "memory": 0,
    "nvme": 0,
    "sizes": 0,
    "ssd": 1,
    "host": 2,
    "oracle": 2,
    "lab": 3,
    "runs": 3,
    "faults": 3,
    "races": 3,
    "lessons": 3,
    "views": 4,
    "grading": 4,
    "notebook": 5,
    "cli": 5,
    "jupyter": 5,
    "doctor": 5,
    "doctor_faults": 5,
    "cli_migrate": 5,
    "cli_races": 5,
}
# On one floor only these may know each other, and then (no cycles) in one direction.
NEIGHBOURS = (
    {"host", "oracle"},
    {"lab", "races"},
    {"lab", "runs"},
    {"lab", "faults"},
    {"faults", "runs"},
    {"faults", "races"},
    {"runs", "races"},
    {"lessons", "lab"},
    {"lessons", "runs"},
    {"lessons", "faults"},
    {"lessons", "races"},
    {"errors", ""},
)
HEAVY = {"numpy", "plotly", "ipywidgets", "networkx", "anywidget", "pandas", "IPython"}
PROCESSES = {"threading", "_thread", "subprocess", "multiprocessing", "playwright", "webbrowser"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}


def unit(module: str) -> str:
    """The folder or module right below the package; "" is the package's own __init__."""
    return [*module.split("."), ""][1]


def imports_of(tree: ast.AST, module: str, is_package: bool, modules: set[str]) -> Iterator[str]:
    """Every module that `tree` imports, anywhere in it: the submodule where a name is one."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, package)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in modules else base


class WithoutTypesOnly(ast.NodeTransformer):
    """Drops what stands under `if TYPE_CHECKING`: it is never imported when the program runs."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return self.generic_visit(node)


def imports(module: str, types_too: bool = True) -> list[str]:
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree = tree if types_too else WithoutTypesOnly().visit(tree)
    return list(imports_of(tree, module, path.name == "__init__.py", set(MODULES)))


def own_imports(module: str, types_too: bool = True) -> set[str]:
    return {name for name in imports(module, types_too) if name.split(".")[0] == PACKAGE}


def may_import(above: str, below: str) -> bool:
    if above == below or FLOORS[above] > FLOORS[below]:
        return True
    if FLOORS[above] < FLOORS[below]:
        return False
    return FLOORS[above] == 5 or {above, below} in NEIGHBOURS


def test_every_module_stands_on_a_floor() -> None:
    homeless = {unit(module) for module in MODULES} - FLOORS.keys()
    assert not homeless, f"on which floor do these stand? Say so in FLOORS: {sorted(homeless)}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    upward = {name for name in own_imports(module) if not may_import(unit(module), unit(name))}
    assert not upward, f"{module} (floor {FLOORS[unit(module)]}) must not import {sorted(upward)}"


def test_no_two_modules_import_each_other_directly_or_in_a_circle() -> None:
    graph = {module: own_imports(module, types_too=False) - {module} for module in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", [name for name in MODULES if FLOORS.get(unit(name), 0) < 4])
def test_below_floor_4_no_module_starts_threads_or_processes_or_needs_a_browser(module: str) -> None:
    assert not {name.split(".")[0] for name in imports(module)} & PROCESSES


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("nvmelm_lab.ssd.rings", "from nvmelm_lab.host import driver", "nvmelm_lab.host.driver"),
        ("nvmelm_lab.ssd.rings", "def f():\n    import nvmelm_lab.lab", "nvmelm_lab.lab"),
        ("nvmelm_lab.ssd.rings", "from ..host.driver import Driver", "nvmelm_lab.host.driver"),
        ("nvmelm_lab.ssd.rings", "from .. import lab", "nvmelm_lab.lab"),
        ("nvmelm_lab.ssd.rings", "if TYPE_CHECKING:\n    import nvmelm_lab.lab", "nvmelm_lab.lab"),
    ],
)
def test_an_upward_import_is_seen_in_every_form(module: str, source: str, found: str) -> None:
    known = {"nvmelm_lab.host.driver", "nvmelm_lab.host", "nvmelm_lab.lab"}
    assert list(imports_of(ast.parse(source), module, False, known)) == [found]
    assert not may_import(unit(module), unit(found))


def loaded_after(*names: str) -> set[str]:
    """The top-level modules that a fresh Python holds after importing `names`."""
    program = f"import sys, {', '.join(names)}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return {name.split(".")[0] for name in run.stdout.split()}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after(PACKAGE) & HEAVY


def test_everything_below_floor_4_loads_without_numpy_and_the_figure_libraries() -> None:
    low = [module for module in MODULES if FLOORS.get(unit(module), 0) < 4]
    assert not loaded_after(*low) & HEAVY


def test_the_command_line_starts_without_numpy_and_the_figure_libraries_and_jupyter() -> None:
    assert not loaded_after(f"{PACKAGE}.cli") & {*HEAVY, "rich", "jupyterlab", "jupyter_core", "playwright"}

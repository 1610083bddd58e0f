"""The house of the design: imports run one way, nothing reaches back up, and quick commands stay light."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# room -> the rooms it may import from; a room may always import from itself.
MAY_IMPORT = {
    "variants": set(),
    "baselines": {"variants"},
    "bench.errors": set(),
    "bench.names": {"bench.errors"},
    "bench.registry": {"variants", "bench.errors", "bench.names"},
    "bench.streams": set(),
    "bench.progress": set(),
    "bench.signals": set(),
    "bench.workers": set(),
    "bench.protocol": {"bench.errors", "bench.names"},
    "bench.cell": {"bench.protocol", "bench.streams"},
    "bench.setup": {"bench", "bench.errors", "bench.protocol", "bench.runs"},
    "bench.runs": {"bench", "bench.errors", "bench.names"},
    "bench.statistics": {"bench.errors", "bench.names"},
    "bench.data": {"bench.errors", "bench.names", "bench.registry", "bench.progress", "bench.protocol",
                   "bench.runs", "bench.streams"},
    "bench.training": {"variants", "bench.data", "bench.runs", "bench.cell", "bench.protocol", "bench.errors",
                       "bench.progress", "bench.streams", "bench.names", "bench.setup",
                       "bench.statistics", "bench.signals", "bench.registry"},
    "bench.scoring": {"variants", "bench.registry", "bench.statistics", "bench.data", "bench.runs",
                      "bench.cell",
                      "bench.protocol", "bench.errors", "bench.progress", "bench.streams", "bench.names",
                      "bench.setup"},
    "bench.studies": {"variants", "bench.training", "bench.scoring", "bench.data", "bench.runs", "bench.cell",
                      "bench.protocol", "bench.errors", "bench.progress", "bench.names", "bench.setup",
                      "bench.signals", "bench.workers", "bench.registry", "bench.tracking"},
    "bench.profiling": {"variants", "bench.training", "bench.data", "bench.runs", "bench.cell",
                        "bench.protocol", "bench.errors", "bench.progress", "bench.signals", "bench.setup",
                        "bench.streams", "bench.workers", "bench.registry"},
    "bench.tracking": {"bench.errors", "bench.registry", "bench.runs"},
    "bench.comparing": {"variants", "bench.statistics", "bench.scoring", "bench.runs", "bench.protocol",
                        "bench.setup", "bench.errors", "bench.names"},
    "bench.ballot": {"bench.comparing", "bench.data", "bench.errors", "bench.names", "bench.progress",
                     "bench.protocol", "bench.runs", "bench.scoring", "bench.statistics", "bench.studies",
                     "bench.translating"},
    "bench.exporting": {"variants", "bench", "bench.data", "bench.errors", "bench.names", "bench.runs",
                        "bench.training", "bench.translating"},
    "reports": {"bench.ballot", "bench.comparing", "bench.runs", "bench.statistics", "bench.errors",
                "bench.scoring", "bench", "bench.protocol", "bench.names", "bench.registry", "bench.setup",
                "baselines", "variants"},
}  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the four packages."""
    found = {}
    for package in ("bench", "variants", "baselines", "reports"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "bench" else parts[0]


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports anywhere, also inside functions, type checking excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    type_checking = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    known, names = modules(), set()
    for node in ast.walk(tree):
        if id(node) in type_checking:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names |= {inside[name] if inside[name] in known else node.module for name in inside}
    return {name for name in names if name in known}


def test_no_files_import_one_another_in_a_circle() -> None:
    left = {name: imported(path) - {name} for name, path in modules().items()}
    while ready := {name for name, needed in left.items() if not needed & set(left)}:
        left = {name: needed for name, needed in left.items() if name not in ready}
    assert sorted(left) == []


@pytest.mark.parametrize("module", [name for name in modules() if room_of(name) in MAY_IMPORT])
def test_imports_run_one_way(module: str) -> None:
    room = room_of(module)
    reached = {room_of(name) for name in imported(modules()[module])} - {room}
    assert reached <= MAY_IMPORT[room], f"{module} reaches {sorted(reached - MAY_IMPORT[room])}"


def test_of_the_generators_reports_know_only_what_every_suite_is_made_of() -> None:
    found = {
        name: {each for each in imported(path) if room_of(each) == "variants"}
        for name, path in modules().items()
        if room_of(name) == "reports"
    }
    assert set().union(*found.values()) == {"variants.registry.checks"}, found


def test_the_command_line_is_imported_by_nothing_below_it() -> None:
    users = {
        name for name, path in modules().items() if any(room_of(x) == "bench.cli" for x in imported(path))
    }
    assert {name for name in users if room_of(name) != "bench.cli"} == {"bench.__main__"}


def test_no_module_imports_itself_through_others() -> None:
    known = modules()
    graph = {name: module_level_imports(path) & known.keys() - {name} for name, path in known.items()}
    visited: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name in visited:
            return
        for target in sorted(graph[name]):
            visit(target, (*trail, name))
        visited.add(name)

    for name in sorted(graph):
        visit(name, ())


def module_level_imports(path: Path) -> set[str]:
    """As `imported`, but only what runs when the module is imported; a package is not its modules."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & modules().keys()
            names |= inner or {node.module}
    return names


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        ("--help", {"pydantic"}),
        ("list --help", {"pydantic"}),
        ("list variants", {"pydantic"}),
        ("list baselines --json", {"pydantic"}),
        ("list datasets", set()),
        ("list protocols", set()),
    ],
)
def test_quick_commands_import_nothing_that_takes_long(arguments: str, also: set[str]) -> None:
    program = (
        "import sys\n"
        "from bench.cli import app\n"
        f"try: app({arguments.split()!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"heavy = { ({'torch', 'pandas', 'matplotlib', 'scipy', 'rich'} | also)!r} & sys.modules.keys()\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize("package", ["reports", "bench.runs", "bench.statistics", "bench.studies.grid"])
def test_rooms_that_never_need_torch_import_without_it(package: str) -> None:
    names = [name for name in modules() if name == package or name.startswith(f"{package}.")]
    program = f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\n"
    program += "sys.exit('torch' in sys.modules and 'torch was imported')"
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_source_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)+\.py)`", text))
    gone = [name for name in sorted(named) if not any((ROOT / top / name).exists() for top in ("", "bench"))]
    assert gone == []

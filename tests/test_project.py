"""The papers of the project agree with each other and with the code."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import typer

from toolkit.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def readme_commands() -> list[str]:
    """The indented shell commands of the README's first two sections."""
    return re.findall(r"^    (python3 -m venv .*)$", README, flags=re.MULTILINE)


def test_ci_runs_the_two_commands_of_the_readme_as_printed() -> None:
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = readme_commands()
    assert len(commands) == 2
    for command in commands:
        assert command in ci


def test_the_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 150


def test_every_command_stands_in_the_table_of_what_one_can_ask() -> None:
    page = (ROOT / "docs" / "asking.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| "))
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"mevgs-toolkit ([a-z][a-z-]+)", table))
    assert known == named | {"describe", "version"}


def test_every_command_and_option_that_the_documentation_names_exists() -> None:
    for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        named = re.findall(r"mevgs-toolkit ([a-z][a-z-]+)([^`\n]*)", text)
        commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
        for command, rest in named:
            known = {
                option
                for one in commands[command].params
                for option in (*one.opts, *one.secondary_opts)
            }
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, (path.name, command)


def test_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_no_address_is_pinned(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[><=]", need)[0].lower() for need in project["dependencies"]}
    assert wanted <= pinned


def test_makers_are_not_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    for package in ("makers", *(f"makers.{path.parent.name}" for path in ROOT.glob("makers/*/"))):
        assert not any(fnmatch(package, pattern) for pattern in patterns)


def test_every_module_that_is_said_to_run_is_there_and_runs() -> None:
    """Model cards, READMEs, docstrings and messages name modules after ``python -m``."""
    papers = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *(ROOT / ".ci").iterdir()]
    for folder in (*PACKAGES, "tests"):
        papers += [*(ROOT / folder).rglob("*.md"), *(ROOT / folder).rglob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in papers)
    folders = "|".join((*PACKAGES, "tests"))
    named = set(re.findall(rf"python -m ((?:{folders})[\w.]*\w)", said))
    assert len(named) >= 20
    for name in named:
        place = ROOT / name.replace(".", "/")
        module = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
        assert module.is_file(), name
        assert 'if __name__ == "__main__":' in module.read_text(encoding="utf-8"), name
    # A file that is run by its path does not find what it imports from beside it.
    assert re.findall(rf"python (?:{folders})/\S+", said) == []


PACKAGES = ("toolkit", "paradigms", "stimuli", "reports", "makers")


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module of the project, parsed."""
    found = {}
    for path in (path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Module and name of every import, those in functions and those for type checkers as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def circles(trees: dict[str, ast.Module]) -> list[list[str]]:
    """Circles of imports, one after the other, each without the last edge of those before it."""
    graph = {}
    for module, tree in trees.items():
        known = {f"{m}.{n}" if f"{m}.{n}" in trees else m for m, n in imported(tree)}
        graph[module] = {name for name in known if name in trees and name != module}
    found = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1]
            found.append(circle)
            graph[circle[1]].discard(circle[0])
        else:
            return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(modules()) == []


@pytest.mark.parametrize(
    "last",
    [
        "import a",
        "from a import x",
        "def f():\n    import a",
        "if TYPE_CHECKING:\n    from a import x",
        "try:\n    import a\nexcept ImportError:\n    pass",
    ],
)
def test_a_circle_is_seen(last: str) -> None:
    sources = {"a": "from b import x", "b": "import c", "c": last, "d": "import a"}
    found = circles({name: ast.parse(source) for name, source in sources.items()})
    assert [set(circle) for circle in found] == [{"a", "b", "c"}]


def test_every_module_that_is_installed_stands_in_a_layer() -> None:
    """Every folder of modules has a contract that names all that lies in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    whole = [one for one in contracts if one["type"] == "layers" and one.get("exhaustive")]
    assert not any("exhaustive_ignores" in one for one in contracts)
    bound = {name for one in whole for name in one["containers"]}
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for name in PACKAGES
        for path in (ROOT / name).rglob("__init__.py")
        if name != "makers"
    }
    assert folders == bound


def said() -> Iterator[tuple[str, str]]:
    """Papers, docstrings and comments of the project, with the names of their files."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    for folder in PACKAGES:
        found += [path for kind in ("*.py", "*.md") for path in (ROOT / folder).rglob(kind)]
    return ((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in found)


def defined(tree: ast.Module) -> Iterator[str]:
    """Every name that a module defines, imports or sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def strange_names(text: str, trees: dict[str, ast.Module]) -> list[str]:
    """Names of ours in backticks that lead nowhere, and files of ours that are not there."""
    strange = []
    for name in re.findall(rf"`((?:{'|'.join(PACKAGES)})(?:\.\w+)+)`", text):
        parts = name.split(".")
        place = next(n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in trees)
        rest = parts[place : place + 1]
        if name != "stimuli.csv" and not {*rest} <= {*defined(trees[".".join(parts[:place])])}:
            strange.append(name)
    paths = re.findall(rf"(?<![\w/.-])((?:{'|'.join(PACKAGES)}|tests)/[\w./-]+\.(?:py|toml))", text)
    return strange + [path for path in paths if not (ROOT / path).exists()]


def test_modules_functions_and_files_that_are_named_are_there() -> None:
    trees = modules()
    strange = {file: strange_names(text, trees) for file, text in said()}
    assert {file: names for file, names in strange.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    ["`toolkit.runner.run`", "see `toolkit.errors.Nobody`", "`toolkit/runner.py`", "tests/no.py"],
)
def test_a_name_that_leads_nowhere_is_seen(text: str) -> None:
    assert len(strange_names(text, modules())) == 1


TESTS = ROOT / "tests"
WAITING, TAKEN = TESTS / "waiting.py", TESTS / "benchmarks" / "taken.py"
"""The one waits for states, the other tells times without letting them be compared."""
CLOCKS = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("now", "utcnow", "today", "default_timer", "sleep", "pause"),
    "implicitly_wait",
}
"""Functions that tell the time of day, or let some of it pass."""
PROCESSOR_CLOCKS = {"process_time", "process_time_ns", "thread_time", "times"}
"""Functions that tell how long a processor has worked."""
WAITS = {"wait", "wait_for", "join", "acquire", "result", "communicate"}
"""Functions that come back after some seconds, if they are given a number."""


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def clocks(tree: ast.Module, forbidden: set[str]) -> Iterator[str]:
    """What code does with a clock, scripts that stand in it as strings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "timeit", "asyncio"):
            yield from (alias.name for alias in node.names if alias.name in forbidden)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            forever = name == "pause" and not node.args  # until a signal comes
            if name in forbidden and not forever:
                yield name
            elif name in WAITS and any(map(is_number, node.args)):
                yield f"{name} with a limit"
        elif isinstance(node, ast.keyword) and node.arg == "timeout" and is_number(node.value):
            yield "timeout"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            called = rf"\b(?:time|datetime|asyncio|signal)\.({'|'.join(sorted(forbidden))})\("
            called += r"|\b(sleep) \d|from (time) import"
            yield from ("".join(groups) for groups in re.findall(called, node.value))


@functools.cache
def of_the_tests() -> dict[Path, ast.Module]:
    """Tests and the modules that they import, parsed; scripts that are run by hand are left out."""
    wanted = {path for name in ("test_*", "conftest") for path in TESTS.rglob(f"{name}.py")}
    found: dict[Path, ast.Module] = {}
    while wanted:
        path = wanted.pop()
        found[path] = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            name for module, own in imported(found[path]) for name in (module, f"{module}.{own}")
        }
        paths = {ROOT / (name.replace(".", "/") + ".py") for name in names if name[:6] == "tests."}
        wanted |= {path for path in paths - found.keys() if path.is_file()}
    return found


def test_tests_know_no_clock() -> None:
    """They wait with `tests.waiting`; benchmarks compare work of the processor only."""
    found = {}
    for path, tree in of_the_tests().items():
        if path not in (WAITING, TAKEN, Path(__file__)):
            benchmark = path.parent == TAKEN.parent
            forbidden = CLOCKS if benchmark else CLOCKS | PROCESSOR_CLOCKS
            found[path.name] = [*clocks(tree, forbidden)]
    assert {name: uses for name, uses in found.items() if uses} == {}


def test_what_tests_import_is_looked_at_too() -> None:
    assert {
        WAITING,
        TAKEN,
        TESTS / "process_groups.py",
        TESTS / "conftest.py",
    } <= of_the_tests().keys()


@pytest.mark.parametrize(
    "line",
    [
        "time.sleep(0.01)",
        "from time import monotonic",
        "end = t.monotonic() + 5",
        "assert datetime.now() > before",
        "process.wait(5)",
        "subprocess.run(command, timeout=5)",
        "ActionChains(browser).pause(0.2)",
        "CODE = 'import time; start = time.perf_counter()'",
        "CODE = f'while {this}: time.sleep({n})'",
        "CODE = 'from time import sleep'",
        "subprocess.run('sleep 1; kill 7')",
        "assert time.process_time() < 5",
    ],
)
def test_a_clock_is_seen(line: str) -> None:
    assert [*clocks(ast.parse(line), CLOCKS | PROCESSOR_CLOCKS)]


def test_plurals_are_made_in_one_place() -> None:
    homemade = re.compile(r"""(['"])s\1 \* \(|"" if [^"]+ == 1 else "s\"""")
    found = [
        path
        for name in PACKAGES
        for path in (*(ROOT / name).rglob("*.py"), *(ROOT / name).rglob("*.jinja"))
        if name != "makers" and homemade.search(path.read_text(encoding="utf-8"))
    ]
    assert homemade.search("""f"{n} word{'s' * (n != 1)}\"""")
    assert not found, "stimuli.wording.count knows one word from two, and child from children"

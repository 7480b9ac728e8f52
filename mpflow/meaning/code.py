"""Python code that a scenario names: is the file there, and what is named in it? Problems come out.

Only what is certain is said, and nothing is run: a file is read as text, and what it defines at
its top level is looked for. Modules that are not beside the scenario are left to the run.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from mpflow.document import MAX_BYTES, Path
from mpflow.meaning.awaited import Awaited, expected
from mpflow.naming import file_of, python_files, split
from mpflow.problems import Span, near, suggestion
from mpflow.scenario import Declaration, Node, Scenario, reach
from mpflow.scenario.findings import Findings

CODES = frozenset({"unknown-file", "unknown-function", "relative-import"})

# Who uses these may define anything.
_WAYS_AROUND = frozenset(
    {"globals", "vars", "locals", "exec", "eval", "setattr", "modules", "__dict__", "__getattr__"}
)


class _Defined(NamedTuple):
    """What a file defines at its top level, and what it imports there; whether it imports from
    the package that it is in."""

    names: frozenset[str]
    imported: frozenset[str]
    relative: bool


def check(scenario: Scenario, findings: Findings) -> None:
    """Every function and class that is named, in whichever process."""
    known: dict[str, _Defined | None] = {}
    for declaration in (*scenario.processes.values(), scenario.main):
        awaited = Awaited(scenario, declaration)
        for node, path, name in reach.functions(scenario, declaration):
            meant = _expected(scenario, declaration) if node is None else node in awaited
            if not meant:
                _check(scenario, findings, known, node, path, name)


def _check(
    scenario: Scenario,
    findings: Findings,
    known: dict[str, _Defined | None],
    node: Node | None,
    path: Path,
    name: str,
) -> None:
    module, attribute = split(name)
    file = file_of(module, scenario.folder)
    if file is None:
        file = _beside(module, scenario.folder)
        if file is None:
            return
    elif not os.path.isfile(file) or not os.access(file, os.R_OK):
        message, hint = _not_readable(module, file)
        place = _place(findings, node, path, name, 0, len(module))
        findings.report("unknown-file", message, place, hint)
        return
    if file not in known:
        known[file] = _defined(file)
    defined, first = known[file], attribute.partition(".")[0]
    if defined is None:
        return
    if defined.relative and module.endswith(".py"):
        message = f"`{module}` is a module of a package: it imports from `.`"
        place = _place(findings, node, path, name, 0, len(module))
        hint = "name it as `package.module:function`"
        findings.report("relative-import", message, place, hint)
    elif first not in defined.names | defined.imported and not first.startswith("__"):
        message = f"`{module}` has no `{first}`"
        place = _place(findings, node, path, name, len(module) + 1, len(name))
        hint = suggestion(first, (each for each in defined.names if each[0] != "_"))
        findings.report("unknown-function", message, place, hint)


def _place(
    findings: Findings, node: Node | None, path: Path, name: str, start: int, end: int
) -> Span:
    """Where a part of a name stands, if the name is written out."""
    if node is None or name in node.written.values():
        return findings.document.within(path, start, end)
    return findings.document.span(path)


def _expected(scenario: Scenario, declaration: Declaration) -> bool:
    """Whether the scenario waits for an error of what a process itself runs; that of a class comes
    up in who starts it."""
    expectation, names = scenario.expectation, declaration.replicas
    if declaration.class_ is not None:
        names = (*names, "main", *expectation.errors, *expectation.exitcodes)
    return expected(scenario, names)


def _beside(module: str, folder: str) -> str | None:
    """The file of a module that Python finds beside the scenario, unless it is one of Python's."""
    base, *inner = module.split(".")
    if inner or base in sys.stdlib_module_names or os.path.isdir(os.path.join(folder, base)):
        return None
    file = os.path.join(folder, f"{base}.py")
    return file if os.path.isfile(file) else None


def _not_readable(module: str, file: str) -> tuple[str, str]:
    if os.path.isdir(file):
        return f"`{module}` is a folder, not a file of Python code", ""
    if os.path.exists(file):
        return f"`{module}` cannot be read", ""
    folder, name = os.path.split(file)
    close = near(name.removesuffix(".py"), python_files(folder))
    lead = module[: len(module) - len(name)]
    hint = f"did you mean `{lead}{close}.py`?" if close else f"looked for in {folder}"
    return f"there is no file `{module}`", hint


# What a file defines


def _defined(file: str) -> _Defined | None:
    """What a file defines; None where only running it could tell."""
    try:
        with open(file, "rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its author sees them when it runs
            tree = ast.parse(text)
        return _top_level(tree)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the run tells, with more words


def _top_level(tree: ast.Module) -> _Defined | None:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.FunctionDef):
            if _own_name(node) in _WAYS_AROUND:
                return None
        elif isinstance(node, ast.Global):
            names.update(node.names)
    imported: set[str] = set()
    for node in _of_module(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported.update((a.asname or a.name).partition(".")[0] for a in node.names)
        names.update(_bound(node))
    relative = any(isinstance(each, ast.ImportFrom) and each.level > 0 for each in tree.body)
    return None if "*" in imported else _Defined(frozenset(names), frozenset(imported), relative)


def _own_name(node: ast.Name | ast.Attribute | ast.FunctionDef) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.name


def _of_module(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that stand at a module's top level, in `if`, `try` and the like, too."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _of_module(node)


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node gives a value."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest is not None:
        yield node.rest

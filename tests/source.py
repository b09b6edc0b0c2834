"""This project's own source, read for the tests that hold it to its gates."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "tests", "bench", "examples")

Function = ast.FunctionDef | ast.AsyncFunctionDef
_INDENTING = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)


@dataclass(frozen=True)
class SourceFile:
    """A Python file of the project."""

    path: Path  # from the project's root

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def comments(self) -> Iterator[tuple[int, str]]:
        """Each comment with the number of its line."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string

    def at(self, line: int) -> str:
        """A place that an editor can open."""
        return f"{self.path}:{line}"


@cache
def source_files(*folders: str) -> tuple[SourceFile, ...]:
    """The Python files of these folders, of all folders when none is named."""
    paths = (path for folder in folders or FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(SourceFile(path.relative_to(ROOT)) for path in paths)


def length(function: Function) -> int:
    """Lines from `def` to the last one, the docstring not counted."""
    end = function.end_lineno or function.lineno
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return end - function.lineno + 1
    return end - function.lineno - ((first.end_lineno or first.lineno) - first.lineno)


def parameters(function: Function) -> int:
    """How many arguments it takes, `self` and `cls` not counted."""
    given = function.args
    named = [*given.posonlyargs, *given.args]
    own = bool(named) and named[0].arg in {"self", "cls"}
    return len(named) + len(given.kwonlyargs) + (given.vararg is not None) + (given.kwarg is not None) - own


def nesting(node: ast.AST) -> int:
    """How many statements deep its deepest line is indented; `elif` is as deep as its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child) + (isinstance(child, _INDENTING) and not is_elif))
    return deepest


def named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that the file itself gives, with its line: classes, functions, parameters, variables, fields."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case _:
                pass


def called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call by a plain or dotted name, such as `time.sleep`, with imported names written out."""
    origins = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            yield origins.get(first, first) + dot + rest, node

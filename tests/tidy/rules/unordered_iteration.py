"""No walk over a hash table in core and sim. Names are looked up in the file that declares them and its other half."""

import pathlib
import re
from typing import Iterator

from tree import Breach, Tree, line_of

NAME = "unordered_iteration"
WHY = "the order of a hash table differs between builds: keep a sorted structure where something is iterated"
ROWS = ("range-for", "begin")

_TABLE = re.compile(r"\bunordered_(?:flat|node)?_?(?:map|set)\s*<")
_ALIAS = re.compile(r"\busing\s+(\w+)\s*=\s*[\w:]*$")


def check(tree: Tree) -> Iterator[Breach]:
    halves: dict[str, list[str]] = {}
    for path in tree.select("core", "sim"):
        halves.setdefault(str(pathlib.PurePosixPath(path).with_suffix("")), []).append(path)
    for paths in halves.values():
        names = sorted({name for path in paths for name in _tables(tree.code_of(path))})
        for path in paths:
            yield from _walks(path, tree.code_of(path), names)


def _tables(code: str) -> Iterator[str]:
    """Names of variables whose type is a hash table, or an alias of one declared in the same file."""
    for match in _TABLE.finditer(code):
        end = _closing_angle(code, match.end())
        alias = _ALIAS.search(code[:match.start()].rsplit(";", 1)[-1])
        if alias:
            yield from re.findall(rf"\b{alias[1]}\b\s*[&*]?\s*(\w+)\s*[;={{,)]", code)
            continue
        variable = re.match(r"\s*&?\s*(\w+)\s*[;={,)]", code[end:])
        if variable:
            yield variable[1]


def _closing_angle(code: str, position: int) -> int:
    depth = 1
    while position < len(code) and depth:
        depth += {"<": 1, ">": -1}.get(code[position], 0)
        position += 1
    return position


def _walks(path: str, code: str, names: list[str]) -> Iterator[Breach]:
    for name in names:
        for match in re.finditer(rf"\bfor\s*\([^;()]*[^:]:\s*(?:[\w.]|->)*\b{name}\s*\)", code):
            yield Breach(path, line_of(code, match.start()), f"range-for over the hash table '{name}'")
        for match in re.finditer(rf"\b{name}(?:\.|->)c?begin\s*\(", code):
            yield Breach(path, line_of(code, match.start()), f"begin of the hash table '{name}'")

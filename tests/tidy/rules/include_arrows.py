"""Every include goes along an arrow of the architecture (tests/tidy/arrows.py)."""

import fnmatch
import re
from typing import Iterator

import arrows
from tree import Breach, Tree, line_of

NAME = "include_arrows"
WHY = "includes go along the arrows of the architecture: cli -> {sim, net} -> core; raft never sees the ledger"
ROWS = ("module", "no row", "header", "library", "relative")

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?:\"([^\"\n]+)\"|<([^>\n]+)>)", re.MULTILINE)
_STANDARD = re.compile(r"[a-z0-9_]+")


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.select("core", "sim", "net", "cli", "tests/core", "tests/sim", "tests/net", "tests/fuzz"):
        row = arrows.row_of(path)
        if row is None:
            yield Breach(path, 1, "no row for this folder in tests/tidy/arrows.py")
            continue
        code = tree.code_of(path)
        for match in _INCLUDE.finditer(code):
            message = _judge(tree, row, match[1], match[2])
            if message:
                yield Breach(path, line_of(code, match.start(1) if match[1] else match.start(2)), message)


def _judge(tree: Tree, row: arrows.Row, ours: str | None, theirs: str | None) -> str | None:
    if ours:
        if "/" not in ours or ours.startswith("."):
            return f'relative include "{ours}": name it from the project\'s root'
        return None if arrows.allows(row, ours) else f'module {row.folder} may not include "{ours}"'
    if any(fnmatch.fnmatchcase(theirs, forbidden) for forbidden in row.forbidden_headers):
        return f"header <{theirs}> has no place in {row.folder}"
    if _STANDARD.fullmatch(theirs) or theirs in _C_HEADERS or any(fnmatch.fnmatchcase(theirs, p) for p in arrows.POSIX):
        return None
    if any(fnmatch.fnmatchcase(theirs, library) for library in row.libraries):
        return None
    return f"library <{theirs}> is not for {row.folder}"


_C_HEADERS = {"errno.h", "string.h", "stdint.h", "limits.h", "stddef.h", "stdlib.h", "stdio.h", "time.h", "math.h"}

"""Every header begins with what it is."""

from typing import Iterator

from tree import Breach, Tree

NAME = "file_comment"
WHY = "a file begins with what it is, its invariants and its threading"
ROWS = ("no file comment",)


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.select("core", "sim", "net", "cli", "tests", suffixes=(".h",)):
        first = tree.text_of(path).lstrip().split("\n", 1)[0]
        if not (first.startswith("//") and len(first.strip("/ \t")) >= 10) and not first.startswith("/*"):
            yield Breach(path, 1, "no file comment on top")

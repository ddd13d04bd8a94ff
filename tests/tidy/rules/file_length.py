"""Files stay short enough to be read in one sitting."""

from typing import Iterator

from tree import Breach, Tree

NAME = "file_length"
WHY = "when a file grows, a concept is missing a name"
LINES_MAX = 600
ROWS = ("lines",)


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.select("", suffixes=(".h", ".cc", ".py", ".sh", "")):
        lines = tree.text_of(path).count("\n")
        if lines > LINES_MAX:
            yield Breach(path, LINES_MAX + 1, f"{lines} lines; {LINES_MAX} are allowed")

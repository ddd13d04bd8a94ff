"""Functions stay short. Formatted code is assumed: a function at namespace level ends with a brace in column one."""

import re
from typing import Iterator

from tree import Breach, Tree

NAME = "function_length"
WHY = "when a function grows, a concept is missing a name"
LINES_MAX = 70
ROWS = ("lines",)

_NOT_A_FUNCTION = re.compile(r"^(?:inline\s+)?(?:namespace|class|struct|union|enum|extern|"
                             r"constexpr\s+\S+\s+\w+(?:\[\w*\])?\s*[={]|const\b.*=|static\s+const.*=|"
                             r"template\s*<.*>\s*(?:class|struct)\b)")


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.select("core", "sim", "net", "cli"):
        start = 0
        lines = tree.code_of(path).split("\n")
        for number, line in enumerate(lines, start=1):
            if line[:1] not in ("", " ", "}", "#", ")"):
                # The first line of a declaration: the one after a blank, a closing brace or a semicolon.
                previous = lines[number - 2].rstrip() if number > 1 else ""
                if not previous or previous.endswith((";", "}", "{")) or previous.startswith("#"):
                    start = number
            if line.startswith("}") and start:
                head = lines[start - 1]
                length = number - start + 1
                is_function = "(" in " ".join(lines[start - 1:start + 3]) and not _NOT_A_FUNCTION.match(head)
                if length > LINES_MAX and is_function:
                    yield Breach(path, start, f"{length} lines; {LINES_MAX} are allowed in a function")
                start = 0

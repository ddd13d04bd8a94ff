"""Files and folders are named after what they are."""

import pathlib
import re
from typing import Iterator

from tree import Breach, Tree

NAME = "file_names"
WHY = "a name says what a thing is; these say only that somebody had no name for it"
ROWS = ("util", "helper", "manager", "common", "impl", "misc", "spelling")

_EMPTY = {"util": "util", "utils": "util", "utility": "util", "utilities": "util", "helper": "helper",
          "helpers": "helper", "manager": "manager", "managers": "manager", "common": "common", "impl": "impl",
          "misc": "misc"}
_SPELLING = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.paths:
        parts = pathlib.PurePosixPath(path).parts
        for part in parts:
            for word in re.split(r"[^a-z]+", part.lower()):
                if word in _EMPTY:
                    yield Breach(path, 1, f"{_EMPTY[word]}: an empty name")
        if path.endswith((".h", ".cc")) and not all(_SPELLING.fullmatch(part) for part in parts):
            yield Breach(path, 1, "spelling: sources are named in lower_case")

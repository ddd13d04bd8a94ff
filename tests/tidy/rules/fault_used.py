"""Every fault that can be named is used by at least one scenario."""

import json
import re
from typing import Iterator

from tree import Breach, Tree

NAME = "fault_used"
WHY = "a fault no scenario uses is a promise nobody checks"
ROWS = ("no scenario uses", "not JSON")

TABLE = "sim/faults/faults"
# A fault's name is a literal in the table.
_NAME = re.compile(r'"([a-z][a-z0-9_]*)"')


def check(tree: Tree) -> Iterator[Breach]:
    tables = [path for path in (TABLE + ".h", TABLE + ".cc") if path in tree.paths]
    if not tables:
        return
    used: set[str] = set()
    for path in tree.select("scenarios", suffixes=(".json",)):
        try:
            used |= set(_strings(json.loads(tree.text_of(path))))
        except ValueError as error:
            yield Breach(path, 1, f"not JSON: {error}")
    for path in tables:
        for number, line in enumerate(tree.text_of(path).split("\n"), start=1):
            if line.lstrip().startswith(("#", "//")):
                continue
            for name in _NAME.findall(line.split("//")[0]):
                if name not in used:
                    yield Breach(path, number, f"no scenario uses the fault {name}")


def _strings(value: object) -> Iterator[str]:
    """Every key and string of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)

"""Adding a fault, oracle or protocol is one new file and one row; the row must not be forgotten."""

import pathlib
import re
from typing import Iterator

from tree import Breach, Tree

NAME = "extension_rows"
WHY = "an extension without its row in the table is dead code"
# folder -> the table in it. Each other file's stem must be named by the table.
TABLES = {
    "sim/faults": "faults.h",
    "sim/oracles": "oracles.h",
    "core/txn": "protocols.h",
    "sim/ladder": "rungs.h",
}
# What stands beside the extensions without being one.
NOT_EXTENSIONS = {
    "sim/faults": {"fault", "atlas", "copies", "disk_damage"},
    "sim/oracles": {"oracle", "decode", "stream_decode", "book", "calls", "transfers", "legs", "traced_logs",
                    "configurations", "sha256", "sealed_decode", "disk_log", "state_decode", "state_fold",
                    "snapshots"},
    "sim/ladder": {"plan", "book", "design", "judge", "world", "smallest", "climb", "report", "shards", "bare_writes",
                   "tcc", "two_phase", "quorum_log", "group_wallet", "lease", "isolation", "product"},
    "core/txn": None,  # any file may stand there; only rows without a file are wrong
}
ROWS = ("no row", "no table", "no file")


def check(tree: Tree) -> Iterator[Breach]:
    for folder, table in TABLES.items():
        path = f"{folder}/{table}"
        stems = {pathlib.PurePosixPath(p).stem: p for p in tree.select(folder)
                 if pathlib.PurePosixPath(p).parent == pathlib.PurePosixPath(folder)}
        stems.pop(table.removesuffix(".h"), None)
        if (tree.root / path).is_file():
            halves = (path, path.removesuffix(".h") + ".cc")
            text = "\n".join(tree.text_of(half) for half in halves if half in tree.paths)
            for included in re.findall(rf'#include "({folder}/\w+\.h)"', text):
                if not (tree.root / included).is_file():
                    yield Breach(path, 1, f"no file for the row {included}")
        elif stems and NOT_EXTENSIONS[folder] is not None:
            yield Breach(path, 1, f"no table: {folder} has extensions")
            continue
        exempt = NOT_EXTENSIONS[folder]
        if exempt is None:
            continue
        for stem, file in sorted(stems.items()):
            if stem not in exempt and not re.search(rf"(?<![a-z]){stem}(?![a-z])", text):
                yield Breach(file, 1, f"no row for {stem} in {path}")

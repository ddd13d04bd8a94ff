"""Every test source is built into a test executable, and stands where the thing it tests stands."""

import pathlib
import re
from typing import Iterator

from tree import Breach, Tree

NAME = "dead_tests"
WHY = "a test that is not built proves nothing; tests/ mirrors the tree"
ROWS = ("not built", "no folder", "no test case")

# As in tests/CMakeLists.txt.
_BUILT = re.compile(r"tests/(?:core/(?:base|attic|ledger|log|raft|txn|router|shard|node)|sim|net|cli|fuzz)/.+\.cc|"
                    r"tests/(?:main|precompiled)\.cc|tests/mutants/.*")
_CASE = re.compile(r"\b(?:TEST_CASE|SCENARIO|TEMPLATE_TEST_CASE|TEST_CASE_METHOD)\s*\(")


def check(tree: Tree) -> Iterator[Breach]:
    for path in tree.select("tests", suffixes=(".cc",)):
        if not _BUILT.fullmatch(path):
            yield Breach(path, 1, "not built: no test executable of tests/CMakeLists.txt has this folder")
            continue
        if not path.endswith("_test.cc"):
            continue
        folder = str(pathlib.PurePosixPath(path).parent).removeprefix("tests/")
        if not folder.startswith("fuzz") and not any(p.startswith(folder + "/") for p in tree.paths):
            yield Breach(path, 1, f"no folder {folder}: a test stands where the thing it tests stands")
        if not _CASE.search(tree.code_of(path)):
            yield Breach(path, 1, "no test case in it")

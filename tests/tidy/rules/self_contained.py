"""Each header compiles alone, and twice. Results are remembered by the content of all it includes of ours."""

import concurrent.futures
import re
import subprocess
from typing import Iterator, Optional

from cache import Cache
from tree import Breach, Tree

NAME = "self_contained"
WHY = "each header compiles alone: include what you use, and #pragma once"
ROWS = ("does not compile alone",)

JOBS = 2
COMMAND = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wswitch", "-Werror",
           "-x", "c++", "-"]
_OURS = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"", re.MULTILINE)


def check(tree: Tree) -> Iterator[Breach]:
    cache = Cache(tree.build, NAME)
    version = subprocess.run(["g++", "--version"], capture_output=True, check=True).stdout
    todo = []
    for path in tree.select("core", "sim", "net", "cli", "tests", suffixes=(".h",)):
        key = Cache.key(" ".join(COMMAND).encode(), version, *_contents(tree, path))
        if not cache.has(key):
            todo.append((path, key))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for (path, key), error in zip(todo, pool.map(lambda job: _compile(tree, job[0]), todo)):
            if error is None:
                cache.add(key)
            else:
                yield Breach(path, 1, f"does not compile alone: {error}")


def _contents(tree: Tree, path: str) -> list[bytes]:
    """The header and, transitively, the files of ours it includes, in a fixed order."""
    seen = {path}
    queue = [path]
    while queue:
        for included in _OURS.findall(tree.text_of(queue.pop())):
            if included not in seen and (tree.root / included).is_file():
                seen.add(included)
                queue.append(included)
    return [part for name in sorted(seen) for part in (name.encode(), tree.bytes_of(name))]


def _compile(tree: Tree, path: str) -> Optional[str]:
    twice = f'#include "{path}"\n#include "{path}"\n'
    done = subprocess.run([*COMMAND[:-3], "-I", str(tree.root), *COMMAND[-3:]], input=twice, capture_output=True,
                          text=True, check=False, cwd=tree.root)
    if done.returncode == 0:
        return None
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    return errors[0] if errors else done.stderr.strip()[:300]

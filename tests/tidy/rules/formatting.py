"""Sources are as clang-format leaves them. Results are remembered by content."""

import pathlib
import re
import shutil
import subprocess
from typing import Iterator

from cache import Cache
from tree import Breach, Tree

NAME = "formatting"
WHY = "./dev fmt formats; nobody argues"
ROWS = ("not formatted",)

STYLE = pathlib.Path(__file__).resolve().parents[3] / ".clang-format"
BATCH = 20


def check(tree: Tree) -> Iterator[Breach]:
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        yield Breach(".clang-format", 1, "clang-format is not installed: ./dev setup")
        return
    cache = Cache(tree.build, NAME)
    style = STYLE.read_bytes()
    version = subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
    keys = {path: Cache.key(style, version, tree.bytes_of(path))
            for path in tree.select("core", "sim", "net", "cli", "tests")}
    todo = [path for path, key in keys.items() if not cache.has(key)]
    for at in range(0, len(todo), BATCH):
        batch = todo[at:at + BATCH]
        done = subprocess.run([tool, f"--style=file:{STYLE}", "--dry-run", "-Werror", *batch], cwd=tree.root,
                              capture_output=True, text=True, check=False)
        bad: dict[str, int] = {}  # the first line of each
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error", done.stderr, re.MULTILINE):
            bad.setdefault(path, int(line))
        if done.returncode != 0 and not bad:
            yield Breach(batch[0], 1, f"clang-format failed: {done.stderr.strip()[:300]}")
            continue
        for path in batch:
            if path in bad:
                yield Breach(path, bad[path], "not formatted: ./dev fmt")
            else:
                cache.add(keys[path])

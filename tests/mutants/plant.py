"""A copy of the tree with all mutants in it, built once."""

import pathlib
import subprocess
import sys

from catalogue import Mutant, apply

HEADER = "core/base/mutant.h"
SOURCE = "core/base/mutant.cc"

HEADER_TEXT = """// Which planted bug is on in this copy of the tree. Never part of the product.
#pragma once

namespace coffer::mutant {

/// Whether the mutant of this number was chosen for this process; counts how often the question was answered with yes.
bool on(int number);

}  // namespace coffer::mutant
"""

SOURCE_TEXT = """#include "core/base/mutant.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace coffer::mutant {

namespace {

int chosen() {
  const char* number = std::getenv("COFFER_MUTANT");
  return number == nullptr ? 0 : std::atoi(number);
}

struct Hits {
  const int number = chosen();
  std::atomic<unsigned long> count{0};

  ~Hits() {
    const char* path = std::getenv("COFFER_MUTANT_HITS");
    if (path == nullptr) return;
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fprintf(file, "%d %lu\\n", number, count.load());
      std::fclose(file);
    }
  }
};

Hits hits;

}  // namespace

bool on(int number) {
  if (number != hits.number) return false;
  hits.count.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace coffer::mutant
"""


class BuildError(Exception):
    """The copy does not build."""


def files_of(root: pathlib.Path) -> list[str]:
    """What git tracks or would track; without git, everything outside build/."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                                capture_output=True, check=True)
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    return sorted(name for name in names if not name.startswith("build/") and (root / name).is_file())


def write_if_changed(path: pathlib.Path, content: bytes, mode: int) -> None:
    """Unchanged files keep their time, so that the next build is short."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def patched(root: pathlib.Path, mutants: list[Mutant]) -> dict[str, str]:
    """The texts of all files that hold a mutant."""
    files = {patch.file for mutant in mutants for patch in mutant.patches}
    return apply(mutants, {file: (root / file).read_text() for file in files if (root / file).is_file()}, HEADER)


def plant(root: pathlib.Path, copy: pathlib.Path, mutants: list[Mutant]) -> None:
    names = files_of(root)
    texts = patched(root, mutants)
    for name in names:
        content = texts[name].encode() if name in texts else (root / name).read_bytes()
        write_if_changed(copy / name, content, (root / name).stat().st_mode & 0o777)
    write_if_changed(copy / HEADER, HEADER_TEXT.encode(), 0o644)
    write_if_changed(copy / SOURCE, SOURCE_TEXT.encode(), 0o644)
    kept = set(names) | {HEADER, SOURCE}
    for path in copy.rglob("*"):
        name = str(path.relative_to(copy))
        if path.is_file() and not name.startswith("build/") and name not in kept:
            path.unlink()


def build(copy: pathlib.Path, jobs: int) -> pathlib.Path:
    """The program with all mutants in it."""
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "build/release", "--target", "coffer", "-j", str(jobs)]):
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout[-8000:] + done.stderr[-8000:], file=sys.stderr)
            raise BuildError("the copy with the mutants in it does not build")
    return copy / "build/release/coffer"

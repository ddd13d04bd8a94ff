"""The tree under check: its files, their text, and their text without comments and literals."""

import functools
import pathlib
import re
import subprocess
from typing import Iterator, NamedTuple

# Trees that break the rules on purpose.
PLANTED = "tests/tidy/planted/"
TEXT_SUFFIXES = {".h", ".cc", ".py", ".sh", ".md", ".json", ".txt", ".js", ".html", ".css", ".yml", ".cmake", ""}


class Breach(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Tree:
    """Paths are relative to the root, with forward slashes, sorted."""

    def __init__(self, root: pathlib.Path, build: pathlib.Path, paths: list[str]):
        self.root = root
        self.build = build
        self.paths = sorted(paths)

    @staticmethod
    def of_project(root: pathlib.Path, build: pathlib.Path) -> "Tree":
        """What git tracks or would track; without git, everything but build output."""
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=root, capture_output=True, check=False)
        if listed.returncode != 0:
            whole = Tree.of_directory(root, build)
            return Tree(root, build, [p for p in whole.paths if not p.startswith((PLANTED, "build/", ".git/"))])
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
        return Tree(root, build, [n for n in set(names) if not n.startswith(PLANTED) and (root / n).is_file()])

    @staticmethod
    def of_directory(root: pathlib.Path, build: pathlib.Path) -> "Tree":
        return Tree(root, build, [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()])

    def select(self, *folders: str, suffixes: tuple[str, ...] = (".h", ".cc")) -> Iterator[str]:
        """Files of these suffixes below any of the folders ("" is the root)."""
        for path in self.paths:
            if pathlib.PurePosixPath(path).suffix in suffixes and any(in_folder(path, f) for f in folders):
                yield path

    def texts(self) -> Iterator[str]:
        """Every file made of text, whatever its kind."""
        for path in self.paths:
            if pathlib.PurePosixPath(path).suffix in TEXT_SUFFIXES and b"\0" not in self.bytes_of(path)[:4096]:
                yield path

    @functools.lru_cache(maxsize=None)
    def bytes_of(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    @functools.lru_cache(maxsize=None)
    def text_of(self, path: str) -> str:
        return self.bytes_of(path).decode("utf-8", errors="replace")

    @functools.lru_cache(maxsize=None)
    def code_of(self, path: str) -> str:
        """The text with comments and the contents of literals blanked; line numbers stay."""
        return blank_comments_and_literals(self.text_of(path))


def in_folder(path: str, folder: str) -> bool:
    return folder == "" or path == folder or path.startswith(folder.rstrip("/") + "/")


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# An include's name stays: it is a name, not a literal.
_TOKEN = re.compile(
    r"""(?P<include>^[ \t]*\#[ \t]*include[ \t]*(?:"[^"\n]*"|<[^>\n]*>))
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
      | (?P<digits>\b[0-9][0-9a-zA-Z_]*(?:'[0-9a-zA-Z_]+)+)
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<character>'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL | re.MULTILINE)


def blank_comments_and_literals(text: str) -> str:
    def blank(match: re.Match[str]) -> str:
        kept = match["include"] or match["digits"]
        return kept if kept else re.sub(r"[^\n]", " ", match[0])

    return _TOKEN.sub(blank, text)

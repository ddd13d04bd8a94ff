"""The catalogue of planted bugs: one file per mutant, data only.

    id: 29
    group: ledger
    title: a transfer to itself creates money
    expect: O-E1 O-L1                      the oracles expected to catch it
    why_equivalent: ...                    only for the controls: why no oracle may ever see it
    fuzz: --profile short_leaderships      arguments of `coffer sim fuzz`, none by default
    scenario: scenarios/faults/x.json      ... or the scenario whose seeds are run
    patch: core/ledger/book.cc
    <<<<<<<
    the exact text to find, once in the file
    =======
    what takes its place: chooses at run time by coffer::mutant::on(ID)
    >>>>>>>

A mutant may have several patches. Its bug happens only while on(ID) is true: all mutants live in one binary.
"""

import pathlib
from dataclasses import dataclass, field

GROUPS = ("raft", "disk", "ledger", "txn", "proxy", "reads", "clock")
FIELDS = ("id", "group", "title", "expect", "why_equivalent", "fuzz", "scenario")
FOUND, REPLACED, ENDED = "<<<<<<<", "=======", ">>>>>>>"


class CatalogueError(Exception):
    """A mutant that cannot be planted as it is written."""


@dataclass
class Patch:
    file: str
    find: str
    replace: str


@dataclass
class Mutant:
    source: pathlib.Path
    id: int = 0
    group: str = ""
    title: str = ""
    expect: list[str] = field(default_factory=list)
    why_equivalent: str = ""
    fuzz: list[str] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)

    @property
    def equivalent(self) -> bool:
        return bool(self.why_equivalent)


def _set(mutant: Mutant, name: str, value: str) -> None:
    if name == "id":
        mutant.id = int(value)
    elif name == "scenario":
        mutant.fuzz = ["--scenario", value]
    elif name in ("expect", "fuzz"):
        setattr(mutant, name, value.split())
    else:
        setattr(mutant, name, value)


def parse(path: pathlib.Path) -> Mutant:
    mutant = Mutant(path)
    lines = path.read_text().splitlines()
    at = 0

    def until(mark: str) -> str:
        nonlocal at
        start = at
        while at < len(lines) and lines[at] != mark:
            at += 1
        if at == len(lines):
            raise CatalogueError(f"{path.name}: no line {mark} ends the text that begins at line {start + 1}")
        at += 1
        return "\n".join(lines[start:at - 1])

    while at < len(lines):
        line = lines[at]
        at += 1
        name, colon, value = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if colon and name == "patch":
            if at >= len(lines) or lines[at] != FOUND:
                raise CatalogueError(f"{path.name}:{at + 1}: a patch begins with {FOUND}")
            at += 1
            find = until(REPLACED)
            mutant.patches.append(Patch(value.strip(), find, until(ENDED)))
        elif colon and name in FIELDS:
            _set(mutant, name, value.strip())
        else:
            raise CatalogueError(f"{path.name}:{at}: not a field: {line!r}")
    _check(mutant)
    return mutant


def _check(mutant: Mutant) -> None:
    name = mutant.source.name
    if mutant.id <= 0 or not mutant.title or not mutant.patches:
        raise CatalogueError(f"{name}: a mutant has an id, a title and a patch")
    if mutant.group not in GROUPS:
        raise CatalogueError(f"{name}: no group {mutant.group!r}; there are {', '.join(GROUPS)}")
    if not mutant.equivalent and not mutant.expect:
        raise CatalogueError(f"{name}: a mutant names the oracles expected to catch it")
    marker = f"mutant::on({mutant.id})"
    if not any(marker in patch.replace for patch in mutant.patches):
        raise CatalogueError(f"{name}: no patch asks coffer::{marker}")


def load(folder: pathlib.Path) -> list[Mutant]:
    """All mutants, by id."""
    mutants = sorted((parse(path) for path in folder.glob("*.mutant")), key=lambda mutant: mutant.id)
    for one, two in zip(mutants, mutants[1:]):
        if one.id == two.id:
            raise CatalogueError(f"{one.source.name} and {two.source.name} have the same id")
    return mutants


def apply(mutants: list[Mutant], texts: dict[str, str], header: str) -> dict[str, str]:
    """The patched texts of the files that are patched at all. Every `find` stands exactly once in the file as it is."""
    patched: dict[str, str] = {}
    for mutant in mutants:
        for patch in mutant.patches:
            name = f"{mutant.source.name} ({patch.file})"
            if patch.file not in texts:
                raise CatalogueError(f"{name}: there is no such file")
            for text in (texts[patch.file], patched.get(patch.file, texts[patch.file])):
                count = text.count(patch.find)
                if count != 1:
                    raise CatalogueError(f"{name}: its text to find stands {count} times there, not once:\n{patch.find}")
            before = patched.get(patch.file, texts[patch.file])
            patched[patch.file] = before.replace(patch.find, patch.replace)
    return {file: f'#include "{header}"\n' + text for file, text in patched.items()}

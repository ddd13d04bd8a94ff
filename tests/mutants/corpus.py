"""Replays the shrunk failures of planted bugs (scenarios/corpus): each must still kill its mutant."""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass
from typing import Optional

NEIGHBOURS = 16
SECONDS_MAX = 60


@dataclass
class Entry:
    file: pathlib.Path
    mutant: int
    oracle: str
    seed: int
    killed_by: Optional[int] = None  # the seed that failed as the entry says: its own, or one next to it

    @property
    def state(self) -> str:
        return "lost" if self.killed_by is None else "same" if self.killed_by == self.seed else "drifted"


def load(root: pathlib.Path) -> list[Entry]:
    entries = []
    for file in sorted((root / "scenarios/corpus").glob("*.json")):
        scenario = json.loads(file.read_text())
        signature = scenario.get("signature", {})
        if signature.get("mutant", 0):
            entries.append(Entry(file, signature["mutant"], signature["oracle"], scenario["seed"]))
    return entries


def replay(binary: pathlib.Path, entry: Entry) -> Entry:
    environment = dict(os.environ, COFFER_MUTANT=str(entry.mutant))
    for seed in range(entry.seed, entry.seed + NEIGHBOURS + 1):
        command = [str(binary), "sim", "run", str(entry.file), "--seed", str(seed), "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False,
                              timeout=SECONDS_MAX)
        if json.loads(done.stdout).get("oracle") == entry.oracle:
            entry.killed_by = seed
            break
    return entry

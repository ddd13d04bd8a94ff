"""Runs the simulator's seeds against one mutant until an oracle catches it."""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, replace
from typing import Optional

from catalogue import Mutant

CAUGHT = ("violation", "stuck", "nondeterministic")
SECONDS_PER_SEED_MAX = 60


@dataclass
class Verdict:
    id: int
    group: str
    title: str
    equivalent: bool
    status: str  # killed, survived, unhit, broken
    oracle: Optional[str] = None
    seed: Optional[int] = None  # the first that an oracle failed
    seeds: int = 0  # run until then
    hits: int = 0
    reason: str = ""
    checks: int = 0  # seeds that a check of the wallet's own ended
    expected: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.status == "survived" and not self.checks if self.equivalent else self.status == "killed"


def fuzz(binary: pathlib.Path, root: pathlib.Path, mutant: Mutant, first: int, seeds: int, jobs: int,
         hits: pathlib.Path) -> dict:
    command = [str(binary), "sim", "fuzz", "--first-seed", str(first), "--seeds", str(seeds), "--jobs", str(jobs),
               "--no-shrink", "--output", "json", *mutant.fuzz]
    environment = dict(os.environ, COFFER_MUTANT=str(mutant.id), COFFER_MUTANT_HITS=str(hits))
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False,
                          timeout=SECONDS_PER_SEED_MAX * seeds)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}, no JSON: {tail}") from error


def count_hits(path: pathlib.Path) -> int:
    return sum(int(line.split()[1]) for line in path.read_text().splitlines()) if path.exists() else 0


def chunks(first: int, seeds: int):
    """Few seeds at first: most mutants are caught soon."""
    size = 4
    while seeds > 0:
        take = min(size, seeds)
        yield first, take
        first, seeds, size = first + take, seeds - take, min(size * 2, 64)


def hunt(binary: pathlib.Path, root: pathlib.Path, mutant: Mutant, first: int, seeds: int, jobs: int) -> Verdict:
    """A kill counts only by an oracle, on a seed that passes without the mutant; a check of the wallet's own that ends a run
    is told beside it. Scenarios are named from the root of the tree."""
    verdict = Verdict(mutant.id, mutant.group, mutant.title, mutant.equivalent, "survived",
                      expected=tuple(mutant.expect))
    with tempfile.TemporaryDirectory() as folder:
        hits = pathlib.Path(folder) / "hits"

        def passes_without(seed: int) -> bool:
            return not fuzz(binary, root, replace(mutant, id=0), seed, 1, 1, hits)["failures"]

        try:
            for start, count in chunks(first, seeds):
                failures = fuzz(binary, root, mutant, start, count, jobs, hits)["failures"]
                caught = sorted((f for f in failures if f["verdict"] in CAUGHT), key=lambda f: f["seed"])
                killer = next((f for f in caught if f["oracle"].startswith("O-") and passes_without(f["seed"])), None)
                checks = [f for f in caught if not f["oracle"].startswith("O-")]
                if killer is not None:
                    verdict.status = "killed"
                    verdict.oracle, verdict.seed = killer["oracle"], killer["seed"]
                    verdict.reason = killer.get("reason", "")
                    verdict.checks += sum(f["seed"] < verdict.seed for f in checks)
                    break
                verdict.checks += len(checks)
                if checks:
                    verdict.reason = f"{checks[0]['oracle']}, seed {checks[0]['seed']}: {checks[0].get('reason', '')}"
        except (RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
            verdict.status = "broken"
            verdict.reason = str(error)
        verdict.hits = count_hits(hits)
    if verdict.status == "survived" and verdict.hits == 0:
        verdict.status = "unhit"
    verdict.seeds = seeds if verdict.seed is None else verdict.seed - first + 1
    return verdict


def median_of(verdicts: list[Verdict]) -> Optional[float]:
    """Of the seeds to detection, over what was killed and should be."""
    seeds = [v.seeds for v in verdicts if v.status == "killed" and not v.equivalent]
    return statistics.median(seeds) if seeds else None

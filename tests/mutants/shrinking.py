"""Makes the failures of planted bugs small, and sees that each stays the same failure.

Which mutants: those of the catalogue with the least hash of (draw, id), so that a draw means the same bugs on every
machine. Each is hunted as for the score; the first seed that an oracle fails is made smaller by `coffer sim shrink`, and
what is left is run again.
"""

import hashlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from typing import Optional

from catalogue import Mutant
from hunt import Verdict

OPERATIONS_MAX = 10  # the median of a good score
FAULTS_MAX = 3
SLACK_SECONDS = 5  # for the last run, and for a machine that does something else as well
NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # an id
                    r"|'[^'0-9]*[0-9][^']*'"  # a quoted name with a number in it
                    r"|-?[0-9](?:[0-9]|,(?=[0-9]))*")  # a number, or a list of them


@dataclass
class Shrunk:
    id: int
    group: str
    title: str
    seed: Optional[int] = None  # the failure that was made smaller; none: nothing failed
    oracle: Optional[str] = None
    same: bool = False  # fails in the same way when it is run again
    operations: int = 0
    faults: int = 0
    nodes: int = 0
    shards: int = 0
    clients: int = 0
    runs: int = 0
    seconds: float = 0.0
    finished: bool = False  # no single step makes it smaller
    reason: str = ""


def draw(mutants: list[Mutant], count: int, number: int) -> list[Mutant]:
    """So many that are no controls, by id."""
    def key(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{number}:{mutant.id}".encode()).digest()

    real = sorted((mutant for mutant in mutants if not mutant.equivalent), key=key)
    return sorted(real[:count], key=lambda mutant: mutant.id)


def shape_of(told: dict) -> tuple[str, str, str]:
    """What makes two failures the same, as sim/shrink/signature.h says, from the words alone."""
    reason = told.get("reason", "").split(";")[0]
    return told["verdict"], told["oracle"], NUMBER.sub("#", reason) if told["verdict"] == "violation" else ""


def ask(binary: pathlib.Path, root: pathlib.Path, mutant: Mutant, *arguments: str) -> dict:
    command = [str(binary), "sim", *arguments, "--output", "json"]
    done = subprocess.run(command, env=dict(os.environ, COFFER_MUTANT=str(mutant.id)), cwd=root, capture_output=True,
                          text=True, check=False)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}, no JSON: {done.stderr[-500:]}") from error


def shrink(binary: pathlib.Path, root: pathlib.Path, mutant: Mutant, killed: Verdict, limit: int) -> Shrunk:
    """Of a mutant that was killed."""
    result = Shrunk(mutant.id, mutant.group, mutant.title, killed.seed, killed.oracle, reason=killed.reason)
    if killed.seed is None:
        return result
    world = [argument for argument in mutant.fuzz if argument != "--scenario"]
    with tempfile.TemporaryDirectory() as folder:
        file = str(pathlib.Path(folder) / "shrunk.json")
        before = time.monotonic()
        small = ask(binary, root, mutant, "shrink", *world, "--seed", str(killed.seed), "--for", f"{limit}s",
                    "--write-scenario", file)
        result.seconds = round(time.monotonic() - before, 1)
        again = ask(binary, root, mutant, "run", file)
    whole = {"verdict": small["verdict"], "oracle": killed.oracle, "reason": killed.reason}
    result.same = shape_of(again) == shape_of(whole)
    result.faults = len(small["faults"])
    for name in ("operations", "nodes", "shards", "clients", "runs", "finished", "reason"):
        setattr(result, name, small[name])
    return result


def summary(all_of_them: list[Shrunk], limit: int) -> dict:
    done = [one for one in all_of_them if one.seed is not None]
    median = {name: statistics.median(getattr(one, name) for one in done) if done else None
              for name in ("operations", "faults", "seconds")}
    told = {"mutants": len(all_of_them), "shrunk": len(done), "same": sum(one.same for one in done),
            "finished": sum(one.finished for one in done), "median": median,
            "seconds_max": max((one.seconds for one in done), default=None), "limit_seconds": limit}
    told["good"] = bool(done) and len(done) == len(all_of_them) == told["same"] and \
        median["operations"] <= OPERATIONS_MAX and median["faults"] <= FAULTS_MAX and \
        told["seconds_max"] <= limit + SLACK_SECONDS
    return told


def row(one: Shrunk) -> str:
    if one.seed is None:
        return f"{one.id:4} {one.group:7} nothing failed  <--"
    end = "" if one.finished else ", stopped"
    mark = "" if one.same else "  <-- another failure"
    return (f"{one.id:4} {one.group:7} {one.oracle:6} {one.operations:5} operations {one.faults:3} faults "
            f"{one.nodes} nodes {one.shards} shards {one.clients} clients {one.runs:5} runs {one.seconds:5.1f} s"
            f"{end}{mark}")


def as_text(all_of_them: list[Shrunk], limit: int) -> str:
    told = summary(all_of_them, limit)
    median = told["median"]
    return "\n".join([row(one) for one in all_of_them] + [
        f"{told['same']} of {told['mutants']} fail in the same way; median {median['operations']} operations, "
        f"{median['faults']} faults, {median['seconds']} s; {told['finished']} cannot become smaller by one step; "
        f"the longest took {told['seconds_max']} s of {limit}"])


def as_json(all_of_them: list[Shrunk], limit: int) -> str:
    return json.dumps({**summary(all_of_them, limit), "shrunk_failures": [asdict(one) for one in all_of_them]}, indent=2)

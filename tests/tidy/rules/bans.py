"""Words that may not stand in some part of the tree, each with its reason."""

import re
from typing import Iterator, NamedTuple

from tree import Breach, Tree, in_folder, line_of

NAME = "bans"
WHY = "some words break determinism, money or readability wherever they stand"

DETERMINISTIC = ("core", "sim")
# Choosing seeds, running them side by side and timing them is outside the simulated world.
OUTSIDE_THE_WORLD = ("sim/run",)
PRODUCT = ("core", "sim", "net", "cli")
CODE = PRODUCT + ("tests",)


class Ban(NamedTuple):
    name: str
    pattern: str
    reason: str
    folders: tuple[str, ...]
    but_not: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = (".h", ".cc")
    whole_text: bool = False  # look into comments and literals too; then of files of every kind


BANS = (
    Ban("shuffle", r"\bstd::(?:ranges::)?(?:shuffle|sample)\b", "its result differs between standard libraries",
        DETERMINISTIC),
    Ban("distribution", r"\b\w+_distribution\b", "its result differs between standard libraries; use the prng's ranges",
        DETERMINISTIC),
    Ban("engine", r"\b(?:random_device|default_random_engine|s?rand\s*\(|mt19937(?:_64)?)",
        "randomness comes from the seed, through the keyed prng", DETERMINISTIC),
    Ban("clock", r"\b(?:system|steady|high_resolution)_clock\b|\bgettimeofday\b|\bclock_gettime\b|\bstd::time\s*\(",
        "time is an input", DETERMINISTIC, OUTSIDE_THE_WORLD),
    Ban("clock_in_net", r"\b(?:system|steady|high_resolution)_clock::now\b|\bgettimeofday\b|\bclock_gettime\b|"
        r"\brandom_device\b|\bgetrandom\b|\bgetentropy\b", "net/driver has the only real clock and entropy",
        ("net",), ("net/driver",)),
    Ban("thread", r"\bstd::(?:thread|jthread|mutex|atomic\w*|async|this_thread)\b|\bthread_local\b",
        "the deterministic part has one thread", DETERMINISTIC, OUTSIDE_THE_WORLD),
    Ban("function", r"\bstd::(?:function|move_only_function|bind)\b", "input in, effects out: no callbacks", ("core",)),
    Ban("shared_ptr", r"\b(?:std::)?(?:shared_ptr|weak_ptr)\b", "one owner for each state; bytes alone are shared",
        ("core",), ("core/base/bytes.h",)),
    Ban("define", r"^[ \t]*#[ \t]*define\b(?![ \t]+XXH_INLINE_ALL\b)", "no macros in the core", ("core",)),
    Ban("float", r"\b(?:float|double)\b|(?<![\w.])\d[\d']*\.\d", "money is integer minor units; nothing rounds",
        ("core",)),
    Ban("unordered", r"\bstd::unordered_\w+", "its order differs between standard libraries", DETERMINISTIC),
    Ban("address_order", r"\bstd::(?:multi)?(?:map|set)<\s*(?:const\s+)?[\w:]+(?:\s+const)?\s*\*|\bu?intptr_t\b|"
        r"\bstd::(?:hash|less)<[^<>]*\*\s*>", "addresses differ between runs: no order, hash or number of them",
        DETERMINISTIC),
    Ban("assert", r"(?<!\w)assert\s*\(", "use check(cond, why): it stays on in release", PRODUCT),
    Ban("ndebug", r"\bNDEBUG\b", "a release decides as a debug build does", DETERMINISTIC),
    Ban("exception", r"\b(?:throw|try|catch)\b(?!\()|\bcatch\s*\(", "Result or check: exceptions only at the edge",
        ("core",), ("core/base/check.h", "core/base/check.cc")),
    Ban("print", r"\bstd::(?:cout|cerr|clog)\b|\bf?printf\s*\(|\bputs\s*\(", "the core never logs", ("core",),
        ("core/base/check.h", "core/base/check.cc")),
    Ban("views", r"\bstd::(?:views|ranges::views)\b|\bstd::ranges::\w+_view\b", "no views: they are slow to compile",
        CODE),
    Ban("using_namespace", r"\busing\s+namespace\b", "a header must not empty a namespace into its readers", CODE,
        suffixes=(".h",)),
    Ban("testing", r"\bif\s*\(\s*!?\w*(?:is_)?(?:testing|simulated|simulation)\w*\s*(?:\(\s*\))?\s*\)",
        "the product cannot tell a test from the world", ("core", "net")),
    Ban("todo", r"\b(?:TODO|FIX" r"ME)\b", "finish it, or write an issue", ("",), ("tests/tidy",), whole_text=True),
    Ban("machine_path", r"(?<![\w.$}])/(?:work|root|home/\w+)/|\.\./shared\b",
        "a path of one machine means nothing on the next", ("",), whole_text=True),
)
ROWS = tuple(ban.name for ban in BANS)


def check(tree: Tree) -> Iterator[Breach]:
    for ban in BANS:
        pattern = re.compile(ban.pattern, re.MULTILINE)
        paths = tree.texts() if ban.whole_text else tree.select(*ban.folders, suffixes=ban.suffixes)
        for path in paths:
            if any(in_folder(path, folder) for folder in ban.but_not):
                continue
            text = tree.text_of(path) if ban.whole_text else tree.code_of(path)
            for match in pattern.finditer(text):
                word = match[0].strip()
                yield Breach(path, line_of(text, match.start()), f"{ban.name}: '{word}': {ban.reason}")

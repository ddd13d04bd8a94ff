"""Nothing in the core's libraries refers to clocks, entropy, threads, files, sockets or the environment."""

import pathlib
import re
import subprocess
from typing import Iterator

from tree import Breach, Tree

NAME = "symbols"
WHY = "the core is a pure function: time, entropy, network and disk enter as input and leave as effect"
MODULES = ("base", "attic", "ledger", "log", "raft", "txn", "router", "shard", "node")

# What the outside world is called in symbols, by kind.
FORBIDDEN = {
    "clock": r"(?:clock_gettime|clock|time|times|gettimeofday|localtime(?:_r)?|gmtime(?:_r)?|mktime|strftime|"
             r"nanosleep|clock_nanosleep|usleep|sleep|timerfd_\w+)|std::chrono::.*_clock::now\(\)",
    "entropy": r"(?:getrandom|getentropy|s?rand(?:_r|om|om_r)?|random(?:_r)?|[demln]rand48|arc4random\w*)|"
               r"std::random_device::.*",
    "thread": r"(?:pthread_\w+|thrd_\w+|fork|vfork|clone|exec\w+|posix_spawn\w*|system|popen|kill|raise|sched_\w+)|"
              r"std::(?:this_thread::.*|thread::.*|(?:recursive_)?(?:timed_)?mutex::.*|condition_variable::.*|"
              r"__future_base::.*)",
    "file": r"(?:f?open(?:at)?(?:64)?|creat(?:64)?|close|v?p?read(?:v|v2)?(?:64)?|p?write(?:v|v2)?(?:64)?|fread|fwrite|"
            r"fgets|fscanf|fclose|l?seek(?:64)?|fsync|fdatasync|sync|rename(?:at\d?)?|unlink(?:at)?|remove|mkdir\w*|"
            r"ftruncate(?:64)?|f?stat(?:at)?(?:64)?|mmap(?:64)?|ioctl|fcntl(?:64)?|tmpfile(?:64)?|mkstemp\w*|"
            r"io_uring_\w+|opendir|readdir(?:64)?)|std::(?:__cxx11::)?(?:basic_)?(?:[io]?fstream|filebuf)<.*|"
            r"std::filesystem::.*",
    "socket": r"(?:socket|socketpair|connect|bind|listen|accept4?|send(?:to|msg|mmsg)?|recv(?:from|msg|mmsg)?|poll|"
              r"p?select|epoll_\w+|eventfd|getaddrinfo|gethostby\w+|shutdown)",
    "environment": r"(?:(?:secure_)?getenv|setenv|putenv|unsetenv|environ|getpid|gettid|getuid|uname|gethostname|"
                   r"syscall|dlopen|dlsym|setlocale|signal|sigaction)",
}
ROWS = tuple(FORBIDDEN)

# The failing exit of the core: check() says why on stderr and aborts.
_LAST_WORDS = re.compile(r"check\.cc\.o")
_LAST_WORDS_MAY = {"fwrite"}
_PATTERNS = {kind: re.compile(f"(?:{pattern})(?:@.*)?") for kind, pattern in FORBIDDEN.items()}


def check(tree: Tree) -> Iterator[Breach]:
    for module in MODULES:
        has_sources = any(tree.select(f"core/{module}", suffixes=(".cc",)))
        archive = tree.build / f"libcoffer_{module}.a"
        if not has_sources:
            continue
        if not archive.exists():
            yield Breach(f"core/{module}", 1, f"not built: there is no {archive.name} in the build directory")
            continue
        yield from _check_archive(f"core/{module}", archive)


def _check_archive(folder: str, archive: pathlib.Path) -> Iterator[Breach]:
    listing = subprocess.run(["nm", "-C", "-u", str(archive)], capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        yield Breach(folder, 1, f"nm failed: {listing.stderr.strip()}")
    member = ""
    for line in listing.stdout.splitlines():
        if line.endswith(":"):
            member = line[:-1]
            continue
        found = re.fullmatch(r"\s+[UwW] (.*)", line)
        if not found:
            continue
        symbol = found[1]
        bare = symbol.split("(")[0] if not symbol.startswith("std::") else symbol
        if _LAST_WORDS.fullmatch(member) and bare.split("@")[0] in _LAST_WORDS_MAY:
            continue
        for kind, pattern in _PATTERNS.items():
            if pattern.fullmatch(bare):
                yield Breach(folder, 1, f"{kind}: {archive.name}({member}) refers to {symbol}")


def prepare(root: pathlib.Path, build: pathlib.Path) -> None:
    """Builds the archives of a small tree; used by the self-test."""
    for module in MODULES:
        objects = []
        for source in sorted((root / "core" / module).glob("*.cc")):
            objects.append(build / f"{source.name}.o")
            subprocess.run(["g++", "-std=c++20", "-O1", "-I", root, "-c", source, "-o", objects[-1]], check=True)
        if objects:
            subprocess.run(["ar", "rc", build / f"libcoffer_{module}.a", *objects], check=True)

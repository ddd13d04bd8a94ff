"""Who may include whom: the arrows of the architecture as one table. CMakeLists.txt links along the same arrows.

A file belongs to the first row whose pattern matches its path. A row names the project folders (or patterns of files)
it may include besides its own folder, the system headers it may not, and the libraries it may.
"""

import fnmatch
from typing import NamedTuple, Optional

# Headers that bring clocks, entropy, threads, files or sockets, or that tempt to.
EFFECTS = ("chrono", "ctime", "time.h", "random", "thread", "mutex", "shared_mutex", "atomic", "future",
           "condition_variable", "semaphore", "latch", "barrier", "stop_token", "fstream", "filesystem", "iostream",
           "cstdio", "stdio.h", "csignal", "clocale", "locale", "regex", "ranges", "unordered_map", "unordered_set",
           "cassert", "assert.h")
POSIX = ("unistd.h", "fcntl.h", "signal.h", "pthread.h", "poll.h", "netdb.h", "dlfcn.h", "spawn.h", "dirent.h", "sys/*",
         "netinet/*", "arpa/*", "linux/*")
PURE = EFFECTS + POSIX

CORE_LIBRARIES = ("boost/system/*", "boost/unordered/*", "boost/container/*", "boost/container_hash/*", "boost/core/*")
SIM_LIBRARIES = CORE_LIBRARIES + ("nlohmann/*",)
NET_LIBRARIES = SIM_LIBRARIES + ("boost/*",)
ALL_LIBRARIES = ("*",)

CORE = ("core/",)


class Row(NamedTuple):
    files: str  # fnmatch pattern
    folder: str  # always allowed: its own
    may_include: tuple[str, ...]
    forbidden_headers: tuple[str, ...]
    libraries: tuple[str, ...]


def _core(name: str, *others: str) -> Row:
    folder = f"core/{name}/"
    return Row(folder + "*", folder, tuple(f"core/{o}" if "*" in o else f"core/{o}/" for o in others), PURE,
               CORE_LIBRARIES)


ROWS = (
    # The one failing exit of the core writes its last words; the one wrapper of xxHash, and of OpenSSL.
    Row("core/base/check.*", "core/base/", (), tuple(h for h in PURE if h != "cstdio"), CORE_LIBRARIES),
    Row("core/base/sha256.cc", "core/base/", (), PURE, CORE_LIBRARIES + ("openssl/sha.h",)),
    Row("core/base/*", "core/base/", (), PURE, CORE_LIBRARIES + ("xxhash.h",)),
    # Plain data, seen by oracles and edges too: no code of the product comes with it.
    Row("core/shard/observation.h", "core/shard/observation.h", ("core/base/",), PURE, CORE_LIBRARIES),
    Row("core/router/protocol.h", "core/router/protocol.h", ("core/base/",), PURE, CORE_LIBRARIES),
    _core("attic", "base"),
    _core("ledger", "base"),
    _core("log", "base"),
    _core("raft", "base"),
    _core("txn", "ledger", "base"),
    _core("router", "base"),
    _core("shard", "attic", "log", "raft", "ledger", "txn", "router/protocol*.h", "router/shard_map*.h", "base"),
    _core("node", "shard", "router", "log", "raft", "ledger", "txn", "base"),

    Row("sim/kernel/*", "sim/kernel/", ("sim/observe/sim_time.h", "core/base/"), PURE, SIM_LIBRARIES),
    Row("sim/oracles/*", "sim/oracles/", ("sim/observe/", "core/base/"), PURE, CORE_LIBRARIES),
    Row("sim/observe/*.h", "sim/observe/", ("core/base/", "core/shard/observation.h", "core/router/protocol.h"), PURE,
        CORE_LIBRARIES),
    # Running many seeds is not part of the simulated world: it may use threads, files and the terminal.
    Row("sim/run/*", "sim/", CORE, ("regex", "ranges", "cassert", "assert.h"), SIM_LIBRARIES),
    Row("sim/*", "sim/", CORE, PURE, SIM_LIBRARIES),
    Row("net/*", "net/", CORE, ("ranges", "regex", "cassert", "assert.h"), NET_LIBRARIES),
    Row("cli/*", "cli/", ("core/", "sim/", "net/"), ("ranges", "regex", "cassert", "assert.h"),
        SIM_LIBRARIES + ("CLI/*",)),

    Row("tests/sim/*", "sim/", ("core/", "tests/"), (), ALL_LIBRARIES),
    Row("tests/net/*", "net/", ("core/", "tests/"), (), ALL_LIBRARIES),
    Row("tests/fuzz/*", "net/", ("core/", "tests/"), (), ALL_LIBRARIES),
)


def row_of(path: str) -> Optional[Row]:
    for row in ROWS:
        if fnmatch.fnmatchcase(path, row.files):
            return row
    if path.startswith("tests/core/"):  # a test of a module may include what the module may
        own = row_of(path[len("tests/"):])
        return own and own._replace(may_include=own.may_include + ("tests/",), forbidden_headers=(),
                                    libraries=ALL_LIBRARIES)
    return None


def allows(row: Row, included: str) -> bool:
    return any(fnmatch.fnmatchcase(included, target + "*" if target.endswith("/") else target)
               for target in (row.folder,) + row.may_include)

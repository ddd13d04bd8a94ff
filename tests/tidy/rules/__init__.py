"""The table of rules. A rule is a module with NAME, WHY, ROWS (what must each be seen to fail) and check(tree)."""

from . import (bans, dead_tests, extension_rows, fault_used, file_comment, file_length, file_names, formatting,
               function_length, include_arrows, self_contained, symbols, unordered_iteration)

RULES = (
    include_arrows,
    symbols,
    self_contained,
    bans,
    unordered_iteration,
    file_names,
    file_comment,
    file_length,
    function_length,
    formatting,
    extension_rows,
    fault_used,
    dead_tests,
)

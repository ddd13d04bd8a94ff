// The table of faults; "comment" is none.
#include "sim/faults/crash.h"
constexpr Row kRows[] = {
    {"crash", crash},
    {"torn_write", torn_write},  // the "other" words of a comment do not count
};

// The table of faults.
#include "sim/faults/crash.h"

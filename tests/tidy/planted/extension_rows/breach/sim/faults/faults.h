// The table of faults.
#include "sim/faults/crash.h"
#include "sim/faults/gone.h"

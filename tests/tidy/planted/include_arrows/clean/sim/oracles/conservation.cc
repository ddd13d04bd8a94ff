// An oracle that reads observations.
#include <map>

#include "core/base/money.h"
#include "sim/observe/history.h"
#include "sim/oracles/oracle.h"

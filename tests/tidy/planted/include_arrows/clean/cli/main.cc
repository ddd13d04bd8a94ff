// The program.
#include <CLI/CLI.hpp>

#include "net/driver/driver.h"
#include "sim/run/fuzz.h"

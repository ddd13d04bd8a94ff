// A world that reaches for the real one.
#include "net/driver/driver.h"

// The edge, leaning on the simulator.
#include "sim/kernel/queue.h"

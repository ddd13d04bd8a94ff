// An event queue that reads a clock.
#include <chrono>

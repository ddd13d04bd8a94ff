// Seeds side by side.
#include <nlohmann/json.hpp>
#include <thread>

#include "core/node/node.h"
#include "sim/kernel/queue.h"

// One HTTP GET, for tools that read what the admin listener says. Blocking; any thread.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/base/time.h"
#include "net/driver/settings.h"

namespace coffer::net {

/// The body of a 200 answer. Error: no connection, another status, or not within `timeout`.
Result<std::string> http_get(const Endpoint& endpoint, const std::string& path, Duration timeout);

}  // namespace coffer::net

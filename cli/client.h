// What the verbs of `coffer client` have in common.
#pragma once

#include <cstdint>
#include <memory>

#include "cli/connection.h"

namespace coffer::cli {

struct ClientOptions {
  ConnectionOptions connection;
  std::uint32_t wait_s = 10;
};

/// `reconfigure` and `transfer-leadership` (cli/membership.cc).
void add_membership_verbs(CLI::App& client, const std::shared_ptr<ClientOptions>& options, int& exit_code);

}  // namespace coffer::cli

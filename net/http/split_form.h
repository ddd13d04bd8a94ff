// The body of a split as a request has it, read strictly. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/router/protocol.h"
#include "net/http/messages.h"
#include "net/http/strict_json.h"

namespace coffer::net {

struct SplitForm {
  struct Part {
    std::string account;
    std::int64_t amount = 0;  ///< minor units, > 0
  };
  std::string account;
  Currency currency;
  TransferId id;
  std::vector<Part> parts;

  /// Its views point into the form.
  router::SplitRequest request() const;
};

/// Requires: `body` is an object.
std::variant<HttpResponse, SplitForm> read_split_form(const JsonValue& body);

}  // namespace coffer::net

// HTTP requests and answers as plain data, so that what the edge says can be read and tested without a socket.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.h"

namespace coffer::net {

/// Header values are as sent; empty when absent.
struct HttpRequest {
  std::string method;
  std::string path;   ///< before the first '?', still percent-encoded
  std::string query;  ///< behind it
  std::string accept;
  std::string content_type;
  std::string idempotency_key;
  std::string prefer;
  std::string body;
  Uuid fresh_id{};  ///< drawn by whoever took the request in, for what happens once and comes without an id
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

}  // namespace coffer::net

// The contract of the edge for machines: OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0), made of the table of routes, their
// contracts and the table of problems, so that it says what the code does. Pure.
#pragma once

#include <string>

namespace coffer::net {

/// GET /openapi.json: both listeners, told apart by tags. The same bytes for as long as the process runs.
const std::string& openapi_document();

}  // namespace coffer::net

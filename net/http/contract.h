// What each route takes and what it can answer: the other half of the table in routes.h. /openapi.json is made of it;
// tests hold the readers and a node at work against it. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/outcome.h"
#include "net/http/problems.h"
#include "net/http/routes.h"

namespace coffer::net {

/// What a member of a body, a parameter of a query or the id in a path may be: each has a schema, and its mistakes.
enum class Shape : std::uint8_t {
  account,
  currency,
  amount,
  uuid,
  lifetime_s,   ///< whole seconds, a JSON number
  split_parts,  ///< a list of payees with their amounts
  consistency,
  flag,  ///< there, or not; its value says nothing
};

struct Field {
  std::string_view name;
  Shape shape;
  bool required = true;
};

struct RouteContract {
  HttpRoute route;
  std::string_view summary;
  std::vector<Field> path;             ///< the one id, named as the answers name it; or nothing
  std::vector<Field> query;            ///< of a GET
  std::vector<Field> body;             ///< of a POST
  std::vector<int> statuses;           ///< under which it answers `answer`
  std::string_view answer;             ///< a schema of /openapi.json
  std::vector<Outcome> decided;        ///< what the wallet decides, or finds, of a request with no mistake in it
  std::vector<Problem> mistakes = {};  ///< of members that are good one by one
};

/// One for each route, in no order of note.
const std::vector<RouteContract>& all_contracts();
const RouteContract& contract_of(HttpRoute route);
const RouteRow& row_of(HttpRoute route);

/// The mistakes of a value of this shape.
std::vector<Problem> problems_of(Shape shape);
/// Everything the route can answer but its success, each once, in the order of the table of problems.
std::vector<Problem> problems_of(const RouteContract& contract);

}  // namespace coffer::net

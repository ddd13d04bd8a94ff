#include "net/http/contract.h"

#include <algorithm>

#include "core/base/check.h"
#include "net/http/calls.h"

namespace coffer::net {

namespace {

using O = Outcome;
using P = Problem;
using R = HttpRoute;

using Fields = std::vector<Field>;
using Outcomes = std::vector<Outcome>;

template <typename T>
std::vector<T> operator+(std::vector<T> a, const std::vector<T>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Field account_id{"account", Shape::account};
const Field hold_id{"hold_id", Shape::uuid};
const Field transaction_id{"transaction_id", Shape::uuid};
const Field optional_id{"transaction_id", Shape::uuid, false};
const Field amount{"amount", Shape::amount};
const Field currency{"currency", Shape::currency};

/// An id that was bound to something else, and one whose time is not now.
const Outcomes ids = {O::idempotency_payload_mismatch, O::id_in_future, O::id_expired};
const Outcomes numbered_ids = ids + Outcomes{O::id_gap};       ///< of what a source may number
const Outcomes other_ids = ids + Outcomes{O::id_is_numbered};  ///< of anything else
const Outcomes pocket = {O::account_not_found, O::account_frozen, O::account_closed, O::currency_mismatch,
                         O::account_locked};
const Outcomes debit = pocket + Outcomes{O::insufficient_funds};
const Outcomes credit = {O::credit_account_not_found, O::account_frozen, O::account_closed,
                         O::currency_mismatch,        O::account_locked, O::balance_overflow};

std::vector<RouteContract> money_contracts() {
  const Fields one_account = {account_id, amount, currency, transaction_id};
  return {
      {R::balance_transfer,
       "Moves money from one account to another",
       {},
       {},
       {{"from_account", Shape::account}, {"to_account", Shape::account}, amount, currency, transaction_id},
       {200},
       "Moved",
       debit + credit + numbered_ids,
       {P::same_account}},
      {R::split,
       "Pays several payees from one account: all of them, or none",
       {},
       {},
       {{"from_account", Shape::account}, currency, transaction_id, {"parts", Shape::split_parts}},
       {200},
       "Moved",
       debit + credit + other_ids,
       {P::same_account, P::amount_too_large}},
      {R::deposit,
       "Brings money into the wallet",
       {},
       {},
       one_account,
       {200},
       "Moved",
       pocket + Outcomes{O::balance_overflow} + numbered_ids},
      {R::withdrawal,
       "Takes money out of the wallet",
       {},
       {},
       one_account,
       {200},
       "Moved",
       debit + Outcomes{O::balance_overflow} + numbered_ids},
      {R::transfer_status,
       "What became of a transfer, deposit, withdrawal or split, step by step; without from_account all shards are "
       "asked",
       {transaction_id},
       {{"from_account", Shape::account, false}},
       {},
       {200},
       "TransferStatus",
       {O::transfer_not_found, O::id_expired, O::id_is_numbered}},
  };
}

std::vector<RouteContract> account_contracts() {
  const Outcomes change = Outcomes{O::account_not_found} + other_ids;
  return {
      {R::open_account,
       "Opens an account, or a further currency of it",
       {},
       {},
       {account_id, currency},
       {201, 200},
       "Opened",
       {O::account_closed}},
      {R::account,
       "Whether an account is open, frozen or closed",
       {account_id},
       {},
       {},
       {200},
       "Account",
       {O::account_not_found}},
      {R::freeze,
       "Stops everything new on an account",
       {account_id},
       {},
       {optional_id},
       {200},
       "AccountChanged",
       change + Outcomes{O::account_closed}},
      {R::unfreeze,
       "Ends a freeze",
       {account_id},
       {},
       {optional_id},
       {200},
       "AccountChanged",
       change + Outcomes{O::account_closed}},
      {R::close,
       "Ends an empty account, for ever",
       {account_id},
       {},
       {optional_id},
       {200},
       "AccountChanged",
       change + Outcomes{O::account_not_empty}},
      {R::balance,
       "What an account holds in one currency",
       {account_id},
       {currency, {"consistency", Shape::consistency, false}},
       {},
       {200},
       "Balance",
       {O::account_not_found, O::currency_mismatch}},
  };
}

std::vector<RouteContract> hold_contracts() {
  return {
      {R::place_hold,
       "Keeps part of a balance for a later capture",
       {},
       {},
       {account_id, amount, currency, transaction_id, {"expires_in", Shape::lifetime_s}},
       {201, 200},
       "Held",
       debit + other_ids},
      {R::capture_hold,
       "Moves money that a hold keeps, which ends it",
       {hold_id},
       {},
       {account_id, {"to_account", Shape::account}, amount, currency},
       {200},
       "Captured",
       credit + Outcomes{O::account_not_found, O::hold_not_found, O::hold_voided, O::hold_expired, O::hold_exceeded,
                         O::idempotency_payload_mismatch, O::account_busy},
       {P::same_account}},
      {R::void_hold,
       "Lets go what a hold keeps",
       {hold_id},
       {},
       {account_id},
       {200},
       "Voided",
       {O::account_not_found, O::hold_not_found, O::hold_captured, O::hold_expired}},
      {R::hold,
       "What became of a hold",
       {hold_id},
       {account_id},
       {},
       {200},
       "Hold",
       {O::account_not_found, O::hold_not_found}},
  };
}

std::vector<RouteContract> operator_contracts() {
  return {
      {R::openapi, "This description", {}, {}, {}, {200}, "Description", {}},
      {R::trial_balance,
       "The sums of all accounts by shard and currency: each total is zero",
       {},
       {},
       {},
       {200},
       "TrialBalance",
       {}},
      {R::cluster, "The cluster as this node knows it: the settings of a node", {}, {}, {}, {200}, "Cluster", {}},
      {R::node, "What this node does and has done", {}, {}, {}, {200}, "Node", {}},
      {R::livez, "Whether the process runs; nobody else is asked", {}, {}, {}, {200}, "Alive", {}},
      {R::readyz,
       "Whether this node has recovered and every shard here knows its leader (200), or not (503)",
       {},
       {{"verbose", Shape::flag, false}},
       {},
       {200, 503},
       "Ready",
       {}},
  };
}

bool asks_node(R route) { return route != R::openapi && route != R::livez && route != R::cluster; }

bool is_write(R route) { return row_of(route).method == "POST"; }

/// Of any request, whatever it is about.
std::vector<P> problems_of_heads(const RouteContract& contract) {
  std::vector<P> problems = {P::malformed_request, P::invalid_parameter, P::not_acceptable, P::body_too_large,
                             P::headers_too_large};
  if (contract.route != R::livez) {  // it is asked by whoever it may be, and never refuses for a word too many
    problems.push_back(P::unknown_field);
  }
  if (is_write(contract.route)) {
    problems = problems + std::vector<P>{P::unsupported_media_type, P::malformed_json, P::duplicate_json_key};
  }
  return problems;
}

std::vector<P> problems_of_node(R route) {
  if (!asks_node(route)) {
    return {};
  }
  std::vector<P> problems = {P::overloaded, P::internal};
  if (route != R::readyz) {
    problems.push_back(P::no_leader);
  }
  if (is_write(route)) {
    problems.push_back(P::outcome_unknown);
  }
  if (has_id(route)) {
    problems.push_back(P::in_flight);
  }
  return problems;
}

}  // namespace

const std::vector<RouteContract>& all_contracts() {
  static const std::vector<RouteContract> all =
      money_contracts() + account_contracts() + hold_contracts() + operator_contracts();
  return all;
}

const RouteContract& contract_of(HttpRoute route) {
  const std::vector<RouteContract>& all = all_contracts();
  const auto found = std::find_if(all.begin(), all.end(), [route](const RouteContract& c) { return c.route == route; });
  check(found != all.end(), "every route has its contract");
  return *found;
}

const RouteRow& row_of(HttpRoute route) {
  const std::vector<RouteRow>& all = all_routes();
  const auto found = std::find_if(all.begin(), all.end(), [route](const RouteRow& row) { return row.route == route; });
  check(found != all.end(), "every route has its row");
  return *found;
}

std::vector<Problem> problems_of(Shape shape) {
  switch (shape) {
    case Shape::account:
      return {P::invalid_account_id};
    case Shape::currency:
      return {P::unsupported_currency};
    case Shape::amount:
      return {P::invalid_amount, P::amount_precision, P::amount_too_large};
    case Shape::uuid:
      return {P::invalid_uuid};
    case Shape::lifetime_s:
      return {P::invalid_parameter, P::expiry_too_far};
    case Shape::split_parts:
      return problems_of(Shape::account) + problems_of(Shape::amount) + std::vector<P>{P::invalid_parameter};
    case Shape::consistency:
      return {P::invalid_parameter};
    case Shape::flag:
      return {};
  }
  check_failed("every shape has its mistakes");
}

std::vector<Problem> problems_of(const RouteContract& contract) {
  std::vector<P> problems = problems_of_heads(contract) + problems_of_node(contract.route) + contract.mistakes;
  for (const std::vector<Field>* fields : {&contract.path, &contract.query, &contract.body}) {
    for (const Field& field : *fields) {
      problems = problems + problems_of(field.shape);
      if (field.required && fields != &contract.path) {
        problems.push_back(P::missing_field);
      }
      if (field.name == transaction_id.name && fields == &contract.body) {
        problems.push_back(P::idempotency_key_mismatch);
      }
    }
  }
  if (writes_hold(contract.route)) {  // one that ends a hold has its id in the path
    problems.push_back(P::idempotency_key_mismatch);
  }
  for (const Outcome outcome : contract.decided) {
    problems.push_back(problem_of(outcome));
  }
  std::sort(problems.begin(), problems.end());
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

}  // namespace coffer::net

// The way in: strict reading of what a client sent.
#include <algorithm>

#include "core/ledger/commands.h"
#include "net/driver/settings.h"
#include "net/http/calls.h"
#include "net/http/form.h"
#include "net/http/header_values.h"
#include "net/http/openapi.h"
#include "net/http/split_form.h"
#include "net/http/strict_json.h"

namespace coffer::net {

namespace {

using P = Problem;

/// The Idempotency-Key header, where sent, must repeat the id of the request.
std::optional<HttpResponse> check_key(const HttpRequest& request, const TransferId& id,
                                      const std::string& name_of_id = "transaction_id") {
  const std::string_view key = bare_key(request.idempotency_key);
  if (key.empty()) {
    return std::nullopt;
  }
  const Result<Uuid> parsed = parse_uuid(key);
  if (parsed.has_value() && *parsed == id) {
    return std::nullopt;
  }
  return to_response({.problem = P::idempotency_key_mismatch,
                      .detail = "the Idempotency-Key header is optional and must equal " + name_of_id,
                      .transaction = id});
}

std::variant<HttpResponse, JsonValue> read_body(const HttpRequest& request) {
  JsonDocument document = parse_json(request.body);
  switch (document.error) {
    case JsonError::none:
      break;
    case JsonError::malformed:
      return to_response(
          {.problem = P::malformed_json, .detail = document.detail, .errors = {{document.pointer, P::malformed_json}}});
    case JsonError::duplicate_key:
      return to_response({.problem = P::duplicate_json_key,
                          .detail = document.detail,
                          .errors = {{document.pointer, P::duplicate_json_key}}});
  }
  if (document.root.type != JsonType::object) {
    return to_response({.problem = P::malformed_json,
                        .detail = "the body must be an object, not " + std::string(name(document.root.type)),
                        .errors = {{"", P::malformed_json}}});
  }
  return std::move(document.root);
}

router::RequestHeader header(router::RequestKind kind, const Call& call) {
  return {.kind = kind,
          .route = router::Route::proxied,
          .shard = {},
          .patience_ms = call.patience_ms,
          .tenant = default_tenant,
          .principal = {}};
}

std::variant<HttpResponse, Call> read_transfer(HttpRoute route, const HttpRequest& request, const JsonValue& body) {
  using router::TransferOperation;
  Call call{.route = route, .request = {}, .patience_ms = patience_of(request.prefer)};
  Form form(body);
  router::TransferItem item;
  std::string from;
  std::string to;
  if (route == HttpRoute::balance_transfer) {
    from = form.account("from_account");
    to = form.account("to_account");
    item.operation = TransferOperation::transfer;
  } else if (route == HttpRoute::deposit) {
    to = form.account("account");
    item.operation = TransferOperation::deposit;
  } else {
    from = form.account("account");
    item.operation = TransferOperation::withdrawal;
  }
  const std::optional<Currency> currency = form.currency("currency");
  item.amount = form.amount("amount", currency);
  item.id = form.uuid("transaction_id");
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  if (from == to) {
    return to_response({.problem = P::same_account,
                        .detail = "from_account and to_account must differ",
                        .transaction = item.id,
                        .errors = {{"/to_account", P::same_account}}});
  }
  if (std::optional<HttpResponse> refusal = check_key(request, item.id)) {
    return std::move(*refusal);
  }
  item.currency = *currency;
  item.debit = from;
  item.credit = to;
  call.transaction = item.id;
  call.account = std::string(item.home());
  call.currency = *currency;
  call.request = router::encode(router::Request{.header = header(router::RequestKind::transfers, call),
                                                .body = router::TransfersRequest{.items = {item}}});
  return call;
}

std::variant<HttpResponse, Call> read_split(const HttpRequest& request, const JsonValue& body) {
  Call call{.route = HttpRoute::split, .request = {}, .patience_ms = patience_of(request.prefer)};
  std::variant<HttpResponse, SplitForm> read = read_split_form(body);
  if (auto* refusal = std::get_if<HttpResponse>(&read)) {
    return std::move(*refusal);
  }
  const SplitForm& form = std::get<SplitForm>(read);
  call.transaction = form.id;
  call.account = form.account;
  call.currency = form.currency;
  if (std::optional<HttpResponse> refusal = check_key(request, call.transaction)) {
    return std::move(*refusal);
  }
  call.request =
      router::encode(router::Request{.header = header(router::RequestKind::split, call), .body = form.request()});
  return call;
}

std::variant<HttpResponse, Call> read_open_account(const HttpRequest& request, const JsonValue& body) {
  Call call{.route = HttpRoute::open_account, .request = {}, .patience_ms = patience_of(request.prefer)};
  Form form(body);
  call.account = form.account("account");
  const std::optional<Currency> currency = form.currency("currency");
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  call.currency = *currency;
  call.request = router::encode(
      router::Request{.header = header(router::RequestKind::open_account, call),
                      .body = router::OpenAccountRequest{.currency = *currency, .account = call.account}});
  return call;
}

std::optional<HttpResponse> check_path_account(const std::string& id) {
  if (ledger::is_account_name(id) && !ledger::is_reserved(id)) {
    return std::nullopt;
  }
  return to_response({.problem = P::invalid_account_id,
                      .detail = "an account id matches [A-Za-z0-9][A-Za-z0-9._:-]{0,63} and does not begin with sys:",
                      .errors = {{"/account", P::invalid_account_id}}});
}

router::AccountChange change_of(HttpRoute route) {
  return route == HttpRoute::freeze     ? router::AccountChange::freeze
         : route == HttpRoute::unfreeze ? router::AccountChange::unfreeze
                                        : router::AccountChange::close;
}

/// The id stands in the body or in the header. Where it is left out the request has one of its own: what the wallet
/// tries again is one change all the same.
std::variant<HttpResponse, Call> read_change(HttpRoute route, const HttpRequest& request, const std::string& id,
                                             const JsonValue& body) {
  Call call{.route = route, .request = {}, .patience_ms = patience_of(request.prefer)};
  if (std::optional<HttpResponse> refusal = check_path_account(id)) {
    return std::move(*refusal);
  }
  Form form(body);
  const Result<Uuid> key = parse_uuid(bare_key(request.idempotency_key));
  if (body.find("transaction_id") != nullptr || (key.has_error() && request.fresh_id == Uuid())) {
    call.transaction = form.uuid("transaction_id");
  } else {
    call.transaction = key.has_value() ? *key : request.fresh_id;
  }
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  if (std::optional<HttpResponse> refusal = check_key(request, call.transaction)) {
    return std::move(*refusal);
  }
  call.account = id;
  call.request = router::encode(router::Request{
      .header = header(router::RequestKind::change_account, call),
      .body = router::ChangeAccountRequest{.change = change_of(route), .id = call.transaction, .account = id}});
  return call;
}

std::variant<HttpResponse, Call> read_place_hold(const HttpRequest& request, const JsonValue& body) {
  constexpr auto lifetime_s_max = static_cast<std::int64_t>(router::hold_expires_in_ms_max / 1000);
  Call call{.route = HttpRoute::place_hold, .request = {}, .patience_ms = patience_of(request.prefer)};
  Form form(body);
  call.account = form.account("account");
  const std::optional<Currency> currency = form.currency("currency");
  const std::int64_t amount = form.amount("amount", currency);
  call.transaction = form.uuid("transaction_id");
  const std::int64_t lifetime_s = form.lifetime_s("expires_in", lifetime_s_max);
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  if (std::optional<HttpResponse> refusal = check_key(request, call.transaction)) {
    return std::move(*refusal);
  }
  call.currency = *currency;
  const router::PlaceHoldRequest asked{.currency = *currency,
                                       .amount = amount,
                                       .id = call.transaction,
                                       .expires_in_ms = static_cast<std::uint64_t>(lifetime_s) * 1000,
                                       .account = call.account};
  call.request =
      router::encode(router::Request{.header = header(router::RequestKind::place_hold, call), .body = asked});
  return call;
}

std::optional<HttpResponse> read_hold_id(const HttpRequest& request, const std::string& id, Call& call) {
  const Result<Uuid> parsed = parse_uuid(id);
  if (parsed.has_error()) {
    return to_response({.problem = P::invalid_uuid,
                        .detail = "the id of a hold is a UUID: the transaction_id it was placed with",
                        .errors = {{"/hold_id", P::invalid_uuid}}});
  }
  call.transaction = *parsed;
  return writes_hold(call.route) ? check_key(request, call.transaction, "the id of the hold") : std::nullopt;
}

std::variant<HttpResponse, Call> read_capture_hold(const HttpRequest& request, const std::string& id,
                                                   const JsonValue& body) {
  Call call{.route = HttpRoute::capture_hold, .request = {}, .patience_ms = patience_of(request.prefer)};
  if (std::optional<HttpResponse> refusal = read_hold_id(request, id, call)) {
    return std::move(*refusal);
  }
  Form form(body);
  call.account = form.account("account");
  const std::string credit = form.account("to_account");
  const std::optional<Currency> currency = form.currency("currency");
  const std::int64_t amount = form.amount("amount", currency);
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  if (call.account == credit) {
    return to_response({.problem = P::same_account,
                        .detail = "account and to_account must differ",
                        .hold = call.transaction,
                        .errors = {{"/to_account", P::same_account}}});
  }
  call.currency = *currency;
  const router::CaptureHoldRequest asked{
      .currency = *currency, .amount = amount, .id = call.transaction, .account = call.account, .credit = credit};
  call.request =
      router::encode(router::Request{.header = header(router::RequestKind::capture_hold, call), .body = asked});
  return call;
}

/// Both name nothing but the hold: by its id in the path, and its account in the body or the query.
std::variant<HttpResponse, Call> read_hold(HttpRoute route, const HttpRequest& request, const std::string& id,
                                           const JsonValue& members) {
  Call call{.route = route, .request = {}, .patience_ms = patience_of(request.prefer)};
  if (std::optional<HttpResponse> refusal = read_hold_id(request, id, call)) {
    return std::move(*refusal);
  }
  Form form(members);
  call.account = form.account("account");
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  router::Request asked;
  if (route == HttpRoute::void_hold) {
    asked = {.header = header(router::RequestKind::void_hold, call),
             .body = router::VoidHoldRequest{.id = call.transaction, .account = call.account}};
  } else {
    asked = {.header = header(router::RequestKind::hold, call),
             .body = router::HoldRequest{.id = call.transaction, .account = call.account}};
  }
  call.request = router::encode(asked);
  return call;
}

/// The query as a flat object of strings, so that the same reader finds the same mistakes.
std::variant<HttpResponse, JsonValue> read_query(const HttpRequest& request) {
  const auto parameters = parse_query(request.query);
  if (!parameters) {
    return to_response({.problem = P::malformed_request, .detail = "the query cannot be percent-decoded"});
  }
  JsonValue object{.type = JsonType::object};
  for (const QueryParameter& parameter : *parameters) {
    if (object.find(parameter.name) != nullptr) {
      return to_response({.problem = P::invalid_parameter,
                          .detail = "'" + parameter.name + "' occurs twice",
                          .errors = {{pointer_to("", parameter.name), P::invalid_parameter}}});
    }
    JsonValue value{.type = JsonType::string};
    value.text = parameter.value;
    object.members.emplace_back(parameter.name, std::move(value));
  }
  return object;
}

/// Of a route that has none. What cannot be heeded is refused, for it may have been meant to change what is done.
std::optional<HttpResponse> refuse_parameters(const JsonValue& query) {
  Form form(query);
  form.refuse_others();
  return form.refusal();
}

std::variant<HttpResponse, Call> read_balance(const HttpRequest& request, const std::string& id,
                                              const JsonValue& query) {
  Call call{.route = HttpRoute::balance, .request = {}, .patience_ms = patience_of(request.prefer)};
  if (std::optional<HttpResponse> refusal = check_path_account(id)) {
    return std::move(*refusal);
  }
  Form form(query);
  const std::optional<Currency> currency = form.currency("currency");
  if (query.find("consistency") != nullptr) {
    const std::string_view wanted = form.text("consistency", P::invalid_parameter);
    if (wanted == "eventual") {
      call.consistency = router::Consistency::eventual;
    } else if (wanted != "linearizable") {
      form.mistake("/consistency", P::invalid_parameter, "'consistency' must be linearizable or eventual");
    }
  }
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  call.account = id;
  call.currency = *currency;
  call.request = router::encode(router::Request{
      .header = header(router::RequestKind::balance, call),
      .body = router::BalanceRequest{.consistency = call.consistency, .currency = *currency, .account = id}});
  return call;
}

std::variant<HttpResponse, Call> read_account(const HttpRequest& request, const std::string& id,
                                              const JsonValue& query) {
  Call call{.route = HttpRoute::account, .request = {}, .patience_ms = patience_of(request.prefer)};
  if (std::optional<HttpResponse> refusal = check_path_account(id)) {
    return std::move(*refusal);
  }
  Form form(query);
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  call.account = id;
  call.request = router::encode(router::Request{.header = header(router::RequestKind::account, call),
                                                .body = router::AccountRequest{.account = id}});
  return call;
}

std::variant<HttpResponse, Call> read_status(const HttpRequest& request, const std::string& id,
                                             const JsonValue& query) {
  Call call{.route = HttpRoute::transfer_status, .request = {}, .patience_ms = patience_of(request.prefer)};
  const Result<Uuid> parsed = parse_uuid(id);
  if (parsed.has_error()) {
    return to_response({.problem = P::invalid_uuid,
                        .detail = "a transaction id is a UUID",
                        .errors = {{"/transaction_id", P::invalid_uuid}}});
  }
  Form form(query);
  if (query.find("from_account") != nullptr) {
    call.account = form.account("from_account");
  }
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  call.transaction = *parsed;
  call.request =
      router::encode(router::Request{.header = header(router::RequestKind::transfer_status, call),
                                     .body = router::TransferStatusRequest{.id = *parsed, .account = call.account}});
  return call;
}

std::variant<HttpResponse, Call> read_admin(HttpRoute route, const HttpRequest& request, const JsonValue& query) {
  Call call{.route = route, .request = {}, .patience_ms = patience_of(request.prefer)};
  Form form(query);
  if (route == HttpRoute::readyz && query.find("verbose") != nullptr) {
    form.text("verbose", P::invalid_parameter);
    call.verbose = true;
  }
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  if (route == HttpRoute::trial_balance) {
    call.request = router::encode(router::Request{.header = header(router::RequestKind::trial_balance, call),
                                                  .body = router::TrialBalanceRequest{}});
  } else {
    call.request = router::encode(
        router::Request{.header = header(router::RequestKind::node_status, call), .body = router::NodeStatusRequest{}});
  }
  return call;
}

std::variant<HttpResponse, Call> read_get(HttpRoute route, const HttpRequest& request, const std::string& id) {
  std::variant<HttpResponse, JsonValue> query = read_query(request);
  if (auto* refusal = std::get_if<HttpResponse>(&query)) {
    return std::move(*refusal);
  }
  const JsonValue& parameters = std::get<JsonValue>(query);
  switch (route) {
    case HttpRoute::balance:
      return read_balance(request, id, parameters);
    case HttpRoute::account:
      return read_account(request, id, parameters);
    case HttpRoute::transfer_status:
      return read_status(request, id, parameters);
    case HttpRoute::hold:
      return read_hold(route, request, id, parameters);
    case HttpRoute::trial_balance:
    case HttpRoute::cluster:
    case HttpRoute::node:
    case HttpRoute::readyz:
      return read_admin(route, request, parameters);
    case HttpRoute::openapi:
      return refuse_parameters(parameters)
          .value_or(HttpResponse{
              .status = 200, .content_type = "application/json", .headers = {}, .body = openapi_document()});
    case HttpRoute::livez:
      return HttpResponse{
          .status = 200, .content_type = "application/json", .headers = {}, .body = "{\"status\":\"alive\"}"};
    case HttpRoute::balance_transfer:
    case HttpRoute::open_account:
    case HttpRoute::deposit:
    case HttpRoute::withdrawal:
    case HttpRoute::split:
    case HttpRoute::freeze:
    case HttpRoute::unfreeze:
    case HttpRoute::close:
    case HttpRoute::place_hold:
    case HttpRoute::capture_hold:
    case HttpRoute::void_hold:
      break;
  }
  return to_response({.problem = P::internal, .detail = "a route without a reader"});
}

std::variant<HttpResponse, Call> read_post(HttpRoute route, const HttpRequest& request, const std::string& id) {
  std::variant<HttpResponse, JsonValue> query = read_query(request);
  if (auto* refusal = std::get_if<HttpResponse>(&query)) {
    return std::move(*refusal);
  }
  if (std::optional<HttpResponse> refusal = refuse_parameters(std::get<JsonValue>(query))) {
    return std::move(*refusal);
  }
  const bool is_empty = changes_account(route) && request.body.empty();
  std::variant<HttpResponse, JsonValue> read =
      is_empty ? std::variant<HttpResponse, JsonValue>(JsonValue{.type = JsonType::object}) : read_body(request);
  if (auto* refusal = std::get_if<HttpResponse>(&read)) {
    return std::move(*refusal);
  }
  const JsonValue& body = std::get<JsonValue>(read);
  switch (route) {
    case HttpRoute::balance_transfer:
    case HttpRoute::deposit:
    case HttpRoute::withdrawal:
      return read_transfer(route, request, body);
    case HttpRoute::split:
      return read_split(request, body);
    case HttpRoute::open_account:
      return read_open_account(request, body);
    case HttpRoute::freeze:
    case HttpRoute::unfreeze:
    case HttpRoute::close:
      return read_change(route, request, id, body);
    case HttpRoute::place_hold:
      return read_place_hold(request, body);
    case HttpRoute::capture_hold:
      return read_capture_hold(request, id, body);
    case HttpRoute::void_hold:
      return read_hold(route, request, id, body);
    case HttpRoute::account:
    case HttpRoute::balance:
    case HttpRoute::hold:
    case HttpRoute::transfer_status:
    case HttpRoute::openapi:
    case HttpRoute::trial_balance:
    case HttpRoute::cluster:
    case HttpRoute::node:
    case HttpRoute::livez:
    case HttpRoute::readyz:
      break;
  }
  return to_response({.problem = P::internal, .detail = "a route without a reader"});
}

}  // namespace

std::optional<HttpResponse> refuse_head(HttpListener listener, const HttpRequest& request) {
  const RouteMatch match = match_route(listener, request.method, request.path);
  if (match.allow.empty()) {
    return to_response({.problem = P::route_not_found, .detail = "there is no " + request.path + " on this listener"});
  }
  if (!match.route) {
    HttpResponse response =
        to_response({.problem = P::method_not_allowed, .detail = request.path + " is for " + match.allow});
    response.headers.emplace_back("Allow", match.allow);
    return response;
  }
  if (!accepts_json(request.accept)) {
    return to_response({.problem = P::not_acceptable, .detail = "answers are application/json; Accept excludes it"});
  }
  const bool may_be_empty = changes_account(*match.route) && request.content_type.empty();
  if (request.method == "POST" && !may_be_empty && !is_json(request.content_type)) {
    return to_response(
        {.problem = P::unsupported_media_type, .detail = "Content-Type must be application/json (charset utf-8)"});
  }
  return std::nullopt;
}

std::variant<HttpResponse, Call> read_call(HttpListener listener, const HttpRequest& request) {
  if (std::optional<HttpResponse> refusal = refuse_head(listener, request)) {
    return std::move(*refusal);
  }
  const RouteMatch match = match_route(listener, request.method, request.path);
  return request.method == "POST" ? read_post(*match.route, request, match.id)
                                  : read_get(*match.route, request, match.id);
}

}  // namespace coffer::net

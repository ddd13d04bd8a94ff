#include "net/http/split_form.h"

#include <optional>
#include <utility>

#include "net/http/form.h"
#include "net/http/problems.h"

namespace coffer::net {

namespace {

using P = Problem;

/// Whether the parts add up, and pay nobody but others.
std::optional<HttpResponse> check_parts(const SplitForm& split) {
  std::optional<std::int64_t> total = 0;
  for (std::size_t i = 0; i < split.parts.size(); ++i) {
    if (split.parts[i].account == split.account) {
      return to_response({.problem = P::same_account,
                          .detail = "from_account and to_account must differ",
                          .transaction = split.id,
                          .errors = {{"/parts/" + std::to_string(i) + "/to_account", P::same_account}}});
    }
    total = total ? checked_add(*total, split.parts[i].amount) : total;
  }
  if (total) {
    return std::nullopt;
  }
  return to_response({.problem = P::amount_too_large,
                      .detail = "the sum of the parts in minor units must be within 63 bits",
                      .transaction = split.id,
                      .errors = {{"/parts", P::amount_too_large}}});
}

}  // namespace

router::SplitRequest SplitForm::request() const {
  router::SplitRequest request{.currency = currency, .id = id, .account = account, .parts = {}};
  for (const Part& part : parts) {
    request.parts.push_back({.amount = part.amount, .credit = part.account});
  }
  return request;
}

std::variant<HttpResponse, SplitForm> read_split_form(const JsonValue& body) {
  Form form(body);
  SplitForm split;
  split.account = form.account("from_account");
  const std::optional<Currency> currency = form.currency("currency");
  split.id = form.uuid("transaction_id");
  for (Form& part : form.objects("parts", router::split_parts_max)) {
    std::string account = part.account("to_account");
    split.parts.push_back({std::move(account), part.amount("amount", currency)});
    part.refuse_others();
    form.take_mistakes(part);
  }
  form.refuse_others();
  if (std::optional<HttpResponse> refusal = form.refusal()) {
    return std::move(*refusal);
  }
  split.currency = *currency;
  if (std::optional<HttpResponse> refusal = check_parts(split)) {
    return std::move(*refusal);
  }
  return split;
}

}  // namespace coffer::net

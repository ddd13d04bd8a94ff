#include "net/http/form.h"

#include <algorithm>

#include "core/ledger/commands.h"
#include "net/driver/settings.h"

namespace coffer::net {

using P = Problem;

const JsonValue* Form::find(std::string_view key) {
  known_.push_back(key);
  const JsonValue* member = body_.find(key);
  if (member == nullptr) {
    mistake(pointer_to(at_, key), P::missing_field, "'" + std::string(key) + "' is missing");
  }
  return member;
}

std::string_view Form::text(std::string_view key, P wrong) {
  const JsonValue* member = find(key);
  if (member == nullptr) {
    return {};
  }
  if (member->type != JsonType::string) {
    mistake(pointer_to(at_, key), wrong,
            "'" + std::string(key) + "' must be a string, not " + std::string(name(member->type)));
    return {};
  }
  return member->text;
}

std::string Form::account(std::string_view key) {
  const std::size_t before = errors_.size();
  const std::string_view id = text(key, P::invalid_account_id);
  if (errors_.size() == before && (!ledger::is_account_name(id) || ledger::is_reserved(id))) {
    mistake(pointer_to(at_, key), P::invalid_account_id,
            "'" + std::string(key) + "' must match [A-Za-z0-9][A-Za-z0-9._:-]{0,63} and not begin with sys:");
  }
  return std::string(id);
}

std::optional<Currency> Form::currency(std::string_view key) {
  const std::size_t before = errors_.size();
  const std::string_view code = text(key, P::unsupported_currency);
  const std::optional<Currency> currency = parse_currency(code);
  if (errors_.size() == before && !currency) {
    mistake(pointer_to(at_, key), P::unsupported_currency,
            "'" + std::string(key) + "' must be the ISO 4217 code of money in use, such as \"USD\"");
  }
  return currency;
}

std::int64_t Form::amount(std::string_view key, std::optional<Currency> currency) {
  const std::size_t before = errors_.size();
  const std::string_view digits = text(key, P::invalid_amount);
  if (errors_.size() != before) {
    return 0;
  }
  // CLF has the most decimals.
  const ParsedAmount parsed = parse_amount(digits, currency.value_or(currency_of("CLF")));
  if (parsed.minor) {
    return *parsed.minor;
  }
  if (currency || parsed.error == AmountError::invalid) {
    amount_mistake(key, parsed.error, currency);
  }
  return 0;
}

Uuid Form::uuid(std::string_view key) {
  const std::size_t before = errors_.size();
  const Result<Uuid> parsed = parse_uuid(text(key, P::invalid_uuid));
  if (parsed.has_error()) {
    if (errors_.size() == before) {
      mistake(pointer_to(at_, key), P::invalid_uuid,
              "'" + std::string(key) + "' must be a UUID such as \"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21\"");
    }
    return {};
  }
  return *parsed;
}

std::int64_t Form::lifetime_s(std::string_view key, std::int64_t max_s) {
  const JsonValue* member = find(key);
  if (member == nullptr) {
    return 0;
  }
  const bool whole = member->type == JsonType::number && member->is_integer;
  if (!whole || member->integer < 1) {
    mistake(pointer_to(at_, key), P::invalid_parameter,
            "'" + std::string(key) + "' must be a number of whole seconds from 1 to " + std::to_string(max_s));
    return 0;
  }
  if (member->integer > max_s) {
    mistake(pointer_to(at_, key), P::expiry_too_far,
            "'" + std::string(key) + "' is at most " + std::to_string(max_s) + " seconds, which are " +
                std::to_string(max_s / 86400) + " days");
    return 0;
  }
  return member->integer;
}

std::vector<Form> Form::objects(std::string_view key, std::size_t most) {
  const JsonValue* member = find(key);
  if (member == nullptr) {
    return {};
  }
  const std::string at = pointer_to(at_, key);
  if (member->type != JsonType::array || member->items.empty() || member->items.size() > most) {
    mistake(at, P::invalid_parameter, "'" + std::string(key) + "' must be a list of 1 to " + std::to_string(most));
    return {};
  }
  std::vector<Form> forms;
  for (std::size_t i = 0; i < member->items.size(); ++i) {
    const JsonValue& item = member->items[i];
    std::string place = pointer_to(at, std::to_string(i));
    if (item.type != JsonType::object) {
      mistake(place, P::invalid_parameter,
              "'" + std::string(key) + "' must be a list of objects, not of " + std::string(name(item.type)));
      return {};
    }
    forms.emplace_back(item, std::move(place));
  }
  return forms;
}

void Form::take_mistakes(const Form& part) {
  if (errors_.empty()) {
    detail_ = part.detail_;
  }
  errors_.insert(errors_.end(), part.errors_.begin(), part.errors_.end());
}

void Form::refuse_others() {
  for (const auto& [key, value] : body_.members) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      mistake(pointer_to(at_, key), P::unknown_field, "'" + key + "' is not a field of this request");
    }
  }
}

void Form::mistake(std::string pointer, P problem, std::string detail) {
  if (errors_.empty()) {
    detail_ = std::move(detail);
  }
  errors_.push_back({std::move(pointer), problem});
}

std::optional<HttpResponse> Form::refusal() const {
  if (errors_.empty()) {
    return std::nullopt;
  }
  return to_response({.problem = errors_.front().problem, .detail = detail_, .errors = errors_});
}

void Form::amount_mistake(std::string_view key, AmountError error, std::optional<Currency> currency) {
  const std::string pointer = pointer_to(at_, key);
  switch (error) {
    case AmountError::invalid:
      mistake(pointer, P::invalid_amount, "'amount' must be a decimal string greater than zero, such as \"12.50\"");
      break;
    case AmountError::too_precise:
      mistake(pointer, P::amount_precision,
              to_string(*currency) + " has " + std::to_string(exponent(*currency)) + " decimals; nothing is rounded");
      break;
    case AmountError::too_large:
      mistake(pointer, P::amount_too_large, "the amount in minor units must be within 63 bits");
      break;
  }
}

}  // namespace coffer::net

// The members of a JSON object as a request has them, flat but for lists of such objects, read strictly: every mistake
// is remembered with its place, the first one gives the answer its code. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "net/http/messages.h"
#include "net/http/problems.h"
#include "net/http/strict_json.h"

namespace coffer::net {

/// Each reader takes one member, which must be there. What it returns means nothing after a mistake.
class Form {
 public:
  /// Requires: `body` is an object, and outlives the form. `at`: where it stands, as a JSON pointer.
  explicit Form(const JsonValue& body, std::string at = "") : body_(body), at_(std::move(at)) {}

  /// `wrong`: the mistake of a member that is no string.
  std::string_view text(std::string_view key, Problem wrong);
  /// An account open to clients.
  std::string account(std::string_view key);
  std::optional<Currency> currency(std::string_view key);
  /// Minor units, > 0. Without a currency only the grammar can be judged.
  std::int64_t amount(std::string_view key, std::optional<Currency> currency);
  Uuid uuid(std::string_view key);
  /// A JSON number: whole seconds from 1; more than `max_s` is expiry_too_far.
  std::int64_t lifetime_s(std::string_view key, std::int64_t max_s);
  /// A list of 1 to `most` objects, each to be read by a form of its own; empty after a mistake.
  std::vector<Form> objects(std::string_view key, std::size_t most);
  /// The mistakes of a part are the whole's.
  void take_mistakes(const Form& part);
  /// Members that nobody has read are mistakes.
  void refuse_others();
  void mistake(std::string pointer, Problem problem, std::string detail);
  /// Nothing when there was no mistake.
  std::optional<HttpResponse> refusal() const;

 private:
  const JsonValue* find(std::string_view key);
  void amount_mistake(std::string_view key, AmountError error, std::optional<Currency> currency);

  const JsonValue& body_;
  std::string at_;
  std::vector<std::string_view> known_;
  std::vector<FieldError> errors_;
  std::string detail_;
};

}  // namespace coffer::net

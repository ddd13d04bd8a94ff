#include "sim/run/scenario_json.h"

#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/run/scenario_fields.h"
#include "sim/run/scenario_sense.h"
#include "sim/run/units.h"
#include "sim/run/words.h"

namespace coffer::sim {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

template <class T>
struct Of {};

std::optional<TraceKind> word_of(Of<TraceKind>, std::string_view word) { return words::trace_kind(word); }
std::optional<faults::How> word_of(Of<faults::How>, std::string_view word) { return words::how(word); }
std::optional<faults::Files> word_of(Of<faults::Files>, std::string_view word) { return words::files(word); }
std::optional<CallKind> word_of(Of<CallKind>, std::string_view word) { return words::call_kind(word); }
std::optional<ledger::Protocol> word_of(Of<ledger::Protocol>, std::string_view word) { return words::protocol(word); }
std::optional<std::string> word_of(Of<std::string>, std::string_view word) {
  for (const std::string& name : words::fault_names()) {
    if (name == word) return name;
  }
  return std::nullopt;
}
std::vector<std::string> words_of(Of<TraceKind>) { return words::trace_kinds(); }
std::vector<std::string> words_of(Of<faults::How>) { return words::hows(); }
std::vector<std::string> words_of(Of<faults::Files>) { return words::file_kinds(); }
std::vector<std::string> words_of(Of<CallKind>) { return words::call_kinds(); }
std::vector<std::string> words_of(Of<ledger::Protocol>) { return words::protocols(); }
std::vector<std::string> words_of(Of<std::string>) { return words::fault_names(); }
std::string spelled(const std::string& word) { return word; }
template <class T>
std::string spelled(T word) {
  return words::spell(word);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  if (!near.empty()) return "; did you mean \"" + near + "\"?";
  if (known.size() > 16) return "";
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  return "; known: " + all;
}

/// Reads one object; the first problem stands, later ones are not told.
class Reader {
 public:
  Reader(const json& object, std::string pointer, std::string& problem)
      : object_(object), pointer_(std::move(pointer)), problem_(problem) {
    if (!object.is_object()) fail("", "is not an object");
  }

  std::string schema;

  void duration(const char* key, Duration& value, Duration min, Duration max) {
    const json* found = text_at(key, "a duration such as \"150ms\"");
    if (found == nullptr) return;
    const auto parsed = parse_duration(found->get_ref<const std::string&>());
    if (!parsed) return fail(key, "is not a duration: whole number and unit (ns us ms s min h), such as \"150ms\"");
    if (*parsed < min || *parsed > max) {
      return fail(key, "is not between " + format_duration(min) + " and " + format_duration(max));
    }
    value = *parsed;
  }
  template <class T>
  void size(const char* key, T& value, std::uint64_t min, std::uint64_t max) {
    const json* found = text_at(key, "a size such as \"4MiB\"");
    if (found == nullptr) return;
    const auto parsed = parse_size(found->get_ref<const std::string&>());
    if (!parsed) return fail(key, "is not a size: whole number and unit (B KiB MiB GiB), such as \"4MiB\"");
    if (*parsed < min || *parsed > max) {
      return fail(key, "is not between " + format_size(min) + " and " + format_size(max));
    }
    value = static_cast<T>(*parsed);
  }
  template <class T>
  void number(const char* key, T& value, std::int64_t min, std::int64_t max) {
    const json* found = at(key);
    if (found == nullptr) return;
    const bool small = found->is_number_integer() &&
                       (!found->is_number_unsigned() || found->get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
    if (!small) return fail(key, "is not a whole number");
    const auto read = found->get<std::int64_t>();
    if (read < min || read > max) {
      return fail(key, "is not between " + std::to_string(min) + " and " + std::to_string(max));
    }
    value = static_cast<T>(read);
  }
  void count(const char* key, std::uint32_t& value, std::uint32_t min, std::uint32_t max) {
    number(key, value, min, max);
  }
  void weight(const char* key, std::uint32_t& value, std::uint32_t min, std::uint32_t max) {
    number(key, value, min, max);
  }
  void span(const char* key, Duration& value, Duration max) { duration(key, value, Duration{}, max); }
  void option(const char* key, bool& value) { flag(key, value); }
  void flag(const char* key, bool& value) {
    const json* found = at(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) return fail(key, "is neither true nor false");
    value = found->get<bool>();
  }
  void text(const char* key, std::string& value) {
    if (const json* found = text_at(key, "a string")) value = found->get<std::string>();
  }
  template <class T>
  void word(const char* key, T& value) {
    const json* found = text_at(key, "a word");
    if (found == nullptr) return;
    const auto& spelling = found->get_ref<const std::string&>();
    const auto known = word_of(Of<T>{}, spelling);
    if (!known) return fail(key, "\"" + spelling + "\" is not known" + did_you_mean(spelling, words_of(Of<T>{})));
    value = *known;
  }
  void word_of_verdict(const char* key, std::string& value) {
    const json* found = text_at(key, "a verdict or an oracle");
    if (found == nullptr) return;
    const std::vector<std::string> known = words::expectations();
    const auto spelling = found->get<std::string>();
    if (std::find(known.begin(), known.end(), spelling) == known.end()) {
      return fail(key, "\"" + spelling + "\" is neither a verdict nor an oracle" + did_you_mean(spelling, known));
    }
    value = spelling;
  }
  void target(const char* key, faults::Target& value) {
    const json* found = at(key);
    if (found == nullptr) return;
    if (found->is_number_unsigned()) {
      value = {faults::Who::node, NodeId(found->get<std::uint32_t>()), {}};
      return;
    }
    const auto known = found->is_string() ? words::target(found->get_ref<const std::string&>()) : std::nullopt;
    if (!known) {
      return fail(key,
                  "is not a node: its number, \"any\", \"all\", \"self\", \"leader(shard N)\", \"follower(shard N)\"");
    }
    value = *known;
  }
  void when(faults::FaultSpec& spec) {
    const int given = int{object_.contains("at")} + int{object_.contains("every")} + int{object_.contains("when")};
    if (given != 1) fail("", "needs exactly one of \"at\", \"every\" and \"when\"");
    spec.when = object_.contains("at")      ? faults::When::at
                : object_.contains("every") ? faults::When::every
                                            : faults::When::trigger;
    duration("at", spec.at, Duration{}, seconds(3600));
    duration("every", spec.every, milliseconds(1), seconds(3600));
    object("when", [&](Reader& inner) { fields::visit(inner, spec.trigger); });
  }
  void lasts(const char* key, faults::FaultSpec& spec) {
    const json* found = text_at(key, "a duration such as \"300ms\", a range \"300ms..1s\", or \"forever\"");
    if (found == nullptr) return;
    const std::string_view word = found->get_ref<const std::string&>();
    spec.forever = word == "forever";
    if (spec.forever) return;
    const std::size_t dots = word.find("..");
    const auto low = parse_duration(word.substr(0, dots));
    const auto high = dots == std::string_view::npos ? low : parse_duration(word.substr(dots + 2));
    if (!low || !high || *low > *high) {
      return fail(key, "is neither a duration such as \"300ms\", nor a range \"300ms..1s\", nor \"forever\"");
    }
    spec.lasts_min = *low;
    spec.lasts_max = *high;
  }
  template <class F>
  void object(const char* key, F visit_it) {
    const json* found = at(key);
    if (found == nullptr) return;
    Reader inner(*found, pointer_ + "/" + key, problem_);
    visit_it(inner);
    inner.finish();
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, bool) {
    const json* found = at(key);
    if (found == nullptr) return;
    if (!found->is_array()) return fail(key, "is not a list");
    for (std::size_t i = 0; i < found->size() && problem_.empty(); ++i) {
      Reader inner((*found)[i], pointer_ + "/" + key + "/" + std::to_string(i), problem_);
      T value{};
      fields::visit(inner, value);
      inner.finish();
      values.push_back(std::move(value));
    }
  }
  bool wants_protocol(const Scenario&) const { return true; }
  bool wants_workload(const Scenario&) const { return true; }
  bool wants_script(const Scenario&) const { return true; }
  bool wants_signature(const Scenario&) const { return true; }

  /// Refuses keys nobody asked for.
  void finish() {
    if (!problem_.empty() || !object_.is_object()) return;
    for (const auto& [key, value] : object_.items()) {
      if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
        return fail(key.c_str(), "is not a key of this object" + did_you_mean(key, keys_));
      }
    }
  }

 private:
  const json* at(const char* key) {
    keys_.emplace_back(key);
    if (!problem_.empty()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  const json* text_at(const char* key, const char* what) {
    const json* found = at(key);
    if (found == nullptr || found->is_string()) return found;
    fail(key, std::string("is not ") + what);
    return nullptr;
  }
  void fail(const char* key, const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = pointer_ + (*key != 0 ? "/" : "") + key + ": " + what;
    if (problem_.starts_with(":")) problem_ = "/" + problem_;
  }

  const json& object_;
  std::string pointer_;
  std::string& problem_;
  std::vector<std::string> keys_;
};

/// Writes one object. Sparse ones leave out what is zero or empty.
class Writer {
 public:
  explicit Writer(ordered_json& object, bool sparse) : object_(object), sparse_(sparse) {
    object = ordered_json::object();
  }

  std::string schema;

  void duration(const char* key, Duration value, Duration, Duration) {
    if (!sparse_ || value != Duration{}) object_[key] = format_duration(value);
  }
  void size(const char* key, std::uint64_t value, std::uint64_t, std::uint64_t) { object_[key] = format_size(value); }
  template <class T>
  void number(const char* key, T value, std::int64_t, std::int64_t) {
    if (!sparse_ || value != 0) object_[key] = value;
  }
  void count(const char* key, std::uint32_t value, std::uint32_t, std::uint32_t) { object_[key] = value; }
  void weight(const char* key, std::uint32_t value, std::uint32_t, std::uint32_t) {
    if (value != 0) object_[key] = value;
  }
  void span(const char* key, Duration value, Duration) {
    if (value != Duration{}) object_[key] = format_duration(value);
  }
  void option(const char* key, bool value) {
    if (value) object_[key] = value;
  }
  void flag(const char* key, bool value) {
    if (!sparse_ || value) object_[key] = value;
  }
  void text(const char* key, const std::string& value) {
    if (!value.empty()) object_[key] = value;
  }
  template <class T>
  void word(const char* key, const T& value) {
    object_[key] = spelled(value);
  }
  void word_of_verdict(const char* key, const std::string& value) { object_[key] = value; }
  void target(const char* key, const faults::Target& value) {
    if (value.who == faults::Who::node) {
      object_[key] = value.node.value;
    } else {
      object_[key] = words::spell(value);
    }
  }
  void when(faults::FaultSpec& spec) {
    switch (spec.when) {
      case faults::When::at:
        object_["at"] = format_duration(spec.at);
        break;
      case faults::When::every:
        object_["every"] = format_duration(spec.every);
        break;
      case faults::When::trigger: {
        Writer inner(object_["when"], true);
        fields::visit(inner, spec.trigger);
        break;
      }
    }
  }
  void lasts(const char* key, const faults::FaultSpec& spec) {
    const std::string low = format_duration(spec.lasts_min);
    const bool range = spec.lasts_min != spec.lasts_max;
    object_[key] = spec.forever ? "forever" : range ? low + ".." + format_duration(spec.lasts_max) : low;
  }
  template <class F>
  void object(const char* key, F visit_it) {
    Writer inner(object_[key], sparse_);
    visit_it(inner);
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, bool sparse) {
    ordered_json& array = object_[key] = ordered_json::array();
    for (T& value : values) {
      ordered_json element;
      Writer inner(element, sparse);
      fields::visit(inner, value);
      array.push_back(std::move(element));
    }
  }
  /// The default goes without saying: a scenario's hash is as it was before there were others.
  bool wants_protocol(const Scenario& scenario) const { return scenario.tuning.protocol != ledger::Protocol::saga; }
  bool wants_workload(const Scenario& scenario) const { return scenario.script.empty(); }
  bool wants_script(const Scenario& scenario) const { return !scenario.script.empty(); }
  bool wants_signature(const Scenario& scenario) const { return !scenario.signature.verdict.empty(); }

 private:
  ordered_json& object_;
  bool sparse_;
};

}  // namespace

Result<Scenario> read_scenario(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  const json::parser_callback_t watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  json document;
  try {
    document = json::parse(text, watch);
  } catch (const json::parse_error& problem) {
    return error(ErrorCode::malformed, "/: not JSON at byte " + std::to_string(problem.byte));
  }
  if (!repeated.empty())
    return error(ErrorCode::malformed, "/: the key \"" + repeated + "\" stands twice in an object");

  Scenario scenario;
  std::string problem;
  Reader reader(document, "", problem);
  if (problem.empty()) fields::visit(reader, scenario);
  reader.finish();
  // Every fault draws from a stream of its own.
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    if (scenario.faults[i].stream == 0) scenario.faults[i].stream = i + 1;
  }
  if (problem.empty()) problem = nonsense(scenario);
  if (!problem.empty()) return error(ErrorCode::malformed, problem);
  return scenario;
}

std::string write_scenario(const Scenario& scenario) {
  Scenario copy = scenario;
  ordered_json document;
  Writer writer(document, false);
  fields::visit(writer, copy);
  return document.dump(2) + "\n";
}

}  // namespace coffer::sim

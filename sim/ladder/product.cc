#include "sim/ladder/product.h"

#include <array>
#include <charconv>
#include <map>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace coffer::sim::ladder {

namespace {

/// Answers that leave open what became of the transfer, or say that it was not tried.
constexpr std::array<std::string_view, 9> not_definite = {"pending",     "in-flight",  "change-under-way",
                                                          "not-leader",  "overloaded", "no-leader",
                                                          "wrong-shard", "draining",   "outcome-unknown"};

/// The number behind `key` in a line of the trace; 0 if there is none.
std::int64_t number_in(std::string_view line, std::string_view key) {
  const std::size_t found = line.find(key);
  std::int64_t number = 0;
  if (found != std::string_view::npos) {
    std::from_chars(line.data() + found + key.size(), line.data() + line.size(), number);
  }
  return number;
}

std::uint64_t count(std::string_view text, std::string_view word) {
  std::uint64_t times = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++times;
  return times;
}

/// Reads the trace line by line, and keeps nothing of it but sums.
class Meter : public std::streambuf {
 public:
  explicit Meter(Costs& costs) : costs_(costs) {}

 protected:
  int_type overflow(int_type next) override {
    if (next == traits_type::eof()) return traits_type::not_eof(next);
    add(traits_type::to_char_type(next));
    return next;
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    for (std::streamsize i = 0; i < size; ++i) add(text[i]);
    return size;
  }

 private:
  struct Call {
    std::int64_t at = 0;
    std::uint64_t items = 0;
  };

  void add(char next) {
    if (next != '\n') {
      line_ += next;
      return;
    }
    if (line_.find(R"("phase":)") != std::string::npos) running_ = line_.find(R"("running")") != std::string::npos;
    if (line_.find(R"("call":"transfers")") != std::string::npos) called();
    if (line_.find(R"("told":)") != std::string::npos) told();
    line_.clear();
  }

  void called() {
    if (!running_) return;
    const Call call{number_in(line_, R"("t":)"), count(line_, R"("from":)")};
    costs_.requests += call.items;
    calls_[number_in(line_, R"("op":)")] = call;
  }

  void told() {
    const auto call = calls_.find(number_in(line_, R"("op":)"));
    if (call == calls_.end()) return;
    const Duration latency{number_in(line_, R"("t":)") - call->second.at};
    const std::size_t begins = line_.find(R"("outcomes":)");
    const std::string_view outcomes = begins == std::string::npos ? "" : std::string_view(line_).substr(begins + 11);
    std::uint64_t open = 0;
    for (const std::string_view word : not_definite) open += count(outcomes, word);
    const std::uint64_t definite = count(outcomes, "\"") / 2 - open;
    costs_.answered += definite;
    if (latency <= answer_in_time) costs_.answered_in_time += definite;
    costs_.latencies_us.insert(costs_.latencies_us.end(), definite, latency.nanos / 1000);
    calls_.erase(call);
  }

  Costs& costs_;
  std::string line_;
  bool running_ = false;
  std::map<std::int64_t, Call> calls_;  // by op
};

}  // namespace

RunResult run_product(const Scenario& scenario, std::uint64_t seed, Costs& costs) {
  Meter meter(costs);
  std::ostream trace(&meter);
  RunOptions options;
  options.trace_jsonl = &trace;
  return sim::run(scenario, seed, options);
}

}  // namespace coffer::sim::ladder

#include "cli/verbs.h"

#include <cstdio>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

namespace coffer::cli {

void take_one_of(CLI::Option& option, std::vector<Word> words) {
  std::string choice;
  for (const Word& word : words) {
    choice.append(choice.empty() ? "" : "|").append(word.first);
  }
  const auto number_of = [words = std::move(words), choice](std::string& text) -> std::string {
    for (const auto& [word, number] : words) {
      if (text == word) {
        text = std::to_string(number);
        return "";
      }
    }
    return "must be " + choice + ", not " + text;
  };
  option.transform(CLI::Validator(number_of, choice))->option_text(choice);
}

void add_output_option(CLI::App& verb, OutputFormat& format) {
  CLI::Option* option = verb.add_option("--output", format, "text for people (default), json for programs");
  take_one_of(*option,
              {{"text", static_cast<int>(OutputFormat::text)}, {"json", static_cast<int>(OutputFormat::json)}});
}

void complain(std::string_view what) {
  std::fprintf(stderr, "coffer: %.*s\n", static_cast<int>(what.size()), what.data());
}

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace coffer::cli

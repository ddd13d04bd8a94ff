#include "cli/verbs.h"

#include <cstdio>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace coffer::cli {

void add_output_option(CLI::App& verb, OutputFormat& format) {
  const std::map<std::string, OutputFormat> formats{{"text", OutputFormat::text}, {"json", OutputFormat::json}};
  verb.add_option("--output", format, "text for people (default), json for programs")
      ->transform(CLI::CheckedTransformer(formats).description("text|json"))
      ->option_text("text|json");
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

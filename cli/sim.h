// `coffer sim …`: the same wallet in a world made from a seed.
#pragma once

namespace CLI {
class App;
}

namespace coffer::cli {

/// Adds the verb `sim` and what is below it; the verb's run leaves its exit code.
void add_sim_verbs(CLI::App& app, int& exit_code);

}  // namespace coffer::cli

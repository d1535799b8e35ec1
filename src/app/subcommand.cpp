#include "subcommand.h"

#include <fmt/format.h>

#include "run.h"

namespace shrike::app {

std::optional<int> read_words(CLI::App& app, const std::vector<std::string>& words) {
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // the last word first
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}\n", app.help());
    return exit_done;
  } catch (const CLI::ParseError& fault) {
    fmt::print(stderr, "command line: error[usage]: {}; see {} --help\n", fault.what(),
               app.get_name());
    return exit_usage;
  }
  return std::nullopt;
}

}  // namespace shrike::app

#include "keywords_data.h"

#include <algorithm>
#include <array>

#include "values.h"

namespace shrike::rule {

namespace {

using Command = DatasetArguments::Command;

/// "type md5" to name and value.
struct Setting {
  std::string_view name;
  Word value;
};

Setting split_setting(const Word& word) {
  const size_t blank = std::min(word.text.find_first_of(" \t"), word.text.size());
  return {word.text.substr(0, blank), word.from(blank).trimmed()};
}

/// What stands behind the command and the name. @return false where a fault was reported.
bool read_setting(const Setting& setting, DatasetRequest& request, const Keyword& keyword,
                  Builder& builder) {
  const std::string_view name = setting.name;
  if (name == "remove_key" && setting.value.empty()) return true;
  if (setting.value.empty()) {
    report_value(keyword, request.at, builder.report());
    return false;
  }
  if (name == "type") {
    request.type = find_dataset_type(setting.value.text);
    if (!request.type) {
      builder.report().error(setting.value, "dataset",
                             "'{}' is no type; write string, md5, sha256, ipv4 or ip",
                             setting.value.text);
    }
    return request.type.has_value();
  }
  if (name == "load") {
    request.load = setting.value;
  } else if (name == "state") {
    request.state = setting.value;
  } else if (name == "format") {
    request.is_json = setting.value.text == "json" || setting.value.text == "ndjson";
    if (!request.is_json && setting.value.text != "csv") {
      report_value(keyword, request.at, builder.report());
      return false;
    }
  } else if (name == "value_key") {
    request.value_key = std::string(setting.value.text);
  } else if (name == "array_key") {
    request.array_key = std::string(setting.value.text);
  } else {
    // What a set may grow to is bounded by detect, and nothing is written to files.
    static constexpr std::array<std::string_view, 6> known{
        "save", "memcap", "hashsize", "context_key", "enrichment_key", "remove_key"};
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      report_value(keyword, request.at, builder.report());
      return false;
    }
  }
  return true;
}

bool needs_buffer(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (builder.has_open_buffer()) return false;
  builder.report().error(argument.name, "no-buffer",
                         "'{}' needs a buffer before it; write 'dns.query; {}:…'", keyword.name,
                         keyword.name);
  return true;
}

/// Reads the settings and adds the check. @param rest what stands behind command and name.
// NOLINTNEXTLINE(readability-function-size): what a lookup is made of
void add_lookup(Builder& builder, const Keyword& keyword, const Argument& argument, Word rest,
                DatasetRequest request, DatasetCheck check) {
  while (!rest.empty()) {
    if (!read_setting(split_setting(rest.take_until(',')), request, keyword, builder)) return;
  }
  const auto index = builder.context().datasets.ask(request, builder.report());
  if (!index) return;
  check.dataset = *index;
  builder.add_check(check, argument.name);
}

}  // namespace

void parse_dataset(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr std::array<std::string_view, 4> commands{"isset", "isnotset", "set", "unset"};
  if (needs_buffer(builder, keyword, argument)) return;
  Word rest = argument.value;
  const Word command = rest.take_until(',');
  const Word name = rest.take_until(',');
  const auto* const found = std::find(commands.begin(), commands.end(), command.text);
  if (found == commands.end() || name.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  DatasetCheck check;
  check.command = static_cast<Command>(found - commands.begin());
  DatasetRequest request;
  request.name = std::string(name.text);
  request.changes = check.command == Command::set || check.command == Command::unset;
  request.at = argument.value;
  add_lookup(builder, keyword, argument, rest, std::move(request), check);
}

void parse_datarep(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (needs_buffer(builder, keyword, argument)) return;
  Word rest = argument.value;
  const Word name = rest.take_until(',');
  const Word op = rest.take_until(',');
  const Word value = rest.take_until(',');
  DatasetCheck check;
  const auto score = to_number<uint16_t>(value.text);
  const bool is_equal = op.text == "=" || op.text == "==";
  if (name.empty() || !score || (!is_equal && op.text != "<" && op.text != ">")) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  check.command = is_equal         ? Command::reputation_equal
                  : op.text == "<" ? Command::reputation_below
                                   : Command::reputation_above;
  check.reputation = *score;
  DatasetRequest request;
  request.name = std::string(name.text);
  request.has_reputation = true;
  request.at = argument.value;
  add_lookup(builder, keyword, argument, rest, std::move(request), check);
}

void parse_iprep(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr std::array<std::string_view, 4> sides{"any", "src", "dst", "both"};
  static constexpr uint64_t score_max = 127;  // Suricata: SREP_MAX_VAL
  Word rest = argument.value;
  const Word side = rest.take_until(',');
  const Word category = rest.take_until(',');
  const Word op = rest.take_until(',');
  const Word score = rest.trimmed();
  const auto* const found = std::find(sides.begin(), sides.end(), side.text);
  const bool is_question = op.text == "isset" || op.text == "isnotset";
  if (found == sides.end() || category.empty() || op.empty() || score.empty() != is_question) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  ReputationCheck check;
  check.side = static_cast<ReputationSide>(found - sides.begin());
  if (op.text == "isnotset") {
    builder.leave_to_later(keyword);
    return;
  }
  const auto& categories = builder.context().reputation.categories;
  const auto known = std::find(categories.begin(), categories.end(), category.text);
  if (known == categories.end()) {
    builder.report().error(category, "reputation",
                           "'{}' is no category; add it to the file of reputation categories",
                           category.text);
    return;
  }
  check.category = static_cast<uint32_t>(known - categories.begin());
  if (is_question) {
    check.comparison = {Comparison::Operator::greater_or_equal, 0, 0};
  } else {
    const std::string joined = std::string(op.text) + std::string(score.text);
    const auto comparison = parse_comparison({joined, op.position}, score_max, builder.report());
    if (!comparison) return;
    check.comparison = *comparison;
  }
  builder.add(check);
}

}  // namespace shrike::rule

#include "keywords_files.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "values.h"

namespace shrike::rule {

namespace {

constexpr size_t digest_bytes(Field field) noexcept {
  switch (field) {
    case Field::file_md5:
      return 16;
    case Field::file_sha1:
      return 20;
    default:
      return 32;
  }
}

}  // namespace

void parse_file_digest(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (argument.value.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  const auto index = builder.context().datasets.ask_digests(
      argument.value, digest_bytes(keyword.field), builder.report());
  if (!index) return;
  using Command = DatasetArguments::Command;
  DatasetCheck check;
  check.dataset = *index;
  check.command = argument.is_negated ? Command::is_not_set : Command::is_set;
  builder.add_check_to(keyword.field, check, argument.name);
}

namespace {

/// Reads `response,flow`; nothing where a word is unknown.
std::optional<FileStoreWish> read_wish(std::string_view text) {
  using Scope = FileStoreWish::Scope;
  using Side = FileStoreWish::Side;
  constexpr std::pair<std::string_view, Side> sides[] = {
      {"request", Side::to_server},   {"to_server", Side::to_server}, {"response", Side::to_client},
      {"to_client", Side::to_client}, {"both", Side::both},
  };
  constexpr std::pair<std::string_view, Scope> scopes[] = {
      {"file", Scope::transaction},
      {"tx", Scope::transaction},
      {"ssn", Scope::flow},
      {"flow", Scope::flow},
  };
  FileStoreWish wish{.scope = Scope::transaction};
  const size_t comma = text.find(',');
  const auto trimmed = [](std::string_view word) {
    const size_t first = std::min(word.find_first_not_of(" \t"), word.size());
    word.remove_prefix(first);
    return word.substr(0, word.find_last_not_of(" \t") + 1);
  };
  const std::string_view side = trimmed(text.substr(0, comma));
  const auto* const known_side = std::find_if(std::begin(sides), std::end(sides),
                                              [&](const auto& row) { return row.first == side; });
  if (known_side == std::end(sides)) return std::nullopt;
  wish.side = known_side->second;
  if (comma == std::string_view::npos) return wish;
  const std::string_view scope = trimmed(text.substr(comma + 1));
  const auto* const known_scope = std::find_if(std::begin(scopes), std::end(scopes),
                                               [&](const auto& row) { return row.first == scope; });
  if (known_scope == std::end(scopes)) return std::nullopt;
  wish.scope = known_scope->second;
  return wish;
}

}  // namespace

void parse_filestore(Builder& builder, const Keyword& keyword, const Argument& argument) {
  FileStoreWish wish{.scope = FileStoreWish::Scope::transaction};
  if (!argument.value.empty()) {
    const auto read = read_wish(argument.value.text);
    if (!read) {
      report_value(keyword, argument.value, builder.report());
      return;
    }
    wish = *read;
  }
  builder.rule().info.file_store = wish;
  FieldNumbers numbers;
  numbers.any_of.push_back({Comparison::Operator::greater_or_equal, 1, 0});
  add_field_numbers(builder, keyword, argument, std::move(numbers));
}

}  // namespace shrike::rule

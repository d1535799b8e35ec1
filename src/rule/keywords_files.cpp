#include "keywords_files.h"

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

void parse_filestore(Builder& builder, const Keyword& keyword, const Argument& argument) {
  FieldNumbers numbers;
  numbers.any_of.push_back({Comparison::Operator::greater_or_equal, 1, 0});
  add_field_numbers(builder, keyword, argument, std::move(numbers));
}

}  // namespace shrike::rule

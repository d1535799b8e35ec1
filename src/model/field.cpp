#include "shrike/model/field.h"

namespace shrike {

namespace {

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < field_rows.size(); ++i) {
    if (field_rows[i].field != static_cast<Field>(i)) return false;
  }
  return true;
}
static_assert(rows_are_in_order(), "field_rows must list the fields in the order of the enum");

}  // namespace

std::optional<Field> find_field(std::string_view keyword) noexcept {
  for (const FieldRow& row : field_rows) {
    if (row.keyword == keyword) return row.field;
  }
  return std::nullopt;
}

}  // namespace shrike

#include "device_values.h"

#include <algorithm>
#include <optional>

#include "shrike/model/device_numbers.h"
#include "values.h"

namespace shrike::rule {

namespace {

using modbus_number::Kind;

/// Takes a word off the front, and the spaces behind it.
bool take_name(Word& word, std::string_view name) noexcept {
  if (word.text.substr(0, name.size()) != name) return false;
  word = word.from(name.size()).trimmed();
  return true;
}

/// A range as Suricata keeps it: both ends the same is that number; from 0 it has no lower end, up
/// to 65535 no upper one; else both ends are outside.
struct Range {
  uint16_t first = 0;
  uint16_t second = 0;

  [[nodiscard]] bool is_one() const noexcept { return first == second; }
  [[nodiscard]] bool is_open_below() const noexcept { return !is_one() && first == 0; }
  [[nodiscard]] bool is_open_above() const noexcept {
    return !is_one() && !is_open_below() && second == UINT16_MAX;
  }
};

/// "5", "<5", ">5", "5<>8".
std::optional<Range> read_range(Word word) {
  const auto number = [](std::string_view text) -> std::optional<uint16_t> {
    const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    return is_plain ? to_number<uint16_t>(text) : std::nullopt;
  };
  std::string_view text = word.text;
  if (const size_t at = text.find("<>"); at != std::string_view::npos) {
    const auto first = number(text.substr(0, at));
    const auto second = number(text.substr(at + 2));
    return first && second ? std::optional(Range{*first, *second}) : std::nullopt;
  }
  const char sign = text.empty() ? ' ' : text[0];
  if (sign == '<' || sign == '>') text.remove_prefix(1);
  const auto one = number(text);
  if (!one) return std::nullopt;
  if (sign == '<') return Range{0, *one};
  return sign == '>' ? Range{*one, UINT16_MAX} : Range{*one, *one};
}

/// The conditions of one keyword, in the order they are to be added.
class ModbusReader {
 public:
  /// @return whether all of it was understood.
  bool read(Word word) {
    if (take_name(word, "unit")) {
      const auto unit = read_range(word.take_until(','));
      if (!unit) return false;
      add_range(Kind::unit, Kind::unit, 0, *unit);
      if (word.empty()) return true;
      word = word.trimmed();
    }
    if (take_name(word, "function")) return read_function(word);
    return take_name(word, "access") && read_access(word);
  }
  [[nodiscard]] std::vector<FieldNumbers>& conditions() noexcept { return conditions_; }

 private:
  using Operator = Comparison::Operator;

  void add(Operator op, uint64_t first, uint64_t second = 0) {
    conditions_.push_back({.any_of = {{op, first, second}}});
  }
  void add_equal(Kind kind, uint64_t number) {
    add(Operator::equal, modbus_number::make(kind, number));
  }
  /// Numbers of a kind, above a base, between two ends that are in it; nothing where they cross.
  void add_between(Kind kind, int64_t first, int64_t last) {
    const auto at = [&](int64_t number) {
      return modbus_number::make(kind, 0) + static_cast<uint64_t>(number);
    };
    if (first > last) {
      add_equal(kind, (uint64_t{1} << 56) - 1);  // no message has it
    } else {
      add(Operator::between, at(first - 1), at(last + 1));
    }
  }
  /// What reaches from a number of kind `low` to one of kind `high` must touch the range.
  void add_range(Kind low, Kind high, int64_t base, Range range) {
    const int64_t first = base + range.first;
    const int64_t second = base + range.second;
    const int64_t end = base + UINT16_MAX;
    if (low == high) {
      const bool is_one = range.is_one();
      add_between(low,
                  is_one                  ? first
                  : range.is_open_below() ? base
                                          : first + 1,
                  is_one                  ? first
                  : range.is_open_above() ? end
                                          : second - 1);
      return;
    }
    if (!range.is_open_above()) {
      add_between(low, base, range.is_one() ? first : second - 1);
    }
    if (!range.is_open_below()) {
      add_between(high, range.is_one() ? first : first + 1, end);
    }
  }

  bool read_function(Word word) {
    Word name = word.take_until(',');
    word = word.trimmed();
    if (const auto number = to_number<uint8_t>(name.text)) {
      if (*number == 0) return false;
      add_equal(Kind::function, modbus_number::function_of(*number));
      if (word.empty()) return true;
      const auto sub =
          take_name(word, "subfunction") ? to_number<uint16_t>(word.text) : std::nullopt;
      if (sub) add_equal(Kind::subfunction, *sub);
      return sub.has_value();
    }
    return word.empty() && read_category(name);
  }

  bool read_category(Word name) {
    namespace category = modbus_number::category;
    constexpr uint8_t every = category::public_assigned | category::public_unassigned |
                              category::user_defined | category::reserved;
    static constexpr NumberName names[] = {
        {"assigned", category::public_assigned},
        {"unassigned", category::public_unassigned},
        {"public", category::public_assigned | category::public_unassigned},
        {"user", category::user_defined},
        {"reserved", category::reserved},
        {"all", every}};
    const bool is_negated = take_name(name, "!");
    const auto* const found = std::find_if(std::begin(names), std::end(names),
                                           [&](auto& each) { return each.name == name.text; });
    if (found == std::end(names)) return false;
    const uint64_t bits = is_negated ? every & ~found->number : found->number;
    FieldNumbers numbers;
    for (uint64_t bit = 1; bit <= category::reserved; bit <<= 1) {
      if ((bits & bit) != 0) {
        numbers.any_of.push_back({Operator::equal, modbus_number::make(Kind::category, bit), 0});
      }
    }
    if (numbers.any_of.empty()) {
      add_between(Kind::category, 1, 0);
    } else {
      conditions_.push_back(std::move(numbers));
    }
    return true;
  }

  bool read_access(Word word) {
    namespace access = modbus_number::access;
    static constexpr NumberName objects[] = {{"discretes", access::discretes},
                                             {"coils", access::coils},
                                             {"input", access::input},
                                             {"holding", access::holding}};
    Word what = word.take_until(',');
    const bool is_read = take_name(what, "read");
    if (!is_read && !take_name(what, "write")) return false;
    add_equal(Kind::access, is_read ? access::read : access::write);
    if (!what.empty()) {
      const auto* const found = std::find_if(std::begin(objects), std::end(objects),
                                             [&](auto& each) { return each.name == what.text; });
      const bool is_read_only = what.text == "discretes" || what.text == "input";
      if (found == std::end(objects) || (is_read_only && !is_read)) return false;
      add_equal(Kind::access, found->number);
    }
    word = word.trimmed();
    return word.empty() || read_address(word, is_read && what.empty());
  }

  /// @param is_plain_read Suricata refuses a value for "access read" alone.
  bool read_address(Word word, bool is_plain_read) {
    const auto address =
        take_name(word, "address") ? read_range(word.take_until(',')) : std::nullopt;
    if (!address) return false;
    add_range(Kind::first_address, Kind::last_address, 0, *address);
    word = word.trimmed();
    if (word.empty()) return true;
    const auto value = take_name(word, "value") ? read_range(word) : std::nullopt;
    if (!value || !address->is_one() || is_plain_read) return false;
    add_range(Kind::value, Kind::value, int64_t{address->first} << 16, *value);
    return true;
  }

  std::vector<FieldNumbers> conditions_;
};

}  // namespace

void parse_modbus(Builder& builder, const Keyword& keyword, const Argument& argument) {
  ModbusReader reader;
  if (!reader.read(argument.value.trimmed())) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  for (FieldNumbers& each : reader.conditions()) {
    add_field_numbers(builder, keyword, argument, std::move(each));
  }
}

void parse_cip_service(Builder& builder, const Keyword& keyword, const Argument& argument) {
  constexpr uint8_t service_max = 0x7f;
  Word rest = argument.value;
  const bool has_class = rest.text.find(',') != std::string_view::npos;
  const auto service = parse_number(rest.take_until(','), 0, service_max, builder.report());
  if (!service) return;
  const auto number = static_cast<uint8_t>(*service);
  uint64_t wanted = cip_number::service(number);
  if (has_class) {
    const bool has_attribute = rest.text.find(',') != std::string_view::npos;
    const auto a_class = parse_number(rest.take_until(','), 0, UINT32_MAX, builder.report());
    if (!a_class) return;
    const auto class_number = static_cast<uint32_t>(*a_class);
    wanted = cip_number::service_class(number, class_number);
    Word last = rest.trimmed();
    const bool is_negated = take_name(last, "!");
    if (has_attribute) {
      const auto attribute = parse_number(last, 0, UINT32_MAX, builder.report());
      if (!attribute) return;
      // With "!" Suricata does not look at the attribute at all.
      if (!is_negated) {
        wanted = cip_number::service_class_attribute(number, class_number,
                                                     static_cast<uint32_t>(*attribute));
      }
    }
  }
  add_field_numbers(builder, keyword, argument,
                    {.any_of = {{Comparison::Operator::equal, wanted, 0}}});
}

}  // namespace shrike::rule

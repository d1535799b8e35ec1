#include "keyword.h"

#include <array>
#include <vector>

#include "values.h"

namespace shrike::rule {

namespace {

uint32_t hash_of(std::string_view name) noexcept {
  uint32_t hash = 2166136261U;  // FNV-1a
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  }
  return hash;
}

/// Open addressing over all names: a rule file looks up hundreds of thousands of keywords.
class NameTable {
 public:
  NameTable() {
    for (const KeywordGroup& group : keyword_groups()) {
      for (const Keyword& row : group.rows) {
        add(row.name, row);
        for (std::string_view rest = row.aliases; !rest.empty();) {
          const size_t end = rest.find(' ');
          add(rest.substr(0, end), row);
          rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
      }
    }
  }
  [[nodiscard]] const Keyword* find(std::string_view name) const noexcept {
    for (uint32_t at = hash_of(name);; ++at) {
      const Entry& entry = entries_[at % entries_.size()];
      if (entry.row == nullptr || entry.name == name) return entry.row;
    }
  }

 private:
  struct Entry {
    std::string_view name;
    const Keyword* row = nullptr;
  };
  void add(std::string_view name, const Keyword& row) {
    uint32_t at = hash_of(name);
    while (entries_[at % entries_.size()].row != nullptr) ++at;
    entries_[at % entries_.size()] = {name, &row};
  }
  std::array<Entry, 2048> entries_{};
};

}  // namespace

const Keyword* find_keyword(std::string_view name) noexcept {
  static const NameTable table;
  return table.find(name);
}

KeywordState state_of(const Keyword& keyword) noexcept {
  if (keyword.has(trait::no_effect)) return KeywordState::no_effect;
  if (keyword.has_field() && !is_inspected(keyword.field)) return KeywordState::waits_for_field;
  const bool is_kept_by_name =
      keyword.parse == parse_dormant_value || keyword.parse == parse_dormant_number;
  if (keyword.has(trait::not_inspected) || is_kept_by_name) return KeywordState::not_inspected;
  return KeywordState::inspected;
}

std::string_view to_text(KeywordState state) noexcept {
  switch (state) {
    case KeywordState::inspected:
      return "inspected";
    case KeywordState::waits_for_field:
      return "dormant";
    case KeywordState::not_inspected:
      return "not inspected";
    case KeywordState::no_effect:
      return "no effect";
  }
  return "";
}

std::span<const KeywordGroup> keyword_groups() noexcept {
  static const std::array<KeywordGroup, 9> groups{{
      {"About the rule", meta_keywords()},
      {"Packet headers", header_keywords()},
      {"Flow and host", flow_keywords()},
      {"Payload and buffers", payload_keywords()},
      {"Transforms", transform_keywords()},
      {"HTTP and files", http_keywords()},
      {"TLS, DNS and SSH", tls_dns_keywords()},
      {"Mail, file and directory services", service_keywords()},
      {"Devices, voice and messages", device_keywords()},
  }};
  return groups;
}

}  // namespace shrike::rule

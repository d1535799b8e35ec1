#include "backend/interner.h"

#include <algorithm>

#include "shrike/base/bytes.h"

namespace shrike::rule {

namespace {

/// The bytes of a run of plain values, to compare runs by.
template <typename T>
std::string key_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

uint32_t Interner::number(Names& names, std::vector<std::string>& all, const std::string& name) {
  const auto [at, is_new] = names.try_emplace(name, static_cast<uint32_t>(all.size()));
  if (is_new) {
    all.push_back(name);
  }
  return at->second;
}

uint16_t Interner::protocols(const std::bitset<256>& set) {
  const auto [at, is_new] =
      protocol_sets_.try_emplace(set, static_cast<uint16_t>(tables_.protocol_sets.size()));
  if (is_new) {
    tables_.protocol_sets.push_back(set);
  }
  return at->second;
}

uint32_t Interner::addresses(const rule::AddressSet& set) {
  return set.is_any ? no_index : addresses(set.ranges);
}

uint32_t Interner::addresses(const std::vector<AddressRange>& ranges) {
  shrike::AddressSet made;
  for (const AddressRange& range : ranges) {
    if (range.version == 4) {
      made.ipv4.push_back(
          {load_big32(range.first.bytes.data()), load_big32(range.last.bytes.data())});
    } else {
      made.ipv6.push_back({range.first, range.last});
    }
  }
  std::sort(made.ipv4.begin(), made.ipv4.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::sort(made.ipv6.begin(), made.ipv6.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::string key = key_of(made.ipv4) + "/" + key_of(made.ipv6);
  const auto [at, is_new] =
      address_sets_.try_emplace(key, static_cast<uint32_t>(tables_.address_sets.size()));
  if (is_new) {
    tables_.address_sets.push_back(std::move(made));
  }
  return at->second;
}

uint32_t Interner::ports(const rule::PortSet& set) {
  if (set.is_any) {
    return no_index;
  }
  shrike::PortSet made;
  for (const Range<uint16_t>& range : set.ranges) {
    made.push_back({range.first, range.last});
  }
  std::sort(made.begin(), made.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto [at, is_new] =
      port_sets_.try_emplace(key_of(made), static_cast<uint32_t>(tables_.port_sets.size()));
  if (is_new) {
    tables_.port_sets.push_back(std::move(made));
  }
  return at->second;
}

uint32_t Interner::list(const std::vector<uint32_t>& numbers) {
  const auto at = static_cast<uint32_t>(tables_.variable_lists.size());
  tables_.variable_lists.insert(tables_.variable_lists.end(), numbers.begin(), numbers.end());
  return at;
}

}  // namespace shrike::rule

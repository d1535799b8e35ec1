#include <maxminddb.h>

#include <algorithm>
#include <unordered_map>

#include "countries.h"

namespace shrike::rule {

/// Walks the tree of a database from its root for IPv4: a record a bit of the address.
/// Source: https://maxmind.github.io/MaxMind-DB
class Countries::Reader {
 public:
  Reader(MMDB_s& database, Countries& countries) : database_(database), countries_(countries) {}

  /// @return false where the tree is damaged.
  bool walk() {
    const bool has_ipv6 = database_.metadata.ip_version == 6;
    const uint32_t root = has_ipv6 ? database_.ipv4_start_node.node_value : 0;
    return root >= database_.metadata.node_count || walk(root, 0, 0);
  }

 private:
  static constexpr unsigned bits = 32;

  bool walk(uint32_t node, uint32_t address, unsigned depth) {
    MMDB_search_node_s records{};
    // A sound tree has each node once; a damaged one could go in circles.
    const bool is_sound = depth < bits && ++nodes_ <= database_.metadata.node_count &&
                          MMDB_read_node(&database_, node, &records) == MMDB_SUCCESS;
    return is_sound &&
           take(records.left_record_type, records.left_record, records.left_record_entry, address,
                depth + 1) &&
           take(records.right_record_type, records.right_record, records.right_record_entry,
                address | 1u << (bits - 1 - depth), depth + 1);
  }

  bool take(uint8_t type, uint64_t record, MMDB_entry_s entry, uint32_t address, unsigned depth) {
    switch (type) {
      case MMDB_RECORD_TYPE_SEARCH_NODE:
        return walk(static_cast<uint32_t>(record), address, depth);
      case MMDB_RECORD_TYPE_EMPTY:
        return true;
      case MMDB_RECORD_TYPE_DATA:
        add(entry, address, depth);
        return true;
      default:
        return false;
    }
  }

  void add(MMDB_entry_s entry, uint32_t address, unsigned depth) {
    const auto [at, is_new] = known_.try_emplace(entry.offset, no_country);
    if (is_new) at->second = country_of(entry);
    if (at->second == no_country) return;
    const uint32_t last = depth == bits ? address : address | UINT32_MAX >> depth;
    countries_.ranges_.push_back({address, last, at->second});
  }

  uint16_t country_of(MMDB_entry_s entry) {
    MMDB_entry_data_s value{};
    const int status = MMDB_get_value(&entry, &value, "country", "iso_code", nullptr);
    if (status != MMDB_SUCCESS || !value.has_data || value.type != MMDB_DATA_TYPE_UTF8_STRING) {
      return no_country;
    }
    const std::string_view code(value.utf8_string, value.data_size);
    std::vector<std::string>& codes = countries_.codes_;
    const auto found = std::find(codes.begin(), codes.end(), code);
    const auto index = static_cast<size_t>(found - codes.begin());
    if (index >= no_country) return no_country;
    if (found == codes.end()) codes.emplace_back(code);
    return static_cast<uint16_t>(index);
  }

  static constexpr uint16_t no_country = UINT16_MAX;

  MMDB_s& database_;
  Countries& countries_;
  uint32_t nodes_ = 0;
  std::unordered_map<uint32_t, uint16_t> known_;  ///< countries by the place of their record
};

bool Countries::are_built_in() noexcept {
  return true;
}

bool Countries::read(const std::string& path) {
  if (state_ != State::unread) return state_ == State::ready;
  state_ = State::unreadable;
  MMDB_s database{};
  const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database);
  if (status != MMDB_SUCCESS) {
    problem_ = MMDB_strerror(status);
    return false;
  }
  if (Reader(database, *this).walk()) {
    state_ = State::ready;
  } else {
    problem_ = "its search tree is damaged";
  }
  MMDB_close(&database);
  return state_ == State::ready;
}

}  // namespace shrike::rule

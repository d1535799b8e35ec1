#include "countries.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::Parsed;

/// Writes the smallest databases of MaxMind's format: a tree for IPv4 with 24-bit records, records
/// of a country, and the metadata. Source: https://maxmind.github.io/MaxMind-DB
class DatabaseFile {
 public:
  DatabaseFile() : path_(std::filesystem::temp_directory_path() / name()) {}
  ~DatabaseFile() { std::filesystem::remove(path_); }
  DatabaseFile(const DatabaseFile&) = delete;

  /// Where the data of a country stands. An empty code: a record without one.
  size_t add_country(const std::string& code) {
    const size_t at = data_.size();
    data_ += code.empty() ? std::string("\xe0")
                          : map(1) + text("country") + map(1) + text("iso_code") + text(code);
    return at;
  }
  void add_network(uint32_t address, unsigned prefix, size_t data_at) {
    size_t node = 0;
    for (unsigned bit = 0; bit < prefix; ++bit) {
      const size_t side = address >> (31 - bit) & 1;
      if (bit + 1 == prefix) {
        nodes_[node][side] = -1 - static_cast<long>(data_at);
        return;
      }
      if (nodes_[node][side] <= 0) {
        nodes_[node][side] = static_cast<long>(nodes_.size());
        nodes_.push_back({});
      }
      node = static_cast<size_t>(nodes_[node][side]);
    }
  }
  /// Makes the tree go in a circle.
  void damage() { nodes_[0][0] = nodes_[0][1] = 1, nodes_.resize(2), nodes_[1] = {1, 1}; }

  std::string write() const {
    std::string bytes;
    for (const auto& node : nodes_) {
      for (const long record : node) bytes += number(value_of(record), 3);
    }
    bytes += std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com" + metadata();
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_.string();
  }

 private:
  static std::string name() {
    static int made = 0;
    return "shrike-countries-" + std::to_string(getpid()) + "-" + std::to_string(++made);
  }
  static std::string map(int entries) { return {static_cast<char>(0xe0 | entries)}; }
  static std::string text(const std::string& value) {
    return static_cast<char>(0x40 | value.size()) + value;
  }
  static std::string number(size_t value, int bytes) {
    std::string made;
    while (bytes-- > 0) made += static_cast<char>(value >> (8 * bytes));
    return made;
  }
  [[nodiscard]] size_t value_of(long record) const {
    if (record == 0) return nodes_.size();  // nothing there
    if (record > 0) return static_cast<size_t>(record);
    return nodes_.size() + 16 + static_cast<size_t>(-1 - record);
  }
  [[nodiscard]] std::string metadata() const {
    const std::string two{static_cast<char>(0xa2)};   // uint16 of two bytes
    const std::string four{static_cast<char>(0xc4)};  // uint32 of four bytes
    return map(9) + text("node_count") + four + number(nodes_.size(), 4) + text("record_size") +
           two + number(24, 2) + text("ip_version") + two + number(4, 2) + text("database_type") +
           text("Test") + text("languages") + number(0, 1) + std::string("\x04", 1) +
           text("binary_format_major_version") + two + number(2, 2) +
           text("binary_format_minor_version") + two + number(0, 2) + text("build_epoch") +
           number(8, 1) + std::string("\x02", 1) + number(1, 8) + text("description") + map(0);
  }

  std::filesystem::path path_;
  std::vector<std::array<long, 2>> nodes_{1};
  std::string data_;
};

constexpr uint32_t address(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// "10.0.0.0-10.255.255.255 …"
std::string text_of(const std::vector<AddressRange>& ranges) {
  std::string text;
  for (const AddressRange& range : ranges) {
    text += (text.empty() ? "" : " ") + shrike::to_text(range.first, 4) + "-" +
            shrike::to_text(range.last, 4);
  }
  return text;
}

void fill(DatabaseFile& file) {
  const size_t france = file.add_country("FR");
  const size_t germany = file.add_country("DE");
  const size_t nowhere = file.add_country("");
  file.add_network(address(10, 0, 0, 0), 8, france);
  file.add_network(address(11, 0, 0, 0), 8, france);
  file.add_network(address(192, 0, 2, 1), 32, germany);
  file.add_network(address(192, 0, 2, 2), 32, nowhere);
}

TEST(Countries, GiveTheirAddressesAndThoseOfAllOthers) {
  if (!Countries::are_built_in()) GTEST_SKIP() << "built without libmaxminddb";
  DatabaseFile file;
  fill(file);
  Countries countries;
  ASSERT_TRUE(countries.read(file.write())) << countries.problem();
  const std::string_view france = "FR";
  const std::string_view both[] = {"DE", "FR"};
  EXPECT_EQ(text_of(countries.ranges_of({&france, 1}, false)), "10.0.0.0-11.255.255.255");
  EXPECT_EQ(text_of(countries.ranges_of({&france, 1}, true)), "192.0.2.1-192.0.2.1");
  EXPECT_EQ(text_of(countries.ranges_of(both, false)),
            "10.0.0.0-11.255.255.255 192.0.2.1-192.0.2.1");
  EXPECT_EQ(text_of(countries.ranges_of(both, true)), "");
}

TEST(Countries, SayWhyTheyCannotBeRead) {
  if (!Countries::are_built_in()) GTEST_SKIP() << "built without libmaxminddb";
  DatabaseFile file;
  fill(file);
  file.damage();
  Countries damaged;
  EXPECT_FALSE(damaged.read(file.write()));
  EXPECT_EQ(damaged.problem(), "its search tree is damaged");
  Countries missing;
  EXPECT_FALSE(missing.read("/nowhere/at.all"));
  EXPECT_FALSE(missing.problem().empty());
}

TEST(Countries, AreWhatGeoipAsksFor) {
  if (!Countries::are_built_in()) GTEST_SKIP() << "built without libmaxminddb";
  DatabaseFile file;
  fill(file);
  const Options options{.geoip_database = file.write()};
  const struct {
    const char* argument;
    const char* meaning;
  } cases[] = {
      {"DE", "either 192.0.2.1"},
      {"any,DE", "either 192.0.2.1"},
      {"src,DE", "source 192.0.2.1"},
      {" dst, !FR", "target 192.0.2.1"},
      {"both,FR", "source 10.0.0.0-11.255.255.255"},
      {"src,GB", "source\n"},
  };
  for (const auto& each : cases) {
    const Parsed parsed(
        std::string("alert ip any any -> any any (geoip:") + each.argument + "; sid:1;)", options);
    ASSERT_EQ(parsed.rules.size(), 1U) << parsed.diagnostics.text();
    EXPECT_NE(to_text(parsed.rules[0]).find(each.meaning), std::string::npos)
        << to_text(parsed.rules[0]);
  }
  const Parsed wrong("alert ip any any -> any any (geoip:src,Germany; sid:1;)", options);
  EXPECT_EQ(wrong.rules.size(), 0U);
}

TEST(Countries, AreMissedAtTheRule) {
  if (!Countries::are_built_in()) GTEST_SKIP() << "built without libmaxminddb";
  const Parsed parsed("alert ip any any -> any any (geoip:src,DE; sid:1;)",
                      {.geoip_database = "/nowhere/at.all"});
  EXPECT_EQ(parsed.rules.size(), 0U);
  EXPECT_NE(parsed.diagnostics.text().find("error[data-file]"), std::string::npos);
}

}  // namespace
}  // namespace shrike::rule

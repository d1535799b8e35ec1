#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "report.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// What a rule says about the set that it names.
struct DatasetRequest {
  std::string name;
  std::optional<Dataset::Type> type;  ///< may be left out where the set is known already
  Word load;                          ///< a file to read, as written; empty: none
  Word state;                         ///< the same, but it need not be there
  bool changes = false;               ///< the rule sets or unsets
  bool has_reputation = false;        ///< lines are "value,score"
  bool is_json = false;               ///< the file is JSON; the values stand at array_key.value_key
  std::string array_key;              ///< "info.threat"
  std::string value_key;              ///< "host"
  Word at;                            ///< for diagnostics
};

/// The sets of all rules of a load. Files are read when they are first named, beside the file of
/// the rule or, where there is none, from the working directory.
/// Source: Suricata user guide, "Datasets".
class DatasetRegistry {
 public:
  /// The set's index; nothing where a fault was reported.
  std::optional<uint32_t> ask(const DatasetRequest& request, RuleReport& report);

  /// A file of digests in hexadecimal, one at the start of each line, as a set of its own. Empty
  /// lines and comments are passed over. Nothing where a fault was reported.
  std::optional<uint32_t> ask_digests(const Word& path, size_t digest_bytes, RuleReport& report);

  [[nodiscard]] std::vector<Dataset> take() && { return std::move(sets_); }

 private:
  bool load(Dataset& set, const DatasetRequest& request, RuleReport& report);
  /// What stands in the file at `path`. @return false where a fault was reported.
  static bool read_lines(const std::string& text, const std::string& path, Dataset& set,
                         const DatasetRequest& request, RuleReport& report);
  static bool read_json(const std::string& text, const std::string& path, Dataset& set,
                        const DatasetRequest& request, RuleReport& report);

  std::vector<Dataset> sets_;
  std::unordered_map<std::string, uint32_t> known_;
};

/// "string", "md5", "sha256", "ipv4", "ip".
std::optional<Dataset::Type> find_dataset_type(std::string_view name) noexcept;

/// The key that a line of a file stands for: base64 of a text, a digest in hexadecimal, an address.
std::optional<std::string> read_dataset_key(std::string_view text, Dataset::Type type);

/// The path of a file that a rule names: beside the rule's file where it is there, else as written.
std::string find_data_file(const std::string& path, const std::string& rule_file);

}  // namespace shrike::rule

#include "thresholds.h"

#include <algorithm>
#include <array>

#include "lists.h"
#include "values.h"

namespace shrike::rule {

namespace {

/// The words of a threshold, each once; `suppress` and `rate_filter` have some of their own.
struct ThresholdWords {
  Word type, track, count, seconds, multiplier, gid, sid, ip, new_action, timeout;
};

struct NamedWord {
  std::string_view name;
  Word ThresholdWords::*word;
};
constexpr NamedWord named_words[] = {
    {"type", &ThresholdWords::type},
    {"track", &ThresholdWords::track},
    {"count", &ThresholdWords::count},
    {"seconds", &ThresholdWords::seconds},
    {"multiplier", &ThresholdWords::multiplier},
    {"gen_id", &ThresholdWords::gid},
    {"sig_id", &ThresholdWords::sid},
    {"ip", &ThresholdWords::ip},
    {"new_action", &ThresholdWords::new_action},
    {"timeout", &ThresholdWords::timeout},
};

void report_threshold(const Word& at, RuleReport& report) {
  report.error(at, "threshold",
               "'{}' is not understood; write 'type limit, track by_src, count 1, seconds 60'",
               at.text.substr(0, 60));
}

/// Offset of the comma that ends the entry; those in brackets do not.
size_t find_entry_end(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (text[i] == ',' && depth <= 0) return i;
  }
  return text.size();
}

std::optional<ThresholdWords> read_words(Word rest, RuleReport& report) {
  ThresholdWords words;
  for (rest = rest.trimmed(); !rest.empty();) {
    const size_t end = find_entry_end(rest.text);
    const Word entry = rest.part(0, end).trimmed();
    rest = rest.from(std::min(end + 1, rest.text.size())).trimmed();
    const size_t blank = std::min(entry.text.find_first_of(" \t"), entry.text.size());
    const std::string_view name = entry.text.substr(0, blank);
    const auto* const found =
        std::find_if(std::begin(named_words), std::end(named_words),
                     [&](const NamedWord& named) { return named.name == name; });
    const Word value = entry.from(blank).trimmed();
    if (found == std::end(named_words) || value.empty() || !(words.*(found->word)).empty()) {
      report_threshold(entry, report);
      return std::nullopt;
    }
    words.*(found->word) = value;
  }
  return words;
}

std::optional<ThresholdType> find_type(std::string_view name) {
  if (name == "limit") return ThresholdType::limit;
  if (name == "threshold") return ThresholdType::threshold;
  if (name == "both") return ThresholdType::both;
  if (name == "backoff") return ThresholdType::backoff;
  return std::nullopt;
}

std::optional<uint32_t> read_number(const Word& word, uint32_t min, RuleReport& report) {
  const auto number = parse_number(word, min, UINT32_MAX, report);
  return number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt;
}

/// What a threshold of any kind has: track, count and seconds.
std::optional<Threshold> read_common(const ThresholdWords& words, ThresholdType type,
                                     const Word& at, RuleReport& report) {
  Threshold threshold;
  threshold.type = type;
  const bool is_backoff = type == ThresholdType::backoff;
  const auto track = find_track(words.track.text);
  const Word& last = is_backoff ? words.multiplier : words.seconds;
  if (!track || words.count.empty() || last.empty()) {
    report_threshold(words.track.empty() || track ? at : words.track, report);
    return std::nullopt;
  }
  if (is_backoff && *track != ThresholdTrack::by_flow) {
    report.error(words.track, "threshold", "backoff goes by flow; write 'track by_flow'");
    return std::nullopt;
  }
  threshold.track = *track;
  const uint32_t count_min = type == ThresholdType::detection_filter ? 1 : 0;
  const auto count = read_number(words.count, count_min, report);
  const auto number = read_number(last, 0, report);
  if (!count || !number) return std::nullopt;
  threshold.count = *count;
  (is_backoff ? threshold.multiplier : threshold.seconds) = *number;
  return threshold;
}

}  // namespace

std::optional<ThresholdTrack> find_track(std::string_view name) {
  if (name == "by_src") return ThresholdTrack::by_source;
  if (name == "by_dst") return ThresholdTrack::by_target;
  if (name == "by_both") return ThresholdTrack::by_both;
  if (name == "by_rule") return ThresholdTrack::by_rule;
  if (name == "by_flow") return ThresholdTrack::by_flow;
  if (name == "by_either") return ThresholdTrack::by_either;
  return std::nullopt;
}

std::optional<Threshold> parse_threshold(const Word& value, bool is_detection_filter,
                                         RuleReport& report) {
  const auto words = read_words(value, report);
  if (!words) return std::nullopt;
  std::optional<ThresholdType> type = find_type(words->type.text);
  if (is_detection_filter) {
    type = words->type.empty() ? std::optional(ThresholdType::detection_filter) : std::nullopt;
  }
  const bool has_file_word = !words->gid.empty() || !words->sid.empty() || !words->ip.empty() ||
                             !words->new_action.empty() || !words->timeout.empty();
  if (!type || has_file_word || words->track.text == "by_either") {
    report_threshold(value, report);
    return std::nullopt;
  }
  return read_common(*words, *type, value, report);
}

namespace {

/// A line of threshold.config, ready to be put onto rules.
struct FileEntry {
  uint32_t gid = 0;
  uint32_t sid = 0;
  Threshold threshold;
  Word at;
};

std::optional<Action> find_new_action(std::string_view name) {
  if (name == "alert") return Action::alert;
  if (name == "drop") return Action::drop;
  if (name == "pass") return Action::pass;
  if (name == "reject") return Action::reject;
  return std::nullopt;
}

bool read_rate_filter(const ThresholdWords& words, Threshold& threshold, const Word& at,
                      RuleReport& report) {
  const auto action = find_new_action(words.new_action.text);
  if (!action || words.timeout.empty()) {
    report.error(at, "threshold",
                 "the rate_filter lacks new_action or timeout; write "
                 "'new_action drop, timeout 60'");
    return false;
  }
  const auto timeout = parse_number(words.timeout, 0, UINT32_MAX, report);
  threshold.timeout_seconds = static_cast<uint32_t>(timeout.value_or(0));
  threshold.new_action = *action;
  return timeout.has_value();
}

/// Reads files of thresholds; knows the address groups.
class ThresholdFile {
 public:
  ThresholdFile(const Groups& groups, std::vector<Rule>& rules, Diagnostics& diagnostics)
      : addresses_(groups), rules_(rules), diagnostics_(diagnostics) {}

  void apply_line(const RuleText& line) {
    RuleReport report(line, diagnostics_);
    Word rest = line.word().trimmed();
    const size_t blank = std::min(rest.text.find_first_of(" \t"), rest.text.size());
    const Word kind = rest.part(0, blank);
    const auto words = read_words(rest.from(blank), report);
    if (!words) return;
    FileEntry entry;
    entry.at = kind;
    const auto gid = parse_number(words->gid, 0, UINT32_MAX, report);
    const auto sid = parse_number(words->sid, 0, UINT32_MAX, report);
    if (!gid || !sid) return;
    entry.gid = static_cast<uint32_t>(*gid);
    entry.sid = static_cast<uint32_t>(*sid);
    if (read_kind(kind, *words, entry, report)) apply(entry, report);
  }

 private:
  bool read_kind(const Word& kind, const ThresholdWords& words, FileEntry& entry,
                 RuleReport& report) {
    if (kind.text == "suppress") return read_suppress(words, entry.threshold, kind, report);
    const bool is_rate = kind.text == "rate_filter";
    const auto type = is_rate ? std::optional(ThresholdType::rate) : find_type(words.type.text);
    const bool is_known = is_rate || kind.text == "threshold" || kind.text == "event_filter";
    if (!is_known || !type) {
      report.error(kind, "threshold",
                   "'{}' is not understood; write suppress, threshold, "
                   "event_filter with a type, or rate_filter",
                   kind.text);
      return false;
    }
    auto threshold = read_common(words, *type, kind, report);
    if (!threshold) return false;
    entry.threshold = std::move(*threshold);
    return !is_rate || read_rate_filter(words, entry.threshold, kind, report);
  }

  bool read_suppress(const ThresholdWords& words, Threshold& threshold, const Word& at,
                     RuleReport& report) {
    threshold.type = ThresholdType::suppress;
    threshold.track = ThresholdTrack::by_either;
    if (words.track.empty() && words.ip.empty()) return true;
    const auto track = find_track(words.track.text);
    if (!track || words.ip.empty()) {
      report.error(at, "threshold",
                   "the suppress lacks track or ip; write 'track by_src, ip 10.0.0.1'");
      return false;
    }
    threshold.track = *track;
    auto set = addresses_.read(words.ip, report);
    if (!set) return false;
    threshold.addresses = std::move(set->ranges);  // any: empty, which means every address
    return true;
  }

  void apply(const FileEntry& entry, RuleReport& report) {
    bool is_found = false;
    for (Rule& rule : rules_) {
      const bool is_meant =
          (entry.gid == 0 && entry.sid == 0) ||
          (entry.gid == rule.info.gid && (entry.sid == 0 || entry.sid == rule.info.sid));
      if (!is_meant) continue;
      is_found = true;
      put(entry, rule.info.thresholds);
    }
    if (!is_found) {
      report.warning(entry.at, "threshold-rule", "no rule {}:{} is loaded; remove the line",
                     entry.gid, entry.sid);
    }
  }

  /// What the rule says itself comes first, but for a threshold that names exactly this rule.
  static void put(const FileEntry& entry, std::vector<Threshold>& thresholds) {
    const auto is_own = [](const Threshold& threshold) {
      return threshold.type != ThresholdType::suppress && threshold.type != ThresholdType::rate;
    };
    const ThresholdType type = entry.threshold.type;
    if (type != ThresholdType::suppress) {
      const bool has_own = std::any_of(thresholds.begin(), thresholds.end(), is_own);
      const bool replaces = type != ThresholdType::rate && entry.sid != 0;
      if (has_own && !replaces) return;
      if (replaces) std::erase_if(thresholds, is_own);
    }
    thresholds.push_back(entry.threshold);
  }

  AddressReader addresses_;
  std::vector<Rule>& rules_;
  Diagnostics& diagnostics_;
};

}  // namespace

void apply_threshold_file(const Source& source, const Groups& groups, std::vector<Rule>& rules,
                          Diagnostics& diagnostics) {
  ThresholdFile file(groups, rules, diagnostics);
  Lexer lexer(source, diagnostics);
  while (const auto line = lexer.next()) file.apply_line(*line);
}

}  // namespace shrike::rule

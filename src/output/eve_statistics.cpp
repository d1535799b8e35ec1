#include <algorithm>
#include <vector>

#include "eve.h"

namespace shrike::output {

namespace {

struct NamedValue {
  std::string_view name;
  uint64_t value = 0;
};

/// Rows of views, in order of first appearance; values of one name are added up.
class Sums {
 public:
  void add(std::span<const CounterView> views) {
    for (const CounterView& view : views) {
      for (size_t i = 0; i < view.size(); ++i) {
        add(view.rows[i].name, view.value(i));
      }
    }
  }
  [[nodiscard]] const std::vector<NamedValue>& all() const noexcept { return values_; }

 private:
  void add(std::string_view name, uint64_t value) {
    const auto [found, is_new] = index_.try_emplace(name, values_.size());
    if (is_new) {
      values_.push_back({name, 0});
    }
    values_[found->second].value += value;
  }

  std::vector<NamedValue> values_;
  std::map<std::string_view, size_t> index_;
};

/// A dotted name's part, with what stands below it.
struct Node {
  std::string_view name;
  const NamedValue* leaf = nullptr;
  std::vector<Node> children;

  Node& child(std::string_view wanted) {
    const auto found = std::find_if(children.begin(), children.end(),
                                    [&](const Node& each) { return each.name == wanted; });
    return found != children.end() ? *found : children.emplace_back(Node{wanted, nullptr, {}});
  }
};

Node tree_of(const std::vector<NamedValue>& values, bool with_zeroes) {
  Node root;
  for (const NamedValue& each : values) {
    if (each.value == 0 && !with_zeroes) {
      continue;
    }
    Node* node = &root;
    std::string_view rest = each.name;
    for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      node = &node->child(rest.substr(0, dot));
      rest.remove_prefix(dot + 1);
    }
    node->child(rest).leaf = &each;
  }
  return root;
}

class TreeWriter {
 public:
  TreeWriter(EveContext& eve, const std::optional<EngineStatistics>& engine,
             std::map<std::string, uint64_t, std::less<>>& last)
      : eve_(eve), engine_(engine), last_(last) {}

  /// The children of a node, into the object that is open.
  void write(const Node& node, bool is_root) {
    for (const Node& each : node.children) {
      if (each.children.empty()) {
        write_leaf(each.name, *each.leaf);
        continue;
      }
      eve_.json.begin_object(each.name);
      if (is_root && each.name == "detect") {
        write_engines();
      }
      if (each.leaf != nullptr) {  // "a" and "a.b" both count: the object cannot be a number too
        write_leaf("total", *each.leaf);
      }
      write(each, false);
      eve_.json.end_object();
    }
  }

  void write_engines() {
    if (!engine_) {
      return;
    }
    eve_.json.begin_array("engines");
    eve_.json.begin_element_object();
    eve_.json.number("id", 0);
    eve_.json.text("last_reload", eve_.times.iso(engine_->last_reload_ns));
    eve_.json.number("rules_loaded", engine_->rules_loaded);
    eve_.json.number("rules_failed", engine_->rules_failed);
    eve_.json.number("rules_skipped", engine_->rules_skipped);
    eve_.json.end_object();
    eve_.json.end_array();
  }

 private:
  void write_leaf(std::string_view name, const NamedValue& value) {
    eve_.json.number(name, value.value);
    if (eve_.options.statistics_deltas) {
      uint64_t& last = last_[std::string(value.name)];
      eve_.json.number(std::string(name) + "_delta", value.value - std::min(last, value.value));
      last = value.value;
    }
  }

  EveContext& eve_;
  std::optional<EngineStatistics> engine_;
  std::map<std::string, uint64_t, std::less<>>& last_;
};

void write_totals(EveContext& eve, const Statistics& statistics, LastStatistics& last) {
  Sums sums;
  for (const ThreadStatistics& thread : statistics.threads) {
    sums.add(thread.views);
  }
  const Node root = tree_of(sums.all(), eve.options.statistics_zeroes);
  TreeWriter writer(eve, statistics.engine, last[""]);
  writer.write(root, true);
  const bool has_detect = std::any_of(root.children.begin(), root.children.end(),
                                      [](const Node& each) { return each.name == "detect"; });
  if (statistics.engine && !has_detect) {
    eve.json.begin_object("detect");
    writer.write_engines();
    eve.json.end_object();
  }
}

void write_threads(EveContext& eve, const Statistics& statistics, LastStatistics& last) {
  eve.json.begin_object("threads");
  for (const ThreadStatistics& thread : statistics.threads) {
    Sums sums;
    sums.add(thread.views);
    eve.json.begin_object(thread.thread);
    TreeWriter(eve, std::nullopt, last[std::string(thread.thread)])
        .write(tree_of(sums.all(), eve.options.statistics_zeroes), false);
    eve.json.end_object();
  }
  eve.json.end_object();
}

}  // namespace

void write_statistics_event(EveContext& eve, const Statistics& statistics, LastStatistics& last) {
  eve.json.begin_object();
  eve.json.text("timestamp", eve.times.iso(statistics.time_ns));
  eve.json.text("event_type", "stats");
  eve.json.begin_object("stats");
  eve.json.number("uptime", statistics.uptime_seconds);
  if (eve.options.statistics_totals) {
    write_totals(eve, statistics, last);
  }
  if (eve.options.statistics_threads) {
    write_threads(eve, statistics, last);
  }
  eve.json.end_object();
  end_event(eve, {});
}

}  // namespace shrike::output

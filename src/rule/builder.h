#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "classes.h"
#include "countries.h"
#include "datasets.h"
#include "hooks.h"
#include "ir.h"
#include "keyword.h"
#include "report.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// What all rules of a load share.
struct Context {
  const Options& options;
  ClassTable classes;
  ReferenceTable references;
  std::set<std::string> unknown_names;  ///< classes and references, to say each only once
  DatasetRegistry datasets = {};
  Reputation reputation = {};
  Countries countries = {};
};

/// What the keywords said about the kind of the rule (rules/README.md, "Kinds of rules").
struct KindFacts {
  bool has_match = false;        ///< some check on packet or flow
  bool is_ip_only = true;        ///< all checks so far may stand in an ip-only rule
  bool is_decode_only = true;    ///< and in a decode-event rule
  bool is_protocol_only = true;  ///< and in an app-layer-protocol rule
  bool has_event = false;        ///< decode-event, engine-event
  bool has_protocol_check = false;
  bool has_app_event = false;
  bool has_progress = false;  ///< a hook of an application protocol, app-layer-state
  bool has_stream_size = false;
  bool has_dsize = false;
  bool has_flow = false;         ///< `flow` given
  bool requires_packet = false;  ///< SIG_FLAG_REQUIRE_PACKET so far
  bool requires_stream = false;  ///< SIG_FLAG_REQUIRE_STREAM so far
  bool to_server = false, to_client = false;
};

/// Gathers what the keywords of one rule say, in their order, and keeps the state that gives
/// later keywords their meaning: the current buffer, the last content, variables.
class Builder {
 public:
  Builder(Context& context, RuleReport& report);

  [[nodiscard]] Context& context() noexcept { return context_; }
  [[nodiscard]] RuleReport& report() noexcept { return report_; }
  [[nodiscard]] Rule& rule() noexcept { return rule_; }
  [[nodiscard]] KindFacts& facts() noexcept { return facts_; }

  // Checks on packet and flow.
  void add(PacketCheck check) { rule_.packet_checks.push_back(std::move(check)); }
  template <typename Check>
  [[nodiscard]] Check* find_check() noexcept {
    for (PacketCheck& check : rule_.packet_checks) {
      if (auto* const found = std::get_if<Check>(&check)) return found;
    }
    return nullptr;
  }

  // Buffers.
  /// Makes `field` the current buffer. @return false where that is an error, reported.
  /// @param side of the values that it looks at, where the rule says so.
  bool open_buffer(Field field, const Word& at, FieldDirections side = FieldDirections::both);
  /// Back to the payload (`pkt_data`).
  bool close_buffer(const Word& at);
  bool add_transform(Transform transform, const Word& at);
  [[nodiscard]] bool has_open_buffer() const noexcept { return current_ != payload_list; }
  [[nodiscard]] std::optional<Field> open_field() const noexcept;
  /// Appends a check to the current buffer. @return its place, to be changed by modifiers.
  void add_check(BufferCheck check, const Word& at);
  /// The same for a check that starts at the match before it: without a current buffer it belongs
  /// to the buffer of that match (`content:"a"; http_uri; isdataat:!1,relative;`).
  void add_relative_check(BufferCheck check, const Word& at);
  /// Appends a check to a field of its own, whatever the current buffer is.
  void add_check_to(Field field, BufferCheck check, const Word& at);

  void add_check_to_payload(BufferCheck check, const Word& at) {
    nodes_.push_back({std::move(check), payload_list, at.position});
    ++lists_[payload_list].checks;
  }
  void set_decodes_base64() noexcept { decodes_base64_ = true; }
  [[nodiscard]] bool has_pending_transforms() const noexcept {
    return !pending_transforms_.empty();
  }
  [[nodiscard]] bool decodes_base64() const noexcept { return decodes_base64_; }

  /// After a fault: what is missing for it is not reported too.
  void forgive() noexcept {
    ++lists_[current_].checks;
    pending_transforms_.clear();
  }

  /// The content that a modifier is for: the last one, within the current buffer where one is set.
  [[nodiscard]] Content* last_content() noexcept;
  /// The very last check, where it is a content.
  [[nodiscard]] Content* last_check_content() noexcept {
    return nodes_.empty() ? nullptr : std::get_if<Content>(&nodes_.back().check);
  }
  /// What a relative check that comes now starts behind, where it is a content.
  [[nodiscard]] Content* preceding_content() noexcept;
  /// Whether a content that is (so far) of the payload is marked fast_pattern.
  [[nodiscard]] bool has_fast_pattern_in_payload() const noexcept;
  /// Moves the last payload content to a field (`http_uri` behind it).
  bool move_last_content(Field field, const Word& at);
  /// Appends a check to the buffer of a field as the old modifiers do: all of them share one.
  void add_shared_check(Field field, BufferCheck check, const Word& at);
  /// Moves the last pcre into a field (its flag U, P …).
  void move_last_check(Field field, const Word& at);
  /// Whether there is a check that a relative one can start behind.
  [[nodiscard]] bool has_anchor() const noexcept;

  // Variables of byte_extract and byte_math.
  [[nodiscard]] std::optional<int> find_variable(std::string_view name) const noexcept;
  std::optional<int> declare_variable(const Word& name);

  /// The rule cannot be evaluated for a keyword's sake; it loads and stays dormant.
  void leave_to_later(const Keyword& keyword);
  void set_dormant(std::string reason);
  /// The rule's application protocol; a second one must agree. @return false: error, reported.
  bool set_protocol(AppProtocol protocol, const Word& at);
  /// The same for what the field belongs to, which may be several protocols.
  bool set_protocol_of(Field field, const Word& at);
  /// Asks how far a transaction is; ties the rule to the direction of the step.
  void add_progress(ProgressCheck::When when, const Hook& hook);
  /// A check is noted for the kind of the rule; post-match actions too.
  void note_match(uint16_t traits);

  // Priority: an explicit one wins over the class's, wherever it stands.
  void set_priority(uint32_t priority) noexcept { explicit_priority_ = priority; }
  void set_class_priority(uint32_t priority) noexcept { class_priority_ = priority; }
  [[nodiscard]] uint32_t class_priority() const noexcept { return class_priority_; }

  [[nodiscard]] bool was_required() const noexcept { return was_required_; }
  void set_required() noexcept { was_required_ = true; }

  [[nodiscard]] size_t flow_bits() const noexcept { return flow_bits_; }
  void count_flow_bit() noexcept { ++flow_bits_; }

  /// What the checks of the buffers look like so far; for validation.
  struct Node {
    BufferCheck check;
    size_t list;
    Position position;
  };
  struct List {
    Field field = Field::payload;
    std::vector<Transform> transforms;
    Position position;
    bool is_by_modifier = false;
    uint32_t checks = 0;
    FieldDirections directions = FieldDirections::both;
  };
  [[nodiscard]] std::vector<Node>& nodes() noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] std::vector<List>& lists() noexcept { return lists_; }
  static constexpr size_t payload_list = 0;

  /// Puts buffers and checks into the rule, in order. Nothing may be added after it.
  Rule finish();

 private:
  size_t settle_list(const Word& at);
  void move(Node& node, Field field, const Word& at);
  size_t add_list(Field field, const Position& at);
  size_t shared_list(Field field, const Word& at);
  bool is_open_buffer_empty() const noexcept;

  Context& context_;
  RuleReport& report_;
  Rule rule_;
  KindFacts facts_;
  std::vector<Node> nodes_;
  std::vector<List> lists_;
  size_t current_ = payload_list;
  std::vector<Transform> pending_transforms_;
  size_t flow_bits_ = 0;
  std::optional<uint32_t> explicit_priority_;
  uint32_t class_priority_ = 3;
  bool was_required_ = false;
  bool decodes_base64_ = false;
};

}  // namespace shrike::rule

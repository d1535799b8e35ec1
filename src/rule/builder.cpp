#include "builder.h"

#include <algorithm>

#include "app_protocols.h"

namespace shrike::rule {

namespace {

/// Checks that leave a place behind them from which a relative one starts.
bool can_precede(const BufferCheck& check) {
  return std::holds_alternative<Content>(check) || std::holds_alternative<Pcre>(check) ||
         std::holds_alternative<ByteTest>(check) || std::holds_alternative<ByteJump>(check) ||
         std::holds_alternative<ByteExtract>(check) || std::holds_alternative<ByteMath>(check) ||
         std::holds_alternative<IsDataAt>(check);
}

}  // namespace

Builder::Builder(Context& context, RuleReport& report) : context_(context), report_(report) {
  lists_.reserve(8);
  nodes_.reserve(16);
  lists_.push_back({});
}

size_t Builder::add_list(Field field, const Position& at) {
  lists_.push_back({field, {}, at, false, 0});
  return lists_.size() - 1;
}

bool Builder::is_open_buffer_empty() const noexcept {
  // base64_data alone is allowed: it says that something was decoded.
  return has_open_buffer() && lists_[current_].checks == 0 &&
         lists_[current_].field != Field::base64_data;
}

std::optional<Field> Builder::open_field() const noexcept {
  return has_open_buffer() ? std::optional(lists_[current_].field) : std::nullopt;
}

bool Builder::open_buffer(Field field, const Word& at, FieldDirections side) {
  if (has_open_buffer() && lists_[current_].field == Field::base64_data) {
    report_.error(at, "buffer-order",
                  "no buffer can follow base64_data; put base64_data last in the rule");
    return false;
  }
  if (!pending_transforms_.empty()) {
    report_.error(at, "transform",
                  "nothing looks at the transformed buffer before '{}'; add a "
                  "content or remove the transform",
                  at.text);
    return false;
  }
  if (is_open_buffer_empty()) {
    report_.error(at, "buffer-empty",
                  "nothing looks into {} before '{}'; add a content or remove it",
                  shrike::to_text(lists_[current_].field), at.text);
    return false;
  }
  if (!set_protocol_of(field, at)) return false;
  for (size_t i = 1; i < lists_.size(); ++i) {
    const bool is_reusable =
        (lists_[i].is_by_modifier || !row_of(field).is_multiple) && lists_[i].directions == side;
    if (lists_[i].field == field && lists_[i].transforms.empty() && is_reusable) {
      lists_[i].is_by_modifier = false;
      current_ = i;
      return true;
    }
  }
  current_ = add_list(field, at.position);
  lists_[current_].directions = side;
  return true;
}

bool Builder::close_buffer(const Word& at) {
  if (!pending_transforms_.empty() || is_open_buffer_empty()) {
    report_.error(at, "buffer-empty",
                  "nothing looks into {} before '{}'; add a content or remove it",
                  shrike::to_text(lists_[current_].field), at.text);
    return false;
  }
  current_ = payload_list;
  return true;
}

bool Builder::add_transform(Transform transform, const Word& at) {
  if (!has_open_buffer()) {
    report_.error(at, "transform", "'{}' must follow a buffer; write 'http.uri; {};'", at.text,
                  at.text);
    return false;
  }
  if (pending_transforms_.size() == transforms_max) {
    report_.error(at, "transform", "a buffer may have {} transforms; remove some", transforms_max);
    return false;
  }
  pending_transforms_.push_back(std::move(transform));
  return true;
}

/// The list a check goes to: where transforms are pending, the list of buffer and transforms.
size_t Builder::settle_list(const Word& at) {
  if (pending_transforms_.empty()) return current_;
  const Field field = lists_[current_].field;
  const bool was_empty = lists_[current_].checks == 0;
  const FieldDirections side = lists_[current_].directions;
  for (size_t i = 1; i < lists_.size() && !row_of(field).is_multiple; ++i) {
    if (lists_[i].field == field && lists_[i].directions == side &&
        lists_[i].transforms == pending_transforms_) {
      pending_transforms_.clear();
      current_ = i;
      return current_;
    }
  }
  if (!was_empty) {
    current_ = add_list(field, at.position);
    lists_[current_].directions = side;
  }
  lists_[current_].transforms = std::exchange(pending_transforms_, {});
  return current_;
}

void Builder::add_check(BufferCheck check, const Word& at) {
  const size_t list = settle_list(at);
  ++lists_[list].checks;
  nodes_.push_back({std::move(check), list, at.position});
}

void Builder::add_relative_check(BufferCheck check, const Word& at) {
  size_t list = payload_list;
  for (size_t i = nodes_.size(); i-- > 0 && !has_open_buffer();) {
    if (!can_precede(nodes_[i].check)) continue;
    list = nodes_[i].list;
    break;
  }
  if (list == payload_list) {
    add_check(std::move(check), at);
    return;
  }
  ++lists_[list].checks;
  nodes_.push_back({std::move(check), list, at.position});
}

void Builder::add_check_to(Field field, BufferCheck check, const Word& at) {
  if (!set_protocol_of(field, at)) return;
  const size_t list = add_list(field, at.position);
  ++lists_[list].checks;
  nodes_.push_back({std::move(check), list, at.position});
}

Content* Builder::last_content() noexcept {
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (has_open_buffer() && nodes_[i].list != current_) continue;
    if (auto* const content = std::get_if<Content>(&nodes_[i].check)) return content;
  }
  return nullptr;
}

Content* Builder::preceding_content() noexcept {
  for (size_t i = nodes_.size(); i-- > 0;) {
    const bool is_near = !has_open_buffer() || nodes_[i].list == current_;
    if (is_near && can_precede(nodes_[i].check)) return std::get_if<Content>(&nodes_[i].check);
  }
  return nullptr;
}

bool Builder::has_fast_pattern_in_payload() const noexcept {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    const auto* const content = std::get_if<Content>(&node.check);
    return node.list == payload_list && content != nullptr && content->is_fast_pattern;
  });
}

bool Builder::move_last_content(Field field, const Word& at) {
  if (has_open_buffer()) {
    report_.error(at, "modifier-buffer",
                  "'{}' is for a payload content, but {} is the current "
                  "buffer; write '{}; content:…' or 'pkt_data;' before the content",
                  at.text, shrike::to_text(lists_[current_].field), shrike::to_text(field));
    return false;
  }
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (nodes_[i].list != payload_list || !std::holds_alternative<Content>(nodes_[i].check)) {
      continue;
    }
    if (!set_protocol_of(field, at)) return false;
    move(nodes_[i], field, at);
    return true;
  }
  report_.error(at, "no-content", "'{}' needs a content before it; write 'content:\"…\"; {};'",
                at.text, at.text);
  return false;
}

void Builder::move_last_check(Field field, const Word& at) {
  move(nodes_.back(), field, at);
}

void Builder::add_shared_check(Field field, BufferCheck check, const Word& at) {
  if (!set_protocol_of(field, at)) return;
  const size_t list = shared_list(field, at);
  ++lists_[list].checks;
  nodes_.push_back({std::move(check), list, at.position});
}

/// The buffer of a field that the old ways share, without transforms.
size_t Builder::shared_list(Field field, const Word& at) {
  for (size_t i = lists_.size(); i-- > 1;) {
    if (lists_[i].field == field && lists_[i].transforms.empty()) return i;
  }
  const size_t list = add_list(field, at.position);
  lists_[list].is_by_modifier = true;
  return list;
}

void Builder::move(Node& node, Field field, const Word& at) {
  // The old ways are older than HTTP/2, and Suricata keeps them to HTTP/1.
  if (row_of(field).protocol == AppProtocol::http && !set_protocol(AppProtocol::http1, at)) return;
  const size_t target = shared_list(field, at);
  --lists_[node.list].checks;
  ++lists_[target].checks;
  node.list = target;
}

bool Builder::has_anchor() const noexcept {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const Node& node) { return can_precede(node.check); });
}

std::optional<int> Builder::find_variable(std::string_view name) const noexcept {
  const auto& names = rule_.variable_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

std::optional<int> Builder::declare_variable(const Word& name) {
  if (name.empty() || is_digit(name.text[0])) {
    report_.error(name, "value", "'{}' is no name for a variable; begin it with a letter",
                  name.text);
    return std::nullopt;
  }
  if (const auto known = find_variable(name.text)) return known;
  if (rule_.variable_names.size() == variables_max) {
    report_.error(name, "variables", "a rule may have {} variables; reuse one", variables_max);
    return std::nullopt;
  }
  rule_.variable_names.emplace_back(name.text);
  return static_cast<int>(rule_.variable_names.size() - 1);
}

void Builder::set_dormant(std::string reason) {
  if (rule_.dormant_reason.empty()) rule_.dormant_reason = std::move(reason);
}

void Builder::leave_to_later(const Keyword& keyword) {
  set_dormant("keyword " + std::string(keyword.name));
}

bool Builder::set_protocol(AppProtocol protocol, const Word& at) {
  AppProtocol& current = rule_.header.app_protocol;
  if (const auto common = common_protocol(current, protocol)) {
    current = *common;
    return true;
  }
  report_.error(at, "protocol-conflict", "'{}' is for {}, but the rule is for {}; write two rules",
                at.text, shrike::to_text(protocol), shrike::to_text(current));
  return false;
}

bool Builder::set_protocol_of(Field field, const Word& at) {
  const AppProtocol current = rule_.header.app_protocol;
  if (settles_protocol(field)) return set_protocol(row_of(field).protocol, at);
  if (current == AppProtocol::unknown || may_have(current, field)) return true;
  if (row_of(field).protocol == AppProtocol::unknown) {
    report_.error(at, "protocol-conflict", "{} carries no files; remove '{}'",
                  shrike::to_text(current), at.text);
  } else {
    report_.error(at, "protocol-conflict",
                  "'{}' is for {}, but the rule is for {}; write two rules", at.text,
                  shrike::to_text(row_of(field).protocol), shrike::to_text(current));
  }
  return false;
}

void Builder::add_progress(ProgressCheck::When when, const Hook& hook) {
  const bool to_server = hook.direction == Direction::to_server;
  add(ProgressCheck{when, hook.progress,
                    to_server ? FieldDirections::to_server : FieldDirections::to_client});
  facts_.has_progress = true;
  facts_.to_server |= to_server;
  facts_.to_client |= !to_server;
}

void Builder::note_match(uint16_t traits) {
  facts_.requires_packet |= (traits & trait::needs_packet) != 0;
  const bool is_check = (traits & trait::packet_match) != 0;
  if (!is_check && (traits & trait::after_match) == 0) return;
  const bool is_ip_only = (traits & trait::ip_only) != 0;
  facts_.has_match |= is_check;
  facts_.is_ip_only &= is_ip_only;
  if (is_check) {
    facts_.is_protocol_only &= is_ip_only;
    facts_.is_decode_only &= (traits & trait::decode_only) != 0;
  }
}

Rule Builder::finish() {
  rule_.info.priority = explicit_priority_.value_or(class_priority_);
  std::vector<int> buffer_of(lists_.size(), -1);
  for (Node& node : nodes_) {
    int& index = buffer_of[node.list];
    if (index < 0) {
      index = static_cast<int>(rule_.buffers.size());
      List& list = lists_[node.list];
      const Position at = node.list == payload_list ? node.position : list.position;
      rule_.buffers.push_back(
          {list.field, std::move(list.transforms), {}, report_.locate(at), list.directions});
    }
    rule_.buffers[static_cast<size_t>(index)].checks.push_back(std::move(node.check));
  }
  return std::move(rule_);
}

}  // namespace shrike::rule

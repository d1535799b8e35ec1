#include "conversation.h"

namespace shrike::test {

MadeTransaction::MadeTransaction(AppProtocol protocol, uint64_t id) {
  transaction_.protocol = protocol;
  transaction_.id = id;
}

void MadeTransaction::publish() {
  for (size_t side = 0; side < 2; ++side) {
    transaction_.values[side] = values_[side];
    transaction_.events[side] = events_[side];
  }
}

MadeTransaction& MadeTransaction::add(Direction direction, Field field, std::string_view text) {
  const std::string& kept = texts_.emplace_back(text);
  values_[static_cast<size_t>(direction)].push_back({.field = field, .bytes = as_bytes(kept)});
  publish();
  return *this;
}

MadeTransaction& MadeTransaction::add_number(Direction direction, Field field, uint64_t number) {
  values_[static_cast<size_t>(direction)].push_back({.field = field, .number = number});
  publish();
  return *this;
}

MadeTransaction& MadeTransaction::raise(Direction direction, AppEvent event) {
  events_[static_cast<size_t>(direction)].push_back(event);
  publish();
  return *this;
}

MadeTransaction& MadeTransaction::reach(Direction direction, Progress progress) {
  transaction_.progress[static_cast<size_t>(direction)] = progress;
  return *this;
}

MadeTransaction& MadeTransaction::skip(Direction direction) {
  transaction_.skips[static_cast<size_t>(direction)] = true;
  return *this;
}

MadeTransaction& MadeTransaction::add_body(Direction direction, Field field) {
  GrowingBody& body = bodies_.emplace_back();
  body.inspect_bytes_min = 16;
  body.window_bytes = 8;
  body_text_.clear();
  values_[static_cast<size_t>(direction)].push_back({.field = field, .body = &body});
  publish();
  return *this;
}

MadeTransaction& MadeTransaction::grow(std::string_view text) {
  body_text_ += text;
  const std::string& kept = texts_.emplace_back(body_text_);  // bodies move when they grow
  bodies_.back().bytes = as_bytes(kept);
  return *this;
}

MadeTransaction& MadeTransaction::end_body() {
  bodies_.back().is_whole = true;
  return *this;
}

Conversation::Conversation(std::string_view rules, AppProtocol protocol,
                           detect::DetectorOptions options)
    : rules_(compile_text(rules)), detector_(make_detector(options)) {
  view_.protocol = protocol;
  view_.by_direction = {protocol, protocol};
  view_.identification_done = {true, true};
}

MadeTransaction& Conversation::open() {
  transactions_.push_back(std::make_unique<MadeTransaction>(view_.protocol, transactions_.size()));
  pointers_.push_back(&transactions_.back()->get());
  view_.transactions = pointers_;
  return *transactions_.back();
}

std::string Conversation::pass(Direction direction, Entry entry) {
  entry.direction = direction;
  entry.opened = !is_open_;
  is_open_ = true;
  if (direction == Direction::to_client) {
    std::swap(entry.source, entry.target);
    std::swap(entry.source_port, entry.target_port);
  }
  view_.has_changed = true;
  view_.has_data = {direction == Direction::to_server, direction == Direction::to_client};
  std::string text = inspect(detector_, rules_, {entry}, &view_);
  // One datagram: its number says nothing.
  for (size_t at = 0; (at = text.find("1:", at)) != std::string::npos;) {
    const bool begins_word = at == 0 || text[at - 1] == ' ';
    begins_word ? static_cast<void>(text.erase(at, 2)) : static_cast<void>(++at);
  }
  return text;
}

}  // namespace shrike::test

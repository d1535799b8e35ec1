#include "app_transaction.h"

#include <algorithm>
#include <cstring>

namespace shrike::protocol {

Body::Body(Pool& pool, const BodyLimits& limits) noexcept
    : kept_(pool), bytes_max_(limits.bytes_max) {
  inspect_bytes_min = limits.inspect_bytes_min;
  window_bytes = limits.window_bytes;
}

void Body::append(Bytes more) {
  if (is_whole) {
    return;
  }
  if (bytes_max_ != 0 && length() + more.size() >= bytes_max_) {
    more = more.first(static_cast<size_t>(bytes_max_ - length()));
    is_whole = true;
  }
  forget_inspected();
  kept_.insert(kept_.end(), more.begin(), more.end());
  bytes = kept_;
}

/// Keeps what the next window may reach back to. Moves memory only when that halves it.
void Body::forget_inspected() {
  if (inspected_bytes <= inspect_bytes_min || inspected_bytes < window_bytes) {
    return;
  }
  const uint64_t needed_from = inspected_bytes - window_bytes;
  const uint64_t surplus = needed_from > offset ? needed_from - offset : 0;
  if (surplus < kept_.size() / 2 || surplus == 0) {
    return;
  }
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(surplus));
  offset += surplus;
  bytes = kept_;
}

AppTransaction::~AppTransaction() {
  for (Body* const body : bodies_) {
    destroy_in(pool_, body);
  }
  for (File* const file : files_) {
    destroy_in(pool_, file);
  }
}

void AppTransaction::add_kept(Direction direction, Field field, Bytes bytes, uint8_t file) {
  const auto side = static_cast<size_t>(direction);
  values_[side].push_back({.field = field, .file = file, .bytes = bytes});
  values[side] = values_[side];
}

void AppTransaction::add_number(Direction direction, Field field, uint64_t number) {
  const auto side = static_cast<size_t>(direction);
  values_[side].push_back({.field = field, .number = number});
  values[side] = values_[side];
}

bool AppTransaction::rename_unseen(Direction direction, Field from, Field to) noexcept {
  const auto side = static_cast<size_t>(direction);
  for (size_t i = values_[side].size(); i-- > notes[side].values_seen;) {
    if (values_[side][i].field == from) {
      values_[side][i].field = to;
      return true;
    }
  }
  return false;
}

Body& AppTransaction::add_body(Direction direction, Field field, const BodyLimits& limits,
                               uint64_t number) {
  Body* const body = make_in<Body>(pool_, pool_, limits);
  bodies_.push_back(body);
  const auto side = static_cast<size_t>(direction);
  values_[side].push_back({.field = field, .number = number, .body = body});
  values[side] = values_[side];
  return *body;
}

Bytes AppTransaction::keep(Bytes bytes) {
  uint8_t* const memory = arena_.take(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(memory, bytes.data(), bytes.size());
  }
  return {memory, bytes.size()};
}

void AppTransaction::cut(Direction direction) noexcept {
  for (const FieldValue& value : values_[static_cast<size_t>(direction)]) {
    for (Body* const body : bodies_) {
      if (body == value.body) {
        body->finish();
      }
    }
    for (File* const file : files_) {
      if (&file->body == value.body) {
        file->body.finish();
      }
    }
  }
  progress[static_cast<size_t>(direction)] = Progress::complete;
}

void AppTransaction::raise(Direction direction, AppEvent event) {
  const auto side = static_cast<size_t>(direction);
  PoolVector<AppEvent>& raised = events_[side];
  if (std::find(raised.begin(), raised.end(), event) == raised.end()) {
    raised.push_back(event);
    events[side] = raised;
  }
}

void AppTransaction::reach(Direction direction, Progress step) noexcept {
  completed_[static_cast<size_t>(direction)] |= step == Progress::complete;
  Progress& progress_of_side = progress[static_cast<size_t>(direction)];
  progress_of_side = std::max(progress_of_side, step);
}

const FieldValue* AppTransaction::find(Direction direction, Field field) const noexcept {
  for (const FieldValue& value : values_in(direction)) {
    if (value.field == field) {
      return &value;
    }
  }
  return nullptr;
}

std::string_view AppTransaction::text(Direction direction, Field field) const noexcept {
  const FieldValue* const value = find(direction, field);
  return value == nullptr ? std::string_view{} : as_text(value->bytes);
}

}  // namespace shrike::protocol

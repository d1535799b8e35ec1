#include "field_values.h"

#include <algorithm>

namespace shrike::detect {

namespace {

constexpr uint8_t no_bytes = 0;

/// Rules look at an empty value too (`bsize:0`), but never at a null one.
Bytes not_null(Bytes bytes) noexcept {
  return bytes.data() != nullptr ? bytes : Bytes{&no_bytes, 0};
}

}  // namespace

FieldValues::FieldValues(uint32_t pcre_match_limit, uint32_t pcre_recursion_limit)
    : next_(new uint32_t[values_max]),
      cached_(new Cached[cached_max]),
      scratch_(scratch_bytes_max),
      transformer_(pcre_match_limit, pcre_recursion_limit) {
  heads_.fill(none);
}

void FieldValues::begin(const RuleTables& tables, const Transaction& transaction,
                        Direction direction, bool at_end) noexcept {
  tables_ = &tables;
  protocol_ = transaction.protocol;
  progress_ = transaction.progress_in(direction);
  values_ = transaction.values_in(direction);
  if (values_.size() > values_max) {
    values_refused += values_.size() - values_max;
    values_ = values_.first(values_max);
  }
  for (uint32_t i = 0; i < cached_count_; ++i) {
    heads_[bucket_of(cached_[i].index, cached_[i].transforms)] = none;
  }
  cached_count_ = 0;
  scratch_.clear();
  window_count_ = 0;
  present_.reset();
  for (uint32_t index = 0; index < values_.size(); ++index) {
    const auto field = static_cast<size_t>(values_[index].field);
    next_[index] = none;
    if (present_[field]) {
      next_[last_[field]] = index;
    } else {
      present_.set(field);
      first_[field] = index;
    }
    last_[field] = index;
    if (values_[index].body != nullptr) {
      open_window(index, at_end);
    }
  }
}

/// Where to begin looking: what is new, and some bytes before it.
/// Suricata: HttpRequestBodyGetDataCallback, HttpServerBodyGetDataCallback,
/// FiledataGetDataCallback.
uint64_t FieldValues::window_start(const FieldValue& value) const noexcept {
  const GrowingBody& body = *value.body;
  const uint64_t seen = body.inspected_bytes;
  if (value.field == Field::dcerpc_stub_data) {
    return 0;  // looked at as a whole with each fragment
  }
  if (protocol_ != AppProtocol::http1) {
    return seen;  // files of other protocols have no window before what is new
  }
  const bool is_file = value.field == Field::file_data;
  if (is_file ? seen == 0 : seen <= body.inspect_bytes_min) {
    return 0;
  }
  const uint64_t fresh = body.length() - seen;
  const uint64_t before =
      fresh < body.window_bytes ? body.window_bytes - fresh : body.window_bytes / 4;
  return seen < before ? 0 : seen - before;
}

void FieldValues::open_window(uint32_t index, bool at_end) noexcept {
  if (window_count_ == windows_.size()) {
    ++values_refused;
    return;
  }
  const FieldValue& value = values_[index];
  const GrowingBody& body = *value.body;
  Window& window = windows_[window_count_++];
  window.index = index;
  window.view.is_whole = body.is_whole || at_end || is_final(value.field);
  window.view.is_little_endian = value.field == Field::dcerpc_stub_data && value.number != 0;
  const bool is_enough = window.view.is_whole || body.length() >= body.inspect_bytes_min;
  window.is_open = is_enough && body.length() > body.inspected_bytes;
  if (window.is_open) {
    window.view.offset = std::max(window_start(value), body.offset);
    window.view.bytes =
        not_null(body.bytes.subspan(static_cast<size_t>(window.view.offset - body.offset)));
  }
}

const FieldValues::Window* FieldValues::window_of(uint32_t index) const noexcept {
  for (size_t i = 0; i < window_count_; ++i) {
    if (windows_[i].index == index) {
      return &windows_[i];
    }
  }
  return nullptr;
}

void FieldValues::commit() noexcept {
  for (size_t i = 0; i < window_count_; ++i) {
    const GrowingBody& body = *values_[windows_[i].index].body;
    if (windows_[i].is_open) {
      body.inspected_bytes = body.length();
    }
    body.is_inspected_whole = body.is_whole && body.inspected_bytes == body.length();
  }
}

bool FieldValues::has_news(const Transaction& transaction, Direction direction) noexcept {
  const auto values = transaction.values_in(direction);
  return std::any_of(values.begin(), values.end(), [](const FieldValue& value) {
    return value.body != nullptr && (value.body->length() > value.body->inspected_bytes ||
                                     value.body->is_whole != value.body->is_inspected_whole);
  });
}

std::optional<FieldValues::View> FieldValues::view(uint32_t index, uint32_t transforms) noexcept {
  View view;
  if (values_[index].body != nullptr) {
    const Window* const window = window_of(index);
    if (window == nullptr || !window->is_open) {
      return std::nullopt;
    }
    view = window->view;
  } else {
    view.bytes = not_null(values_[index].bytes);
  }
  if (transforms != 0) {
    view.bytes = transformed(index, transforms, view.bytes);
  }
  return view;
}

Bytes FieldValues::transformed(uint32_t index, uint32_t transforms, Bytes bytes) noexcept {
  uint32_t& head = heads_[bucket_of(index, transforms)];
  for (uint32_t at = head; at != none; at = cached_[at].next) {
    if (cached_[at].index == index && cached_[at].transforms == transforms) {
      return cached_[at].bytes;
    }
  }
  const Bytes made =
      not_null(transformer_.apply(*tables_, tables_->transform_lists[transforms], bytes, scratch_));
  if (cached_count_ < cached_max) {
    cached_[cached_count_] = {index, transforms, head, made};
    head = cached_count_++;
  }
  return made;
}

}  // namespace shrike::detect

#include "http_multipart.h"

#include <algorithm>

#include "http_text.h"

namespace shrike::protocol::http {

namespace {

constexpr size_t npos = std::string_view::npos;

Bytes without_space_before(Bytes text) noexcept {
  while (!text.empty() && is_space(text.front())) {
    text = text.subspan(1);
  }
  return text;
}

/// The value of one parameter, quotes around it taken off.
Bytes without_quotes(Bytes value) noexcept {
  if (!value.empty() && value.front() == '"') {
    value = value.subspan(1);
  }
  if (!value.empty() && value.back() == '"') {
    value = value.first(value.size() - 1);
  }
  return value;
}

}  // namespace

Bytes find_parameter(Bytes field_value, std::string_view name) noexcept {
  Bytes rest = without_space_before(field_value);
  while (!rest.empty()) {
    bool is_quoted = false;
    size_t at = 0;
    for (; at < rest.size(); ++at) {
      const bool is_escaped = at > 0 && rest[at - 1] == '\\';
      if (rest[at] == '"' && !is_escaped && at > 0) {
        is_quoted = !is_quoted;
      } else if (rest[at] == ';' && !is_escaped && !is_quoted && at > 0) {
        break;
      }
    }
    const bool is_last = at == rest.size();
    if (is_last && is_quoted) {
      return {};
    }
    const Bytes parameter = rest.first(at);
    if (parameter.size() > name.size() && starts_any_case(parameter, name)) {
      return without_quotes(parameter.subspan(name.size()));
    }
    rest = is_last ? Bytes{} : without_space_before(rest.subspan(at + 1));
  }
  return {};
}

bool MultipartParser::begin(Bytes boundary) {
  kept_.clear();
  state_ = State::done;
  if (boundary.empty() || boundary.size() >= boundary_bytes_max) {
    return false;
  }
  boundary_.assign({'-', '-'});
  boundary_.insert(boundary_.end(), boundary.begin(), boundary.end());
  state_ = State::between;
  return true;
}

void MultipartParser::read_part_header(Bytes header, const MultipartSink& sink, Bytes& file_name) {
  constexpr std::string_view disposition = "content-disposition:";
  while (!header.empty()) {
    const size_t end = as_text(header).find("\r\n");
    const Bytes line = end == npos ? header : header.first(end);
    const size_t colon = as_text(line).find(':');
    if (colon == npos || colon + 1 == line.size()) {
      sink.report(sink.context, MultipartSink::Fault::invalid_header);
    } else if (starts_any_case(line, disposition)) {
      const Bytes name = find_parameter(line.subspan(disposition.size()), "filename=");
      file_name = name.data() != nullptr ? name : file_name;
    }
    header = end == npos ? Bytes{} : header.subspan(end + 2);
  }
}

/// Looks for the next part. @return false where more bytes are needed.
bool MultipartParser::step_between(Bytes& rest, const MultipartSink& sink) {
  const size_t start = find_bytes(rest, boundary_);
  if (start == npos) {
    const size_t kept_bytes = std::min(rest.size(), boundary_.size() + 1);
    rest = rest.last(kept_bytes);
    return false;
  }
  rest = rest.subspan(start);
  const Bytes behind = rest.subspan(boundary_.size());
  if (as_text(behind).starts_with("--")) {
    state_ = State::done;
    return false;
  }
  const size_t header_end = as_text(behind).find("\r\n\r\n");
  if (header_end == npos) {
    if (rest.size() > part_header_bytes_max) {
      rest = behind;
      return true;
    }
    return false;
  }
  Bytes file_name;
  if (header_end >= 2) {
    read_part_header(behind.subspan(2, header_end - 2), sink, file_name);
  }
  if (!file_name.empty()) {
    sink.open_file(sink.context, file_name);
    state_ = State::in_file;
  }
  rest = behind.subspan(header_end + 4);
  if (state_ == State::in_file && find_bytes(rest, boundary_) == 0) {
    sink.report(sink.context, MultipartSink::Fault::no_file_data);
  }
  return true;
}

/// Takes the file's bytes, up to the CR LF before the boundary.
bool MultipartParser::step_in_file(Bytes& rest, const MultipartSink& sink) {
  const size_t end = find_bytes(rest, boundary_);
  if (end != npos) {
    sink.append_file(sink.context, rest.first(end >= 2 ? end - 2 : 0));
    sink.close_file(sink.context, false);
    rest = rest.subspan(end);
    state_ = State::between;
    return true;
  }
  const size_t kept_bytes = std::min(rest.size(), boundary_.size() + 1);
  sink.append_file(sink.context, rest.first(rest.size() - kept_bytes));
  rest = rest.last(kept_bytes);
  return false;
}

bool MultipartParser::step(Bytes& rest, const MultipartSink& sink) {
  switch (state_) {
    case State::between:
      return step_between(rest, sink);
    case State::in_file:
      return step_in_file(rest, sink);
    case State::done:
      rest = {};
      return false;
  }
  return false;
}

void MultipartParser::take(Bytes bytes, const MultipartSink& sink) {
  if (state_ == State::done) {
    return;
  }
  kept_.insert(kept_.end(), bytes.begin(), bytes.end());
  Bytes rest = kept_;
  while (step(rest, sink)) {
  }
  const size_t used = kept_.size() - rest.size();
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(used));
}

void MultipartParser::finish(const MultipartSink& sink) {
  if (state_ == State::in_file) {
    sink.append_file(sink.context, kept_);
    sink.close_file(sink.context, true);
  }
  kept_.clear();
  state_ = State::done;
}

}  // namespace shrike::protocol::http

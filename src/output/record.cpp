#include "record.h"

#include <cstring>

namespace shrike::output {

namespace {

template <typename T>
bool copy_struct(Bytes from, T& to) noexcept {
  if (from.size() != sizeof to) {
    return false;
  }
  std::memcpy(&to, from.data(), sizeof to);
  return true;
}

bool read_section(SectionKind kind, Bytes content, Record& record) noexcept {
  switch (kind) {
    case SectionKind::datagram:
      return copy_struct(content, record.datagram);
    case SectionKind::flow:
      record.has_flow = true;
      return copy_struct(content, record.flow);
    case SectionKind::alert:
      return copy_struct(content, record.alert);
    case SectionKind::carrier:
      record.has_carrier = true;
      return copy_struct(content, record.carrier);
    case SectionKind::flow_end:
      record.has_flow = true;
      if (!copy_struct(content, record.flow_end)) {
        return false;
      }
      record.flow = record.flow_end.view;
      return true;
    case SectionKind::flow_bits:
      record.flow_bits = content;
      return true;
    case SectionKind::flow_integers:
      record.flow_integers = content;
      return true;
    case SectionKind::payload:
      record.payload = content;
      return true;
    case SectionKind::stream_bytes:
      record.stream_bytes = content;
      return true;
    case SectionKind::frame:
      record.frame = content;
      return true;
    case SectionKind::app:
      return copy_struct(content, record.app);
    case SectionKind::app_members:
      record.app_members = content;
      return true;
    case SectionKind::file_members:
      record.file_members = content;
      return true;
    case SectionKind::anomaly:
      return copy_struct(content, record.anomaly);
    case SectionKind::file_piece:
      return copy_struct(content, record.file_piece);
    case SectionKind::file_bytes:
      record.file_bytes = content;
      return true;
  }
  return true;
}

}  // namespace

bool read_head(Bytes bytes, RecordHead& head) noexcept {
  return bytes.size() >= sizeof head && copy_struct(bytes.first(sizeof head), head);
}

bool read_record(Bytes bytes, Record& record) noexcept {
  record = Record{};
  if (!read_head(bytes, record.head)) {
    return false;
  }
  bytes = bytes.subspan(padded(sizeof(RecordHead)));
  while (!bytes.empty()) {
    SectionHead section;
    if (bytes.size() < sizeof section) {
      return false;
    }
    std::memcpy(&section, bytes.data(), sizeof section);
    bytes = bytes.subspan(sizeof section);
    if (bytes.size() < padded(section.bytes) ||
        !read_section(section.kind, bytes.first(section.bytes), record)) {
      return false;
    }
    bytes = bytes.subspan(padded(section.bytes));
  }
  return true;
}

uint32_t number_at(Bytes section, size_t index) noexcept {
  uint32_t value = 0;
  std::memcpy(&value, section.data() + index * sizeof value, sizeof value);
  return value;
}

}  // namespace shrike::output

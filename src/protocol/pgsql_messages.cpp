#include <algorithm>

#include "pgsql.h"

namespace shrike::protocol::pgsql {

namespace {

constexpr size_t length_bytes = 4;  // counts itself
constexpr size_t header_bytes = 1 + length_bytes;
/// Longer messages are not awaited: PostgreSQL's own limit is 1 GB, queries are far below this.
constexpr uint32_t message_bytes_max = 16u << 20;

Read cut_short(size_t needed) {
  return {.needed = needed, .fault = Fault::cut_short};
}
Read faulty(Fault fault) {
  return {.fault = fault};
}

/// Type, length, content: the shape of all messages but the first of the client.
Read read_framed(Bytes bytes, Kind kind, uint32_t length_min, uint32_t length_max) {
  if (bytes.size() < header_bytes) {
    return cut_short(header_bytes);
  }
  const uint32_t length = load_big32(bytes.data() + 1);
  if (length < length_min || length > std::min(length_max, message_bytes_max)) {
    return faulty(Fault::bad_length);
  }
  if (bytes.size() < 1 + size_t{length}) {
    return cut_short(1 + size_t{length});
  }
  Read read{.bytes = 1 + size_t{length}};
  read.message = {kind, bytes.subspan(header_bytes, length - length_bytes)};
  return read;
}

/// Leaves of the content what stands in front of the first NUL.
Read with_text(Read read, size_t bytes_min) {
  if (read.fault != Fault::none) {
    return read;
  }
  const Bytes content = read.message.content;
  const auto end = std::find(content.begin(), content.end(), uint8_t{0});
  const auto count = static_cast<size_t>(end - content.begin());
  if (end == content.end() || count < bytes_min) {
    return faulty(Fault::passed_over);
  }
  read.message.content = content.first(count);
  return read;
}

Read read_startup(Bytes bytes) {
  constexpr uint32_t length_min = 8;
  constexpr uint16_t special_major = 1234, ssl_minor = 5679, cancel_minor = 5678;
  if (bytes.size() < length_bytes + 2) {
    return cut_short(length_bytes + 2);
  }
  const uint32_t length = load_big32(bytes.data());
  if (length < length_min || length > message_bytes_max) {
    return faulty(Fault::bad_length);
  }
  if (bytes.size() < length) {
    return cut_short(length);
  }
  Read read{.bytes = length};
  ByteReader reader(bytes.subspan(length_bytes, length - length_bytes));
  const uint16_t major = reader.big16();
  const uint16_t minor = reader.big16();
  if (major >= 1 && major <= 3) {
    read.message = {Kind::startup, reader.rest(), major, minor};
    const auto rest = as_text(reader.rest());
    const bool has_user = rest.starts_with(std::string_view("user\0", 5)) ||
                          rest.find(std::string_view("\0user\0", 6)) != rest.npos;
    return has_user && rest.ends_with('\0') ? read : faulty(Fault::passed_over);
  }
  if (major == special_major && minor == ssl_minor && reader.left() == 0) {
    read.message.kind = Kind::ssl_request;
    return read;
  }
  if (major == special_major && minor == cancel_minor && reader.left() == 8) {
    read.message.kind = Kind::cancel;
    read.message.number = reader.big32();
    read.message.second = reader.big32();
    return read;
  }
  return faulty(Fault::malformed);
}

Kind kind_of_authentication(uint32_t type) {
  switch (type) {
    case 0:
      return Kind::authentication_ok;
    case 3:
      return Kind::authentication_clear;
    case 5:
      return Kind::authentication_md5;
    case 9:
      return Kind::authentication_sspi;
    case 10:
      return Kind::authentication_sasl;
    case 11:
      return Kind::authentication_sasl_continue;
    case 12:
      return Kind::authentication_sasl_final;
    default:
      return Kind::unknown;
  }
}

Read read_authentication(Bytes bytes) {
  Read read = read_framed(bytes, Kind::unknown, 8, UINT32_MAX);
  if (read.fault != Fault::none) {
    return read;
  }
  read.message.kind = kind_of_authentication(load_big32(read.message.content.data()));
  read.message.content = read.message.content.subspan(4);
  return read.message.kind == Kind::unknown ? faulty(Fault::malformed) : read;
}

/// Sums the bytes of a row's columns.
Read read_row(Bytes bytes) {
  Read read = read_framed(bytes, Kind::data_row, 6, UINT32_MAX);
  if (read.fault != Fault::none) {
    return read;
  }
  ByteReader reader(read.message.content);
  for (uint16_t left = reader.big16(); left != 0 && reader.left() != 0; --left) {
    const auto length = static_cast<int32_t>(reader.big32());  // -1: NULL
    if (length > 0 && reader.skip(static_cast<size_t>(length))) {
      read.message.second += static_cast<uint64_t>(length);
    }
  }
  return read;
}

/// @param number_at of the two bytes that count columns
Read with_columns(Read read, size_t number_at) {
  if (read.fault == Fault::none) {
    read.message.number = load_big16(read.message.content.data() + number_at);
  }
  return read;
}

Read with_numbers(Read read) {
  if (read.fault == Fault::none) {
    ByteReader reader(read.message.content);
    read.message.number = reader.big32();
    read.message.second = reader.big32();
  }
  return read;
}

Read with_size(Read read) {
  read.message.second = read.message.content.size();
  return read;
}

}  // namespace

Read read_request(Bytes bytes) {
  switch (bytes[0]) {
    case 0:
      return read_startup(bytes);
    case 'Q':
      return with_text(read_framed(bytes, Kind::query, length_bytes + 1, UINT32_MAX), 1);
    case 'X':
      return read_framed(bytes, Kind::terminate, length_bytes, length_bytes);
    case 'd':
      return with_size(read_framed(bytes, Kind::copy_data, length_bytes, UINT32_MAX));
    case 'c':
      return read_framed(bytes, Kind::copy_done, length_bytes, length_bytes);
    case 'f':
      return with_text(read_framed(bytes, Kind::copy_fail, length_bytes + 1, UINT32_MAX), 0);
    default:
      return read_framed(bytes, Kind::unknown, length_bytes, UINT32_MAX);
  }
}

Read read_secret(Bytes bytes, Kind kind) {
  if (bytes[0] != 'p') {
    return faulty(Fault::passed_over);
  }
  const Read read = read_framed(bytes, kind, length_bytes, UINT32_MAX);
  return kind == Kind::password ? with_text(read, 1) : read;
}

Read read_response(Bytes bytes) {
  switch (bytes[0]) {
    case 'E':
      return read_framed(bytes, Kind::error, 11, UINT32_MAX);
    case 'N':
      return read_framed(bytes, Kind::notice, 11, UINT32_MAX);
    case 'K':
      return with_numbers(read_framed(bytes, Kind::backend_key, 12, 12));
    case 'R':
      return read_authentication(bytes);
    case 'S':
      return read_framed(bytes, Kind::parameter, length_bytes, UINT32_MAX);
    case 'C':
      return with_text(read_framed(bytes, Kind::command_complete, length_bytes + 1, UINT32_MAX), 0);
    case 'Z':
      return read_framed(bytes, Kind::ready, 5, 5);
    case 'T':
      return with_columns(read_framed(bytes, Kind::row_description, 7, UINT32_MAX), 0);
    case 'A':
      return with_numbers(read_framed(bytes, Kind::notification, 10, UINT32_MAX));
    case 'D':
      return read_row(bytes);
    case 'G':
      return with_columns(read_framed(bytes, Kind::copy_in_response, 7, UINT32_MAX), 1);
    case 'H':
      return with_columns(read_framed(bytes, Kind::copy_out_response, 7, UINT32_MAX), 1);
    case 'd':
      return with_size(read_framed(bytes, Kind::copy_data, length_bytes, UINT32_MAX));
    case 'c':
      return read_framed(bytes, Kind::copy_done, length_bytes, length_bytes);
    default:
      return read_framed(bytes, Kind::unknown, length_bytes, UINT32_MAX);
  }
}

}  // namespace shrike::protocol::pgsql

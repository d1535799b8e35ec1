#pragma once
#include "memory.h"
#include "shrike/base/bytes.h"

/// Files in multipart/form-data request bodies, found as Suricata finds them (RFC 7578).
namespace shrike::protocol::http {

/// The value of `name=` ("boundary=", "filename=") among the parameters of a field; empty where it
/// is not there. @param name lower case.
[[nodiscard]] Bytes find_parameter(Bytes field_value, std::string_view name) noexcept;

/// What the parser tells about the parts it finds.
struct MultipartSink {
  void* context = nullptr;
  void (*open_file)(void* context, Bytes name) = nullptr;
  void (*append_file)(void* context, Bytes bytes) = nullptr;
  void (*close_file)(void* context, bool is_truncated) = nullptr;
  enum class Fault : uint8_t { generic, no_file_data, invalid_header };
  void (*report)(void* context, Fault fault) = nullptr;
};

class MultipartParser {
 public:
  static constexpr size_t boundary_bytes_max = 200;  ///< Suricata: HTP_BOUNDARY_MAX
  /// Fields of one part that are read; a part with more is passed over.
  static constexpr size_t part_header_bytes_max = 16 << 10;

  explicit MultipartParser(Pool& pool) noexcept : boundary_(pool), kept_(pool) {}

  /// A new body begins. @return whether the boundary is one.
  bool begin(Bytes boundary);
  void take(Bytes bytes, const MultipartSink& sink);
  /// The body is over.
  void finish(const MultipartSink& sink);

 private:
  enum class State : uint8_t { between, in_file, done };
  bool step(Bytes& rest, const MultipartSink& sink);
  bool step_between(Bytes& rest, const MultipartSink& sink);
  bool step_in_file(Bytes& rest, const MultipartSink& sink);
  void read_part_header(Bytes header, const MultipartSink& sink, Bytes& file_name);

  PoolBytes boundary_;  ///< with the two dashes before it
  PoolBytes kept_;
  State state_ = State::done;
};

}  // namespace shrike::protocol::http

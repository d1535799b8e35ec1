#pragma once
#include "memory.h"
#include "shrike/base/bytes.h"

struct nghttp2_hd_inflater;

/// Compressed headers of HTTP/2 (HPACK, RFC 7541), through nghttp2's decoder.
namespace shrike::protocol {

/// One direction's decoder with its dynamic table. All memory comes from the pool.
class HpackDecoder {
 public:
  /// Largest dynamic table that is kept; peers may agree on more, which then fails to decode.
  static constexpr uint32_t table_bytes_max = 65536;

  explicit HpackDecoder(Pool& pool) noexcept : pool_(pool) {}
  ~HpackDecoder();
  HpackDecoder(const HpackDecoder&) = delete;
  HpackDecoder& operator=(const HpackDecoder&) = delete;

  enum class Step : uint8_t { header, end, fault };
  struct Header {
    Bytes name;   ///< valid until the next call
    Bytes value;  ///< the same
  };
  /// Decodes the next header of a whole block, and takes it off the block's front. After a fault
  /// the decoder begins anew, with an empty table: later blocks may still be readable.
  Step next(Bytes& block, Header& header);

 private:
  bool is_ready();
  void forget();

  Pool& pool_;
  struct Memory;
  Memory* memory_ = nullptr;  ///< nghttp2 borrows it for as long as the decoder lives
  nghttp2_hd_inflater* inflater_ = nullptr;
};

/// The size update that a block may begin with (RFC 7541, section 6.3), taken off its front.
/// @return whether there was one.
bool take_table_size_update(Bytes& block, uint64_t& bytes) noexcept;

}  // namespace shrike::protocol

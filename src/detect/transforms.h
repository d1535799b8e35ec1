#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "pcre_runner.h"
#include "shrike/base/bytes.h"
#include "shrike/model/rule_tables.h"

struct z_stream_s;

namespace shrike::detect {

/// Memory for what transforms make of values, given out from the front and taken back all at once.
class ByteScratch {
 public:
  explicit ByteScratch(size_t bytes_max) : bytes_(new uint8_t[bytes_max]), bytes_max_(bytes_max) {}

  /// Null where there is no room, which is counted.
  [[nodiscard]] uint8_t* take(size_t bytes) noexcept {
    if (bytes > bytes_max_ - used_) {
      ++refused;
      return nullptr;
    }
    uint8_t* const at = bytes_.get() + used_;
    used_ += bytes;
    return at;
  }
  void clear() noexcept { used_ = 0; }

  uint64_t refused = 0;

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t bytes_max_;
  size_t used_ = 0;
};

/// Runs lists of transforms. One core's; after warm-up it asks nothing of the system.
/// Source: Suricata user guide, "Transformations"; rules.md E.7.
class Transformer {
 public:
  Transformer(uint32_t pcre_match_limit, uint32_t pcre_recursion_limit);
  ~Transformer();
  Transformer(Transformer&&) = delete;

  /// What the list makes of `value`: in `scratch`, or `value` itself where nothing changes it.
  /// Never null. A step that finds no room, or cannot decode its input, changes nothing.
  [[nodiscard]] Bytes apply(const RuleTables& tables, const std::vector<TransformStep>& list,
                            Bytes value, ByteScratch& scratch) noexcept;

 private:
  [[nodiscard]] Bytes apply_step(const RuleTables& tables, const TransformStep& step, Bytes value,
                                 ByteScratch& scratch) noexcept;
  [[nodiscard]] Bytes match(const PcreCode& code, Bytes value) noexcept;
  [[nodiscard]] Bytes inflate(z_stream_s& stream, uint32_t bytes_max, Bytes value,
                              ByteScratch& scratch) noexcept;

  struct Free {
    void operator()(z_stream_s* stream) const noexcept;
  };
  PcreRunner pcre_;
  std::unique_ptr<z_stream_s, Free> gzip_;
  std::unique_ptr<z_stream_s, Free> zlib_;
};

}  // namespace shrike::detect

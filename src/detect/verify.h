#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataset_lookup.h"
#include "pcre_runner.h"
#include "shrike/base/bytes.h"
#include "shrike/model/limits.h"
#include "shrike/model/rule_tables.h"

namespace shrike::detect {

/// What a pcre captured for a variable; borrows from the buffer.
struct Captured {
  const PcreCapture* capture = nullptr;
  Bytes value;
};

/// Bytes that rules look at: a packet, a header, a value, or a window of something longer.
struct BufferView {
  Bytes bytes;           ///< never null
  uint64_t offset = 0;   ///< of bytes[0] in what it is a window of
  bool is_whole = true;  ///< no more bytes will follow, so sizes are final
  /// Who sent it writes numbers in little endian (stub data of DCERPC); `dce` asks for it.
  bool is_little_endian = false;
};

struct VerifyOptions {
  uint32_t recursion_limit = 3000;
  uint32_t pcre_match_limit = 3500;
  uint32_t pcre_recursion_limit = 1500;
};

/// Runs the checks of one rule inside one buffer, with the back-tracking of Suricata's content
/// inspection: where a check fails, the last content or pcre that it hangs on is searched again
/// behind its last hit. Iterative, bounded by the recursion limit; no allocation.
/// Source: rules.md E.2-E.5, and the behaviour of DetectEngineContentInspection.
class BufferVerifier {
 public:
  BufferVerifier(const VerifyOptions& options, Datasets& datasets);

  /// Tells whether the program matches.
  [[nodiscard]] bool run(const RuleTables& tables, const BufferProgram& program,
                         const BufferView& view) noexcept;

  /// What the last runs captured; the caller clears it before a rule.
  [[nodiscard]] std::span<const Captured> captured() const noexcept {
    return {captured_.data(), captured_count_};
  }
  void clear_captured() noexcept { captured_count_ = 0; }

  uint64_t recursion_limit_hits = 0;
  uint64_t pcre_limit_hits = 0;

 private:
  /// Outcome of one check: `failed` may be mended by a retry before it, `given_up` may not.
  enum class Outcome : uint8_t { matched, failed, given_up };
  /// A content or pcre that may be searched again behind its last hit.
  struct Retry {
    uint32_t instruction = 0;
    uint32_t next_start = 0;  ///< where the search goes on
    uint32_t cursor_before = 0;
  };
  struct Window {
    uint32_t first = 0;
    uint32_t last = 0;        ///< one behind
    bool has_passed = false;  ///< it lies before the bytes at hand, in what was seen earlier
  };

  [[nodiscard]] bool run_list(uint32_t index, uint32_t count, size_t retries_first) noexcept;
  [[nodiscard]] Outcome step(const BufferInstruction& instruction, uint32_t at) noexcept;
  [[nodiscard]] Outcome search(const BufferInstruction& instruction, uint32_t at,
                               uint32_t next_start, uint32_t cursor_before) noexcept;
  [[nodiscard]] Outcome judge_found(const BufferInstruction& instruction, const Window& window,
                                    uint32_t end) const noexcept;
  [[nodiscard]] std::optional<Window> window_of(const BufferInstruction& instruction,
                                                uint32_t cursor,
                                                uint32_t next_start) const noexcept;
  void shift(Window& window) const noexcept;
  [[nodiscard]] Window relative_window(const BufferInstruction& instruction,
                                       uint32_t cursor) const noexcept;
  void leave_way_back(const BufferInstruction& instruction, const Retry& retry) noexcept;
  [[nodiscard]] Outcome match_pcre(const BufferInstruction& instruction, uint32_t at,
                                   uint32_t next_start, uint32_t cursor_before) noexcept;
  void capture(const PcreArguments& arguments, Bytes subject) noexcept;
  [[nodiscard]] bool run_bytes(const BufferInstruction& instruction) noexcept;
  [[nodiscard]] Outcome is_data_at(const BufferInstruction& instruction) const noexcept;
  [[nodiscard]] Outcome decode_base64(const BufferInstruction& instruction) noexcept;
  [[nodiscard]] static Outcome size_matches(const NumberArguments& arguments, uint64_t bytes,
                                            bool is_whole) noexcept;
  [[nodiscard]] uint64_t variable(int32_t number) const noexcept {
    return variables_[static_cast<uint32_t>(number) % variables_.size()];
  }

  const VerifyOptions options_;
  Datasets& datasets_;
  PcreRunner pcre_;
  const RuleTables* tables_ = nullptr;
  Bytes buffer_;
  uint64_t offset_ = 0;
  bool is_whole_ = true;
  bool is_little_endian_ = false;
  uint32_t cursor_ = 0;
  uint32_t steps_ = 0;
  bool finished_ = false;  ///< a base64_decode decided for the whole list
  size_t retry_count_ = 0;
  size_t list_retries_ = 0;  ///< retries below belong to an outer list
  std::array<Retry, 2 * limits::buffer_checks_max> retries_{};
  std::array<uint64_t, limits::rule_variables_max> variables_{};
  std::array<Captured, limits::captures_max> captured_{};
  size_t captured_count_ = 0;
  std::unique_ptr<uint8_t[]> decoded_;
};

}  // namespace shrike::detect

#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "shrike/base/bytes.h"
#include "shrike/model/rule_tables.h"

struct pcre2_real_match_context_8;
struct pcre2_real_match_data_8;
struct pcre2_real_jit_stack_8;

namespace shrike::detect {

/// Runs compiled expressions; owns what a match needs. One core's, not thread-safe.
class PcreRunner {
 public:
  PcreRunner(uint32_t match_limit, uint32_t recursion_limit);
  ~PcreRunner();
  PcreRunner(PcreRunner&&) = delete;

  enum class Outcome : uint8_t { match, no_match, limit };

  /// Searches `subject` from `start_offset` on. After a match `group` tells what was found.
  [[nodiscard]] Outcome run(const PcreCode& code, Bytes subject, size_t start_offset) noexcept;

  struct Group {
    uint32_t first = 0;  ///< offsets in the subject
    uint32_t last = 0;   ///< one behind
  };
  /// Group 0 is the whole match. Nothing for a group that took no part.
  [[nodiscard]] std::optional<Group> group(uint32_t number) const noexcept;

 private:
  struct Free {
    void operator()(pcre2_real_match_context_8* context) const noexcept;
    void operator()(pcre2_real_match_data_8* data) const noexcept;
    void operator()(pcre2_real_jit_stack_8* stack) const noexcept;
  };
  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  uint32_t groups_ = 0;  ///< of the last match
};

}  // namespace shrike::detect

#include "pcre_runner.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "shrike/base/check.h"

namespace shrike::detect {

namespace {

/// Whole match and as many groups as a rule may capture; further groups match but are not seen.
constexpr uint32_t groups_max = 64;
constexpr size_t stack_bytes_first = size_t{64} << 10;
constexpr size_t stack_bytes_max = size_t{1} << 20;

}  // namespace

void PcreRunner::Free::operator()(pcre2_real_match_context_8* context) const noexcept {
  pcre2_match_context_free(context);
}
void PcreRunner::Free::operator()(pcre2_real_match_data_8* data) const noexcept {
  pcre2_match_data_free(data);
}
void PcreRunner::Free::operator()(pcre2_real_jit_stack_8* stack) const noexcept {
  pcre2_jit_stack_free(stack);
}

PcreRunner::PcreRunner(uint32_t match_limit, uint32_t recursion_limit)
    : stack_(pcre2_jit_stack_create(stack_bytes_first, stack_bytes_max, nullptr)),
      context_(pcre2_match_context_create(nullptr)),
      data_(pcre2_match_data_create(groups_max, nullptr)) {
  check(context_ != nullptr && data_ != nullptr, "memory for expressions");
  pcre2_set_match_limit(context_.get(), match_limit);
  pcre2_set_depth_limit(context_.get(), recursion_limit);
  if (stack_ != nullptr) {
    pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
  }
}

PcreRunner::~PcreRunner() = default;

PcreRunner::Outcome PcreRunner::run(const PcreCode& code, Bytes subject,
                                    size_t start_offset) noexcept {
  if (code.code == nullptr || start_offset > subject.size()) {
    return Outcome::no_match;
  }
  const int result = pcre2_match(code.code.get(), subject.data(), subject.size(), start_offset, 0,
                                 data_.get(), context_.get());
  if (result >= 0) {
    groups_ = result == 0 ? groups_max : static_cast<uint32_t>(result);
    return Outcome::match;
  }
  return result == PCRE2_ERROR_NOMATCH ? Outcome::no_match : Outcome::limit;
}

std::optional<PcreRunner::Group> PcreRunner::group(uint32_t number) const noexcept {
  if (number >= groups_) {
    return std::nullopt;
  }
  const PCRE2_SIZE* const places = pcre2_get_ovector_pointer(data_.get());
  const PCRE2_SIZE first = places[size_t{2} * number];
  const PCRE2_SIZE last = places[size_t{2} * number + 1];
  if (first == PCRE2_UNSET || last < first) {
    return std::nullopt;  // `\K` in a look-ahead may set the start behind the end
  }
  return Group{static_cast<uint32_t>(first), static_cast<uint32_t>(last)};
}

}  // namespace shrike::detect

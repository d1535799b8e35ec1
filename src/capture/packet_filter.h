#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "record.h"
#include "shrike/base/diagnostics.h"

struct bpf_program;

namespace shrike::capture {

/// A libpcap expression, compiled for each link type that turns up.
class PacketFilter {
 public:
  /// @param expression empty: everything passes.
  explicit PacketFilter(std::string expression);
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  [[nodiscard]] bool is_empty() const noexcept { return expression_.empty(); }
  /// Whether the expression makes sense for any of the link types we know; else says why.
  bool check_expression(Diagnostics& diagnostics);

  /// Chooses the program for frames of a link type, compiling it where it is new.
  /// @return false where the expression does not fit that link type; why() tells.
  bool select(uint32_t link_number);
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  /// REQUIRES: !is_empty(), and select() gave true.
  [[nodiscard]] bool passes(const Record& record) const noexcept;

 private:
  struct Program;
  bool compile(int pcap_number, Program& program);

  std::string expression_;
  std::string why_;
  std::vector<std::unique_ptr<Program>> programs_;
  const Program* selected_ = nullptr;
};

}  // namespace shrike::capture

#include "packet_filter.h"

#include <pcap/pcap.h>

#include "link_types.h"

namespace shrike::capture {

struct PacketFilter::Program {
  uint32_t link_number = 0;
  bool is_compiled = false;
  std::string why;
  bpf_program code{};

  Program() = default;
  ~Program() { pcap_freecode(&code); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
};

PacketFilter::PacketFilter(std::string expression) : expression_(std::move(expression)) {}

PacketFilter::~PacketFilter() = default;

bool PacketFilter::compile(int pcap_number, Program& program) {
  pcap_t* const handle = pcap_open_dead(pcap_number, static_cast<int>(captured_bytes_max));
  if (handle == nullptr) {
    program.why = "libpcap has no memory";
    return false;
  }
  constexpr int optimize = 1;
  const int outcome =
      pcap_compile(handle, &program.code, expression_.c_str(), optimize, PCAP_NETMASK_UNKNOWN);
  if (outcome != 0) {
    program.why = pcap_geterr(handle);
  }
  pcap_close(handle);
  return outcome == 0;
}

bool PacketFilter::check_expression(Diagnostics& diagnostics) {
  std::string why;
  for (const int pcap_number :
       {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_IEEE802_11_RADIO, DLT_PPP, DLT_C_HDLC, DLT_NULL}) {
    Program program;
    if (is_empty() || compile(pcap_number, program)) {
      return true;
    }
    if (why.empty()) {
      why = program.why;
    }
  }
  diagnostics.error({}, "capture-filter", "'{}' is no packet filter: {}", expression_, why);
  return false;
}

bool PacketFilter::select(uint32_t link_number) {
  selected_ = nullptr;
  for (const std::unique_ptr<Program>& program : programs_) {
    if (program->link_number == link_number) {
      selected_ = program.get();
    }
  }
  if (selected_ == nullptr) {
    Program& program = *programs_.emplace_back(std::make_unique<Program>());
    program.link_number = link_number;
    program.is_compiled = compile(to_pcap_number(link_number), program);
    selected_ = &program;
  }
  why_ = selected_->why;
  return selected_->is_compiled;
}

bool PacketFilter::passes(const Record& record) const noexcept {
  return bpf_filter(selected_->code.bf_insns, record.frame.data(), record.wire_bytes,
                    static_cast<uint32_t>(record.frame.size())) != 0;
}

}  // namespace shrike::capture

#pragma once
#include <array>
#include <vector>

#include "parser.h"

/// Which protocol a flow speaks, from the start of its bytes. The order of looks and the moments at
/// which it gives up are Suricata's: patterns, then probes on ports; what is announced by another
/// flow comes last and is the engine's.
namespace shrike::protocol {

/// What is known of one direction of a flow. Cheap to make anew.
struct SideIdentity {
  AppProtocol protocol = AppProtocol::unknown;  ///< failed: only the other direction was known
  bool patterns_done = false;                   ///< no pattern can match any more
  bool probes_done = false;
  bool expectations_done = false;
  bool is_closed = false;  ///< nothing more will be tried: found, given up, or a gap at the start
  uint64_t said_no = 0;    ///< protocols whose probes refused, by 1 << AppProtocol
};

/// What a look is about.
struct Look {
  uint8_t transport = ip_protocol::tcp;
  Direction direction = Direction::to_server;
  Bytes bytes;  ///< from the start of the direction
  uint16_t client_port = 0;
  uint16_t server_port = 0;
  AppProtocol expected = AppProtocol::unknown;  ///< what a change of protocol asked for
  AppProtocol other = AppProtocol::unknown;     ///< of the other direction; `identify` fills it
};

struct Identified {
  AppProtocol protocol = AppProtocol::unknown;
  bool is_reversed = false;  ///< these bytes are of the other direction than the flow says
};

/// All pattern rows of one transport and direction; looks for all of them in one pass.
class PatternTable {
 public:
  void add(const Pattern& pattern, AppProtocol protocol);
  /// After the last add.
  void build();

  enum class Outcome : uint8_t { found, maybe_later, never };
  struct Result {
    Outcome outcome = Outcome::never;
    Identified identified;
  };
  /// @param other what the other direction was identified as.
  [[nodiscard]] Result look(Bytes bytes, Direction direction,
                            AppProtocol other = AppProtocol::unknown) const noexcept;

 private:
  struct Entry {
    const Pattern* pattern = nullptr;
    AppProtocol protocol = AppProtocol::unknown;
  };
  [[nodiscard]] static bool is_at(const Pattern& pattern, Bytes bytes, size_t position) noexcept;
  [[nodiscard]] static bool confirm(const Entry& entry, Bytes bytes, Direction direction,
                                    Identified& identified) noexcept;

  std::vector<Entry> entries_;
  std::array<uint16_t, 257> first_{};  ///< candidates_ by first byte
  std::vector<uint16_t> candidates_;
  uint16_t depth_max_ = 0;
  uint16_t confirm_bytes_max_ = 0;
};

class Identifier {
 public:
  explicit Identifier(const ProtocolOptions& options);

  /// Looks at the start of one direction. What it finds, it only returns; `sides` get notes of what
  /// need not be tried again.
  [[nodiscard]] Identified identify(Look look, std::array<SideIdentity, 2>& sides) const noexcept;

 private:
  struct PortProbe {
    const Probe* probe = nullptr;
    AppProtocol protocol = AppProtocol::unknown;
    std::vector<uint16_t> server_ports;
    std::vector<uint16_t> client_ports;
  };
  using Candidates = std::vector<const PortProbe*>;
  /// A port with probes for it, as server's or as client's.
  struct PortEntry {
    uint16_t port = 0;
    Candidates as_server;
    Candidates as_client;
    uint64_t mask = 0;  ///< protocols of both
  };

  void add_row(const ParserRow& row, const ProtocolSetting& setting);
  void index_ports();
  [[nodiscard]] const PortEntry* find_port(size_t table, uint16_t port) const noexcept;
  [[nodiscard]] Identified look_for_patterns(const Look& look,
                                             std::array<SideIdentity, 2>& sides) const noexcept;
  [[nodiscard]] Identified ask_probes(const Look& look,
                                      std::array<SideIdentity, 2>& sides) const noexcept;
  [[nodiscard]] Identified ask_ports(const Look& look, Direction as, AppProtocol hinted,
                                     SideIdentity& notes) const noexcept;
  [[nodiscard]] static Identified ask(const PortProbe& candidate, const Look& look,
                                      uint64_t& said_no) noexcept;

  std::array<std::array<PatternTable, 2>, 2> patterns_;  ///< [is UDP][direction]
  std::vector<PortProbe> probes_;
  std::array<std::vector<PortEntry>, 2> ports_;  ///< [is UDP], sorted by port
  bool tries_both_ways_;
};

}  // namespace shrike::protocol

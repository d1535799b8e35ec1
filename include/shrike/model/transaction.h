#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/app_event.h"
#include "shrike/model/app_protocol.h"
#include "shrike/model/field.h"
#include "shrike/model/stream.h"

/// What the application layer says about a flow: its protocol, and its transactions as named
/// fields. `protocol` fills it, `detect` reads it, and neither knows the other.
namespace shrike {

/// A body (or file) that grows while it passes. Detect looks at a window of it: it waits for
/// `inspect_bytes_min` unless nothing follows, then looks at what is new and some bytes before it.
/// Source: Suricata user guide, "request-body-minimal-inspect-size" and its relatives.
struct GrowingBody {
  Bytes bytes;            ///< what is kept, behind `offset`; moves when the body grows
  uint64_t offset = 0;    ///< of bytes[0] in the body
  bool is_whole = false;  ///< nothing follows: it ended, or its limit is reached
  uint32_t inspect_bytes_min = 32768;
  uint32_t window_bytes = 4096;
  mutable uint64_t inspected_bytes = 0;     ///< detect has seen all before this; it writes it
  mutable bool is_inspected_whole = false;  ///< … and so it was when `is_whole` was true

  [[nodiscard]] uint64_t length() const noexcept { return offset + bytes.size(); }
};

/// One value of one field in one direction of a transaction. Values are only ever added at the
/// end, and never change; only what `body` points to grows.
struct FieldValue {
  Field field = Field::payload;
  uint8_t file = 0;                   ///< of which file of the transaction, from 1; 0: of none
  uint64_t number = 0;                ///< numeric fields
  Bytes bytes;                        ///< lives as long as the transaction
  const GrowingBody* body = nullptr;  ///< growing fields: instead of `bytes`
};

/// A request with its answer, or whatever unit a protocol has. Rules are matched within one
/// transaction and direction, and fire once for it.
struct Transaction {
  AppProtocol protocol = AppProtocol::unknown;
  uint64_t id = 0;  ///< EVE tx_id: 0 for the first of its flow
  std::array<Progress, 2> progress{};
  /// Nothing to inspect in that direction (DNS: a query has no to_client side).
  std::array<bool, 2> skips{};
  std::array<std::span<const FieldValue>, 2> values;
  std::array<std::span<const AppEvent>, 2> events;

  /// What detect has done in each direction. Only detect writes it.
  struct Notes {
    uint32_t values_seen = 0;  ///< values [0, values_seen) were scanned
    uint32_t events_seen = 0;
    uint64_t generation = 0;  ///< of the rules that looked, 0: none yet
    Progress progress_seen = Progress::started;
    bool is_begun = false;
    bool is_done = false;  ///< complete and inspected: never looked at again
  };
  mutable std::array<Notes, 2> notes;

  /// Nothing is left to inspect in that direction, now and later.
  [[nodiscard]] bool is_inspected_in(Direction direction) const noexcept {
    const auto side = static_cast<size_t>(direction);
    return skips[side] || notes[side].is_done;
  }
  [[nodiscard]] Progress progress_in(Direction direction) const noexcept {
    return progress[static_cast<size_t>(direction)];
  }
  [[nodiscard]] std::span<const FieldValue> values_in(Direction direction) const noexcept {
    return values[static_cast<size_t>(direction)];
  }
};

/// The application layer of one flow, as of the datagram at hand. Borrowed from the parsers; valid
/// until their next call.
struct AppView {
  AppProtocol protocol = AppProtocol::unknown;  ///< unknown: not identified yet; or failed
  /// Identified in each direction by itself (Suricata: alproto_ts, alproto_tc).
  std::array<AppProtocol, 2> by_direction{};
  AppProtocol original = AppProtocol::unknown;  ///< before STARTTLS, CONNECT …; unknown: the same
  AppProtocol expected = AppProtocol::unknown;  ///< another flow announced this one
  uint64_t parent_eve_id = 0;                   ///< … that one: EVE parent_id
  std::array<bool, 2> identification_done{};
  std::span<const Transaction* const> transactions;  ///< not yet freed, by id
  std::array<std::span<const AppEvent>, 2> events;   ///< of the flow, since the last datagram
  bool is_changing = false;        ///< it becomes another protocol with its next bytes
  bool has_changed = false;        ///< data came for this datagram: something may be new
  std::array<bool, 2> has_data{};  ///< … and in which directions it went
};

}  // namespace shrike

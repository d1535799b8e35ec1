#pragma once
#include <memory>
#include <vector>

#include "expectations.h"
#include "identify.h"
#include "protocol_counters.h"

namespace shrike::protocol {

/// One direction of a flow: what it is, and its bytes that nobody consumed yet.
struct FlowSide {
  explicit FlowSide(Pool& pool) noexcept : kept(pool) {}
  SideIdentity identity;
  bool is_stuck = false;  ///< bytes were lost behind `kept` before the protocol was known
  bool is_ended = false;  ///< nothing more comes
  bool is_due = false;    ///< `kept` is to be looked at again though no bytes came
  uint64_t offset = 0;    ///< of kept[0] in the stream
  size_t needed = 0;      ///< the parser wants so many bytes before it is called again
  PoolBytes kept;
};

/// The application layer of one flow, from its first bytes to its end. In the core's Pool.
struct FlowLayer {
  explicit FlowLayer(Pool& pool) noexcept : sides{FlowSide(pool), FlowSide(pool)} {}
  FlowSide& side(Direction direction) noexcept { return sides[static_cast<size_t>(direction)]; }

  /// Whose bytes were seen first; `parsed`: a parser has had bytes, and it no longer matters.
  enum class First : uint8_t { none, to_server, to_client, parsed };

  AppProtocol protocol = AppProtocol::unknown;
  AppProtocol original = AppProtocol::unknown;
  AppProtocol wanted = AppProtocol::unknown;  ///< what a change of protocol should come to
  AppProtocol announced = AppProtocol::unknown;
  First first = First::none;
  Direction shown = Direction::to_server;  ///< direction of the last datagram
  bool is_udp = false;
  bool is_changing = false;            ///< the next bytes are identified anew
  bool is_closed = false;              ///< no byte of this flow is looked at any more
  std::array<bool, 2> stores_files{};  ///< a rule asked for all files of the flow
  bool announces = false;              ///< has announced other flows
  uint16_t probe_port = 0;             ///< instead of the server's, 0: none
  uint64_t eve_id = 0;
  uint64_t parent_eve_id = 0;
  std::array<bool, 2> is_identified{};
  std::array<FlowSide, 2> sides;
  Session* session = nullptr;      ///< when the first parser began
  const ParserRow* row = nullptr;  ///< of `parser`
  void* parser = nullptr;
};

/// The parsers of one core: feeds them, and frees what they made.
class Engine {
 public:
  explicit Engine(const ProtocolOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const AppView* parse(const Tracked& tracked, std::span<const AppChunk> chunks) noexcept;
  [[nodiscard]] const AppWishes& wishes() const noexcept { return wishes_; }
  void settle(const Tracked& tracked) noexcept;
  [[nodiscard]] std::span<const Transaction* const> finished() const noexcept { return finished_; }
  const AppView* release(FlowId flow) noexcept;
  void store_files(FlowId flow, std::array<bool, 2> sides) noexcept;
  [[nodiscard]] bool stores_files(FlowId flow, Direction direction) const noexcept;
  void reset() noexcept;
  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  /// Bytes of one direction on their way to a parser.
  struct Portion {
    Direction direction = Direction::to_server;
    Bytes bytes;  ///< all that is not consumed, from the side's offset
    bool is_end = false;
    size_t consumed = 0;
  };

  // engine.cpp: flows and their transactions
  FlowLayer* layer_of(const Tracked& tracked) noexcept;
  FlowLayer* open_layer(const Tracked& tracked) noexcept;
  void destroy(FlowLayer* layer) noexcept;
  void free_finished() noexcept;
  [[nodiscard]] static AppView identity_of(const FlowLayer& layer) noexcept;
  const AppView* show(FlowLayer& layer, bool has_changed) noexcept;
  void raise(AppEvent event) noexcept;

  // engine_streams.cpp: the order of identification and parsing
  bool take_datagram(FlowLayer& layer) noexcept;
  bool take_chunks(FlowLayer& layer, std::span<const AppChunk> chunks) noexcept;
  void take(FlowLayer& layer, const AppChunk& chunk) noexcept;
  void take_gap(FlowLayer& layer, const AppChunk& chunk) noexcept;
  void look_again(FlowLayer& layer, Direction direction) noexcept;
  void handle(FlowLayer& layer, Portion& portion) noexcept;
  bool detect(FlowLayer& layer, Portion& portion) noexcept;
  bool begin_parsing(FlowLayer& layer, Portion& portion) noexcept;
  void go_on_undetected(FlowLayer& layer, Portion& portion) noexcept;
  void change(FlowLayer& layer, Portion& portion) noexcept;
  void give_up_or_wait(FlowLayer& layer) noexcept;
  void keep_rest(FlowLayer& layer, const Portion& portion, bool is_kept) noexcept;
  [[nodiscard]] AppProtocol identify(FlowLayer& layer, const Portion& portion,
                                     bool& is_reversed) noexcept;
  void swap_sides(FlowLayer& layer) noexcept;
  void disable(FlowLayer& layer) noexcept;

  // engine_feeding.cpp: a parser at work
  void feed(FlowLayer& layer, Portion& portion, uint64_t gap_bytes = 0) noexcept;
  bool ready_parser(FlowLayer& layer) noexcept;
  void drop_parser(FlowLayer& layer) noexcept;
  void after_parse(FlowLayer& layer, uint64_t opened_before) noexcept;
  void take_change(FlowLayer& layer) noexcept;
  void stop(FlowLayer& layer, ProtocolCounter reason) noexcept;
  void close(FlowLayer& layer) noexcept;

  static constexpr size_t kept_bytes_max = 1 << 20;  ///< per direction: the reassembly depth

  const ProtocolOptions options_;
  Pool pool_;
  Identifier identifier_;
  Expectations expectations_;
  ProtocolCounters counters_;
  std::unique_ptr<FlowLayer*[]> layers_;
  size_t slots_used_ = 0;  ///< no layer at or above it since the last reset
  // Of the datagram at hand.
  const Tracked* tracked_ = nullptr;
  Direction direction_ = Direction::to_server;  ///< of the datagram
  AppWishes wishes_;
  std::array<bool, 2> has_data_{};        ///< a parser was given bytes of that direction
  const FlowLayer* announced_ = nullptr;  ///< the flow that `announcement_` was about
  Expectation announcement_;
  AppView view_;
  std::vector<const Transaction*> shown_;
  std::array<std::vector<AppEvent>, 2> events_;
  // Of the last settle or release, to be freed.
  std::vector<const Transaction*> finished_;
  std::vector<AppTransaction*> to_free_;
  Session* to_free_from_ = nullptr;
  FlowLayer* to_destroy_ = nullptr;
};

}  // namespace shrike::protocol

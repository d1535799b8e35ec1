#include "shrike/protocol.h"

#include "engine.h"
#include "files.h"

namespace shrike::protocol {

struct ProtocolParsers::State {
  Engine engine;
};

ProtocolParsers::ProtocolParsers(const ProtocolOptions& options)
    : state_(new State{Engine(options)}) {}
ProtocolParsers::~ProtocolParsers() = default;
ProtocolParsers::ProtocolParsers(ProtocolParsers&&) noexcept = default;

const AppView* ProtocolParsers::parse(const Tracked& tracked,
                                      std::span<const AppChunk> chunks) noexcept {
  return state_->engine.parse(tracked, chunks);
}

const AppWishes& ProtocolParsers::wishes() const noexcept {
  return state_->engine.wishes();
}

void ProtocolParsers::settle(const Tracked& tracked) noexcept {
  state_->engine.settle(tracked);
}

std::span<const Transaction* const> ProtocolParsers::finished() const noexcept {
  return state_->engine.finished();
}

const AppView* ProtocolParsers::release(FlowId flow) noexcept {
  return state_->engine.release(flow);
}

void ProtocolParsers::reset() noexcept {
  state_->engine.reset();
}

void ProtocolParsers::describe(const Transaction& transaction, JsonWriter& json) const {
  const ParserRow* row = find_parser_row(transaction.protocol);
  if (row == nullptr && transaction.protocol == AppProtocol::doh2) {
    row = find_parser_row(AppProtocol::http2);
  }
  if (row != nullptr && row->describe != nullptr) {
    row->describe(static_cast<const AppTransaction&>(transaction), json);
  }
}

void ProtocolParsers::describe_files(const Transaction& transaction, Direction direction,
                                     JsonWriter& json) const {
  protocol::describe_files(static_cast<const AppTransaction&>(transaction), direction, json);
}

size_t ProtocolParsers::count_files(const Transaction& transaction) const noexcept {
  return static_cast<const AppTransaction&>(transaction).files().size();
}

Direction ProtocolParsers::describe_file(const Transaction& transaction, size_t index,
                                         JsonWriter& json) const {
  return protocol::describe_file(static_cast<const AppTransaction&>(transaction), index, json);
}

namespace {

/// What detect and the records only read is the parsers' own.
AppTransaction& own(const Transaction& transaction) noexcept {
  return static_cast<AppTransaction&>(const_cast<Transaction&>(transaction));
}

}  // namespace

void ProtocolParsers::store_files(const Transaction& transaction,
                                  std::array<bool, 2> sides) noexcept {
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    if (sides[static_cast<size_t>(direction)]) {
      own(transaction).store_files(direction);
    }
  }
}

void ProtocolParsers::store_files(FlowId flow, std::array<bool, 2> sides) noexcept {
  state_->engine.store_files(flow, sides);
}

std::optional<FilePiece> ProtocolParsers::next_file_piece(FlowId flow,
                                                          const Transaction& transaction,
                                                          size_t index, uint64_t file_id,
                                                          bool is_over) noexcept {
  AppTransaction& owned = own(transaction);
  File& file = *owned.files()[index];
  file.storage.is_wanted |= state_->engine.stores_files(flow, file.direction);
  return owned.take_piece(file, file_id, is_over);
}

std::vector<CounterView> ProtocolParsers::counters() const {
  return state_->engine.counters();
}

bool has_parser(AppProtocol protocol) noexcept {
  const ParserRow* const row = find_parser_row(protocol);
  return row != nullptr && row->parse != nullptr;
}

bool is_identified(AppProtocol protocol) noexcept {
  return find_parser_row(protocol) != nullptr;
}

}  // namespace shrike::protocol

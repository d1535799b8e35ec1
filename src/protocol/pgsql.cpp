#include "pgsql.h"

namespace shrike::protocol {

namespace {

using enum Direction;
using pgsql::Fault;
using pgsql::Kind;
using pgsql::Message;
using pgsql::Read;

bool is_ssl_answer(uint8_t first) noexcept {
  return first == 'N' || first == 'S';
}

Probe::Answer probe(Bytes bytes, Direction direction) {
  if (direction == to_client && is_ssl_answer(bytes[0])) {
    return Probe::Answer::yes;
  }
  const Read read =
      direction == to_server ? pgsql::read_request(bytes) : pgsql::read_response(bytes);
  if (read.fault == Fault::none) {
    return Probe::Answer::yes;
  }
  return read.fault == Fault::cut_short ? Probe::Answer::more : Probe::Answer::no;
}

constexpr uint16_t ports[] = {5432};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 1, 16, probe, true}};

/// Messages of the client that end its part of a transaction.
bool ends_request(Kind kind) noexcept {
  switch (kind) {
    case Kind::ssl_request:
    case Kind::startup:
    case Kind::query:
    case Kind::password:
    case Kind::sasl_initial:
    case Kind::sasl_response:
    case Kind::cancel:
    case Kind::copy_done:
    case Kind::copy_fail:
    case Kind::terminate:
      return true;
    default:
      return false;
  }
}

/// Messages of the server after which the client speaks.
bool ends_response(Kind kind) noexcept {
  switch (kind) {
    case Kind::ready:
    case Kind::ssl_accepted:
    case Kind::ssl_rejected:
    case Kind::authentication_clear:
    case Kind::authentication_md5:
    case Kind::authentication_sasl:
    case Kind::authentication_sasl_continue:
    case Kind::authentication_sasl_final:
    case Kind::copy_in_response:
      return true;
    default:
      return false;
  }
}

bool moves_on(Kind kind) noexcept {
  return kind != Kind::unknown && kind != Kind::notice && kind != Kind::notification &&
         kind != Kind::authentication_sspi;
}

/// The rows so far become one message.
void close_rows(PgsqlTransaction& transaction, PoolVector<Message>& list, Kind kind) {
  if (transaction.rows != 0) {
    list.push_back({kind, {}, transaction.rows, transaction.row_bytes});
    transaction.rows = 0;
    transaction.row_bytes = 0;
  }
}

void keep(PgsqlTransaction& transaction, PoolVector<Message>& list, Message message) {
  if (list.size() < PgsqlTransaction::messages_max) {
    message.content = transaction.keep(message.content);
    list.push_back(message);
  }
}

}  // namespace

constinit const ParserRow pgsql_row = row_of_parser<PgsqlParser>(
    {.protocol = AppProtocol::pgsql, .probes = probes, .accepts_gaps = true});

Read PgsqlParser::read(Direction direction, Bytes bytes) const {
  if (direction == to_client) {
    if (state_ != Kind::ssl_request) {
      return pgsql::read_response(bytes);
    }
    if (!is_ssl_answer(bytes[0])) {
      return {.fault = Fault::passed_over};
    }
    const Kind kind = bytes[0] == 'S' ? Kind::ssl_accepted : Kind::ssl_rejected;
    return {.message = {.kind = kind}, .bytes = 1};
  }
  switch (state_) {
    case Kind::authentication_sasl:
      return pgsql::read_secret(bytes, Kind::sasl_initial);
    case Kind::sasl_initial:
    case Kind::authentication_sasl_continue:
      return pgsql::read_secret(bytes, Kind::sasl_response);
    case Kind::authentication_clear:
    case Kind::authentication_md5:
      return pgsql::read_secret(bytes, Kind::password);
    default:
      return pgsql::read_request(bytes);
  }
}

/// After a gap. Suricata's test of the client's bytes is the wrong way round: what reads well is
/// passed over.
bool PgsqlParser::is_out_of_step(const Input& input) {
  bool& has_gap = has_gap_[static_cast<size_t>(input.direction)];
  if (has_gap) {
    const bool is_to_server = input.direction == to_server;
    const Read read =
        is_to_server ? pgsql::read_request(input.bytes) : pgsql::read_response(input.bytes);
    const bool reads_well = read.fault == Fault::none;
    has_gap = is_to_server ? reads_well : !reads_well && !is_ssl_answer(input.bytes[0]);
  }
  return has_gap;
}

Consumed PgsqlParser::parse(const Input& input) {
  if (input.gap_bytes != 0) {
    has_gap_[static_cast<size_t>(input.direction)] = true;
  }
  if (input.bytes.empty() || is_out_of_step(input)) {
    return Consumed::all(input);
  }
  size_t at = 0;
  while (at < input.bytes.size()) {
    const Read step = read(input.direction, input.bytes.subspan(at));
    if (step.fault == Fault::cut_short) {
      return {.bytes = at, .needed = step.needed};
    }
    if (step.fault == Fault::malformed) {
      open().raise(input.direction, input.direction == to_server
                                        ? AppEvent::pgsql_malformed_request
                                        : AppEvent::pgsql_malformed_response);
    }
    if (step.fault == Fault::bad_length) {
      return Consumed::broken();
    }
    if (step.fault != Fault::none) {
      return Consumed::all(input);
    }
    input.direction == to_server ? take_request(step.message) : take_response(step.message);
    at += step.bytes;
  }
  return {.bytes = at};
}

void PgsqlParser::move_on(Direction direction, const Message& message) {
  if (!moves_on(message.kind)) {
    return;
  }
  if (message.kind == Kind::copy_data && direction == to_server) {
    if (state_ != Kind::copy_in_response && state_ != Kind::copy_data) {
      return;
    }
    is_first_copy_ = state_ == Kind::copy_in_response;
  } else {
    is_first_copy_ = false;
  }
  state_ = message.kind;
}

bool PgsqlParser::begins_transaction() const noexcept {
  switch (state_) {
    case Kind::unknown:
    case Kind::startup:
    case Kind::password:
    case Kind::sasl_initial:
    case Kind::sasl_response:
    case Kind::query:
    case Kind::ssl_request:
    case Kind::terminate:
    case Kind::cancel:
      return true;
    default:
      return is_first_copy_;
  }
}

/// The oldest unfinished one goes where there are too many.
PgsqlTransaction& PgsqlParser::open() {
  const auto all = session_.transactions();
  if (all.size() + 1 >= session_.options().transactions_per_flow_max) {
    for (AppTransaction* const each : all) {
      if (!each->is_complete()) {
        each->raise(to_server, AppEvent::pgsql_too_many_transactions);
        each->raise(to_client, AppEvent::pgsql_too_many_transactions);
        each->complete();
        break;
      }
    }
  }
  auto& transaction = session_.open<PgsqlTransaction>();
  transaction.number = ++opened_;
  return transaction;
}

PgsqlTransaction* PgsqlParser::find_or_open() {
  if (begins_transaction()) {
    return &open();
  }
  const auto all = session_.transactions();
  return all.empty() ? nullptr : static_cast<PgsqlTransaction*>(all.back());
}

void PgsqlParser::take_request(const Message& message) {
  move_on(to_server, message);
  PgsqlTransaction* const transaction = find_or_open();
  if (transaction == nullptr) {
    return;
  }
  if (message.kind == Kind::copy_data && state_ == Kind::copy_data) {
    ++transaction->rows;
    transaction->row_bytes += message.second;
  }
  if (!ends_request(message.kind)) {
    return;
  }
  if (message.kind == Kind::copy_done || message.kind == Kind::copy_fail) {
    close_rows(*transaction, transaction->requests, Kind::copy_data);
  }
  keep(*transaction, transaction->requests, message);
  if (message.kind == Kind::query) {
    transaction->add(to_server, Field::pgsql_query, message.content);
  }
  transaction->reach(to_server, Progress::complete);
  if (message.kind == Kind::terminate || message.kind == Kind::cancel) {
    transaction->reach(to_client, Progress::complete);  // nobody answers
  }
  session_.inspect_raw_now(to_server);
}

void PgsqlParser::take_response(const Message& message) {
  move_on(to_client, message);
  if (message.kind == Kind::ssl_accepted) {
    session_.change_protocol(AppProtocol::unknown, AppProtocol::tls);
  }
  PgsqlTransaction* const transaction = find_or_open();
  if (transaction == nullptr || !moves_on(message.kind)) {
    return;
  }
  if (message.kind == Kind::data_row || message.kind == Kind::copy_data) {
    ++transaction->rows;
    transaction->row_bytes += message.second;
    return;
  }
  if (message.kind == Kind::command_complete) {
    close_rows(*transaction, transaction->responses, Kind::data_row);
  } else if (message.kind == Kind::copy_done) {
    close_rows(*transaction, transaction->responses, Kind::copy_data);
  }
  keep(*transaction, transaction->responses, message);
  if (ends_response(message.kind)) {
    transaction->complete();
    session_.inspect_raw_now(to_client);
  }
}

}  // namespace shrike::protocol

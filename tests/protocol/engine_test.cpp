// The engine with protocols of its own: this file's table of rows takes the place of parsers.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "conversation.h"
#include "parser.h"

namespace shrike::protocol {

namespace {

using test::Conversation;
using test::small_options;

/// Lines ended by '\n'; each is a transaction with its text as one value. Some words ask for what
/// parsers may ask for.
class LineParser {
 public:
  explicit LineParser(Session& session) : session_(session) {}
  static void describe(const AppTransaction& transaction, JsonWriter& json) {
    json.text("line", transaction.text(Direction::to_server, Field::http_uri));
  }
  Consumed parse(const Input& input) {
    if (input.gap_bytes != 0) {
      line(input.direction, "<gap>");
      return Consumed::all(input);
    }
    size_t at = 0;
    while (true) {
      const std::string_view rest = as_text(input.bytes.subspan(at));
      const size_t end = rest.find('\n');
      if (end == std::string_view::npos) {
        break;
      }
      const std::string_view text = rest.substr(0, end);
      at += end + 1;
      if (text == "broken") {
        return Consumed::broken();
      }
      line(input.direction, text);
      if (text == "starttls" || text == "upgrade") {
        session_.change_protocol(AppProtocol::unknown,
                                 text == "starttls" ? AppProtocol::tls : AppProtocol::unknown);
        return {.bytes = at};
      }
    }
    if (input.is_end) {
      line(input.direction, "<end>");
    }
    return {.bytes = at};
  }

 private:
  void line(Direction direction, std::string_view text) {
    AppTransaction& transaction = session_.open();
    transaction.add(direction, Field::http_uri, text);
    transaction.skip(opposite(direction));
    transaction.reach(direction, Progress::complete);
    if (text == "stop") {
      session_.stop_parsing();
    } else if (text == "secret") {
      session_.pass_encrypted(text.size());
    } else if (text == "raw") {
      session_.inspect_raw_now(direction);
    } else if (text == "event") {
      session_.raise(direction, AppEvent::smtp_invalid_reply);
    } else if (text == "expect") {
      Expectation expectation;
      expectation.client = session_.flow().client;
      expectation.server = session_.flow().server;
      expectation.server_port = 5001;
      expectation.protocol = AppProtocol::ftp_data;
      expectation.number = 7;
      session_.expect(expectation);
    }
  }
  Session& session_;
};

/// Takes everything; one transaction of all that came.
class DataParser {
 public:
  explicit DataParser(Session& session) : session_(session) {}
  static void describe(const AppTransaction&, JsonWriter&) {}
  Consumed parse(const Input& input) {
    AppTransaction& transaction = session_.open();
    transaction.add(input.direction, Field::http_uri, input.bytes);
    if (session_.announced_by() != nullptr) {
      transaction.add_number(input.direction, Field::http_uri, session_.announced_by()->number);
    }
    transaction.complete();
    return Consumed::all(input);
  }

 private:
  Session& session_;
};

constexpr Pattern client_speaks(std::string_view text) {
  return {.text = text, .depth = static_cast<uint16_t>(text.size())};
}
constexpr Pattern server_speaks(std::string_view text) {
  return {
      .direction = Direction::to_client, .text = text, .depth = static_cast<uint16_t>(text.size())};
}

constexpr std::array line_patterns{client_speaks("LINE"), server_speaks("HELO")};
constexpr std::array server_first_patterns{client_speaks("USER"), server_speaks("220 ")};
constexpr std::array tls_patterns{client_speaks("\x16\x03\x01"), server_speaks("\x16\x03\x01")};
constexpr std::array<uint16_t, 1> ssh_ports{2222};
constexpr std::array ssh_probes{
    Probe{.server_ports = ssh_ports,
          .bytes_min = 2,
          .bytes_max = 8,
          .probe =
              [](Bytes bytes, Direction) {
                return bytes[0] == 'S' ? bytes[1] == 'S' ? Probe::Answer::yes : Probe::Answer::more
                                       : Probe::Answer::no;
              }},
    Probe{.transport = ip_protocol::udp,
          .server_ports = ssh_ports,
          .bytes_min = 1,
          .probe = [](Bytes bytes, Direction direction) {
            if (bytes[0] == 'R' && direction == Direction::to_server) {
              return Probe::Answer::yes_reversed;
            }
            return bytes[0] == 'S' || bytes[0] == 'R' ? Probe::Answer::yes : Probe::Answer::no;
          }}};

const std::array rows{
    row_of_parser<LineParser>(
        {.protocol = AppProtocol::http1, .patterns = line_patterns, .accepts_gaps = true}),
    row_of_parser<LineParser>({.protocol = AppProtocol::smtp,
                               .patterns = server_first_patterns,
                               .speaks_first = FieldDirections::to_client}),
    row_of_parser<DataParser>({.protocol = AppProtocol::tls, .patterns = tls_patterns}),
    row_of_parser<DataParser>({.protocol = AppProtocol::ssh, .probes = ssh_probes}),
    row_of_parser<DataParser>({.protocol = AppProtocol::ftp_data}),
};

}  // namespace

std::span<const ParserRow> parser_rows() noexcept {
  return rows;
}
const ParserRow* find_parser_row(AppProtocol protocol) noexcept {
  const auto at = std::find_if(rows.begin(), rows.end(), [protocol](const ParserRow& row) {
    return row.protocol == protocol;
  });
  return at == rows.end() ? nullptr : &*at;
}

namespace {

/// "to_server text" of each transaction, as "> text" and "< text".
std::vector<std::string> lines_of(const AppView* view) {
  std::vector<std::string> lines;
  for (const Transaction* const each : view->transactions) {
    for (const Direction side : {Direction::to_server, Direction::to_client}) {
      for (const FieldValue& value : each->values_in(side)) {
        if (!value.bytes.empty()) {
          lines.push_back((side == Direction::to_server ? "> " : "< ") +
                          std::string{as_text(value.bytes)});
        }
      }
    }
  }
  return lines;
}
using Lines = std::vector<std::string>;

bool has_event(const AppView* view, AppEvent event) {
  for (const auto& events : view->events) {
    if (std::find(events.begin(), events.end(), event) != events.end()) {
      return true;
    }
  }
  return false;
}

uint64_t count_of(const ProtocolParsers& parsers, std::string_view name) {
  const CounterView view = parsers.counters().front();
  for (size_t i = 0; i < view.rows.size(); ++i) {
    if (view.rows[i].name == name) {
      return view.values[i];
    }
  }
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

TEST(Engine, NoBytesNoLayer) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  EXPECT_EQ(talk.nudge(Direction::to_server), nullptr);
}

TEST(Engine, IdentifiesByPatternAndParses) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const AppView* view = talk.ask("LINE one\ntwo\nthr");
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_EQ(view->by_direction[0], AppProtocol::http1);
  EXPECT_EQ(view->by_direction[1], AppProtocol::unknown);
  EXPECT_TRUE(view->identification_done[0]);
  EXPECT_FALSE(view->identification_done[1]);
  EXPECT_TRUE(view->has_changed);
  EXPECT_EQ(view->has_data, (std::array{true, false}));
  EXPECT_EQ(lines_of(view), (Lines{"> LINE one", "> two"}));
  EXPECT_EQ(view->transactions[1]->id, 1u);
  EXPECT_EQ(view->transactions[1]->protocol, AppProtocol::http1);
  view = talk.answer("HELO\n");
  EXPECT_EQ(view->by_direction[1], AppProtocol::http1);
  EXPECT_EQ(view->has_data, (std::array{false, true}));
  view = talk.ask("ee\n");
  EXPECT_EQ(lines_of(view), (Lines{"> LINE one", "> two", "< HELO", "> three"}));
  EXPECT_EQ(count_of(parsers, "app_layer.flow.http"), 1u);
  EXPECT_EQ(count_of(parsers, "app_layer.tx.http"), 4u);
}

TEST(Engine, AnySegmentationGivesTheSame) {
  const std::string said = "LINE one\ntwo\nthree\nfour";
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    ProtocolParsers parsers(small_options());
    Conversation talk(parsers, {});
    const AppView* view = nullptr;
    for (size_t at = 0; at < said.size();) {
      const size_t bytes = round == 0 ? 1 : round == 1 ? said.size() : 1 + random() % 7;
      view = talk.ask(std::string_view{said}.substr(at, bytes));
      at += bytes;
    }
    view = talk.end(Direction::to_server);
    EXPECT_EQ(lines_of(view), (Lines{"> LINE one", "> two", "> three", "> <end>"}));
  }
}

TEST(Engine, FirstSpeakerIsParsedFirst) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const AppView* view = talk.ask("XX\n");  // could still be the start of nothing
  EXPECT_EQ(view->protocol, AppProtocol::unknown);
  view = talk.answer("HELO there\n");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  // The client's bytes were not of it, but go first all the same once the server's tell.
  EXPECT_EQ(lines_of(view), (Lines{"< HELO there"}));
  view = talk.ask("YYYY\n");
  EXPECT_EQ(lines_of(view), (Lines{"< HELO there", "> XX", "> YYYY"}));
  EXPECT_TRUE(has_event(view, AppEvent::applayer_detect_protocol_only_one_direction));
  EXPECT_EQ(view->by_direction[0], AppProtocol::failed);
  EXPECT_EQ(view->protocol, AppProtocol::http1);
}

TEST(Engine, FirstSpeakerWaitsUntilItsTextIsDecided) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("XXXXXXXX\n");
  const AppView* const view = talk.answer("HELO there\n");
  EXPECT_EQ(lines_of(view), (Lines{"> XXXXXXXX", "< HELO there"}));
}

TEST(Engine, FirstSpeakerMayBreakTheParserForItself) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("broken\n");
  talk.answer("HE");  // kept until the rest tells
  const AppView* view = talk.answer("LO there\n");
  EXPECT_EQ(lines_of(view), (Lines{"< HELO there"}));
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_TRUE(parsers.wishes().no_parser);
  view = talk.answer("more\n");
  EXPECT_EQ(lines_of(view), (Lines{"< HELO there"}));
}

TEST(Engine, WrongSpeakerEndsTheFlow) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const AppView* const view = talk.ask("USER a\n");
  EXPECT_TRUE(has_event(view, AppEvent::applayer_wrong_direction_first_data));
  EXPECT_EQ(view->protocol, AppProtocol::failed);
  EXPECT_TRUE(parsers.wishes().no_parser);
}

TEST(Engine, RightSpeakerFirst) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.answer("220 hello\n");
  const AppView* const view = talk.ask("USER a\n");
  EXPECT_EQ(lines_of(view), (Lines{"< 220 hello", "> USER a"}));
}

TEST(Engine, MismatchTrustsWhatIsParsed) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE\n");
  const AppView* const view = talk.answer("\x16\x03\x01\n");
  EXPECT_TRUE(has_event(view, AppEvent::applayer_mismatch_protocol_both_directions));
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_EQ(view->by_direction[1], AppProtocol::tls);
}

TEST(Engine, GivesUpWhenNothingCanMatch) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  EXPECT_EQ(talk.ask("what is this")->protocol, AppProtocol::unknown);
  const AppView* const view = talk.answer("I do not know");
  EXPECT_EQ(view->protocol, AppProtocol::failed);
  EXPECT_EQ(view->by_direction[0], AppProtocol::failed);
  EXPECT_TRUE(view->identification_done[0] && view->identification_done[1]);
  EXPECT_TRUE(parsers.wishes().no_parser);
  EXPECT_EQ(count_of(parsers, "app_layer.flow.failed_tcp"), 1u);
}

TEST(Engine, TooMuchOfOneSideIsSkipped) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const std::string much(60000, 'x');
  EXPECT_EQ(talk.ask(much)->protocol, AppProtocol::unknown);
  const AppView* const view = talk.ask(much);
  EXPECT_TRUE(has_event(view, AppEvent::applayer_proto_detection_skipped));
  EXPECT_EQ(view->protocol, AppProtocol::failed);
}

TEST(Engine, ProbesOnPorts) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {.server_port = 2222});
  EXPECT_EQ(talk.ask("S")->protocol, AppProtocol::unknown);
  EXPECT_EQ(talk.ask("S")->protocol, AppProtocol::ssh);
  Conversation other(parsers, {.server_port = 2223, .slot = 1});
  EXPECT_EQ(other.ask("SS")->protocol, AppProtocol::unknown);
}

TEST(Engine, OperatorsPortsReplaceAProbes) {
  ProtocolOptions options = small_options();
  options.protocols[static_cast<size_t>(AppProtocol::ssh)].server_ports = {2223};
  options.protocols[static_cast<size_t>(AppProtocol::ssh)].client_ports = {77};
  ProtocolParsers parsers(options);
  EXPECT_EQ(Conversation(parsers, {.server_port = 2222}).ask("SS")->protocol, AppProtocol::unknown);
  EXPECT_EQ(Conversation(parsers, {.server_port = 2223}).ask("SS")->protocol, AppProtocol::ssh);
  EXPECT_EQ(Conversation(parsers, {.server_port = 9, .client_port = 77}).ask("SS")->protocol,
            AppProtocol::ssh);
}

TEST(Engine, ModesOfAProtocol) {
  ProtocolOptions options = small_options();
  options.protocols[static_cast<size_t>(AppProtocol::http1)].mode =
      ProtocolSetting::Mode::identify_only;
  options.protocols[static_cast<size_t>(AppProtocol::tls)].mode = ProtocolSetting::Mode::off;
  ProtocolParsers parsers(options);
  const AppView* view = Conversation(parsers, {}).ask("LINE one\n");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_TRUE(view->transactions.empty());
  EXPECT_TRUE(parsers.wishes().no_parser);
  view = Conversation(parsers, {.slot = 1}).ask("\x16\x03\x01...");
  EXPECT_EQ(view->protocol, AppProtocol::unknown);
}

TEST(Engine, UdpLooksOnceInEachDirection) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {.transport = ip_protocol::udp, .server_port = 2222});
  const AppView* view = talk.ask("xx");
  EXPECT_EQ(view->protocol, AppProtocol::failed);
  EXPECT_EQ(view->by_direction[0], AppProtocol::failed);
  view = talk.answer("S1");
  EXPECT_EQ(view->protocol, AppProtocol::ssh);
  view = talk.ask("yy");
  EXPECT_EQ(lines_of(view), (Lines{"< S1", "> yy"}));
  EXPECT_TRUE(parsers.wishes().is_settled);
}

TEST(Engine, UdpTurnsRoundWhatBeganWithAnAnswer) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {.transport = ip_protocol::udp, .server_port = 2222});
  const AppView* const view = talk.ask("R");
  EXPECT_TRUE(parsers.wishes().swap_sides);
  EXPECT_EQ(lines_of(view), (Lines{"< R"}));
  EXPECT_EQ(view->by_direction[1], AppProtocol::ssh);
}

TEST(Engine, GapsForThoseWhoTakeThem) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nhalf");
  talk.lose(Direction::to_server, 100);
  EXPECT_EQ(lines_of(talk.ask("more\n")), (Lines{"> LINE one", "> <gap>", "> more"}));

  Conversation other(parsers, {.slot = 1});
  other.answer("220 hello\n");
  other.lose(Direction::to_client, 100);
  EXPECT_TRUE(parsers.wishes().no_parser);
  EXPECT_EQ(lines_of(other.ask("USER\n")), (Lines{"< 220 hello"}));
  EXPECT_EQ(count_of(parsers, "app_layer.error.smtp.gap"), 1u);
}

TEST(Engine, GapBeforeAnythingIsKnown) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.lose(Direction::to_server, 10);
  EXPECT_EQ(talk.ask("LINE one\n")->protocol, AppProtocol::unknown);
  const AppView* const view = talk.answer("HELO\n");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_EQ(view->by_direction[0], AppProtocol::unknown);
}

TEST(Engine, BrokenEndsParsingOnly) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nbroken\nthree\n");
  EXPECT_TRUE(parsers.wishes().no_parser);
  const AppView* const view = talk.ask("four\n");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_EQ(lines_of(view), (Lines{"> LINE one"}));
  EXPECT_EQ(count_of(parsers, "app_layer.error.http.parser"), 1u);
}

TEST(Engine, WishesOfTheParser) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nraw\n");
  EXPECT_TRUE(parsers.wishes().inspect_raw_now[0]);
  talk.ask("two\n");
  EXPECT_FALSE(parsers.wishes().inspect_raw_now[0]);
  talk.ask("stop\n");
  EXPECT_TRUE(parsers.wishes().no_parser);
}

TEST(Engine, EventsStayUntilADatagramOfTheirDirection) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\n");
  EXPECT_TRUE(has_event(talk.ask("event\n"), AppEvent::smtp_invalid_reply));
  EXPECT_TRUE(has_event(talk.nudge(Direction::to_server), AppEvent::smtp_invalid_reply));
  EXPECT_FALSE(has_event(talk.nudge(Direction::to_server), AppEvent::smtp_invalid_reply));
}

TEST(Engine, StartTls) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\n");
  talk.answer("HELO\nstarttls\n");
  EXPECT_TRUE(parsers.wishes().inspect_raw_now[0] && parsers.wishes().inspect_raw_now[1]);
  const AppView* view = talk.ask("\x16\x03");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  EXPECT_EQ(view->original, AppProtocol::http1);
  view = talk.ask("\x01hello");
  EXPECT_EQ(view->protocol, AppProtocol::tls);
  EXPECT_EQ(view->original, AppProtocol::http1);
  EXPECT_EQ(view->transactions.back()->protocol, AppProtocol::tls);
  EXPECT_EQ(view->transactions.back()->id, 0u);
  EXPECT_FALSE(has_event(view, AppEvent::applayer_no_tls_after_starttls));
  view = talk.answer("\x16\x03\x01 hello too");
  EXPECT_EQ(view->by_direction[1], AppProtocol::tls);
  EXPECT_EQ(lines_of(view).back(), "< \x16\x03\x01 hello too");
}

TEST(Engine, NoTlsAfterStartTls) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nstarttls\n");
  const AppView* const view = talk.ask("LINE again\n");
  EXPECT_TRUE(has_event(view, AppEvent::applayer_no_tls_after_starttls));
  EXPECT_TRUE(has_event(view, AppEvent::applayer_unexpected_protocol));
}

TEST(Engine, BytesBehindAChangeWaitForTheNextDatagram) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const AppView* view = talk.ask("LINE one\nupgrade\n\x16\x03\x01hello");
  EXPECT_EQ(view->protocol, AppProtocol::http1);
  view = talk.nudge(Direction::to_client);
  EXPECT_EQ(view->protocol, AppProtocol::tls);
  EXPECT_EQ(lines_of(view).back(), "> \x16\x03\x01hello");
}

TEST(Engine, AnnouncedFlow) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nexpect\n");
  EXPECT_EQ(count_of(parsers, "app_layer.expectations"), 1u);
  Conversation stranger(parsers, {.server_port = 5001, .slot = 1, .client_number = 9});
  EXPECT_EQ(stranger.ask("data")->protocol, AppProtocol::unknown);
  // Active mode: the server opens the flow.
  Conversation data(parsers,
                    {.server_port = 5001, .slot = 2, .client_number = 2, .server_number = 1});
  const AppView* const view = data.ask("data");
  EXPECT_EQ(view->protocol, AppProtocol::ftp_data);
  EXPECT_EQ(view->expected, AppProtocol::ftp_data);
  EXPECT_EQ(view->parent_eve_id, 100u);
  EXPECT_EQ(view->by_direction[1], AppProtocol::ftp_data);
  EXPECT_EQ(view->transactions[0]->values_in(Direction::to_server)[1].number, 7u);
  EXPECT_EQ(count_of(parsers, "app_layer.expectations"), 0u);
}

TEST(Engine, CountsBytesThatAreEncrypted) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\n");
  EXPECT_EQ(count_of(parsers, "app_layer.encrypted_bytes"), 0u);
  talk.ask("secret\n");
  talk.answer("secret\n");
  EXPECT_EQ(count_of(parsers, "app_layer.encrypted_bytes"), 12u);
}

TEST(Engine, AnnouncementsEndWithTimeAndWithTheirFlow) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  talk.ask("LINE one\nexpect\n");
  Conversation late(parsers, {.server_port = 5001, .slot = 1});
  late.time_ns() = 61'000'000'000;
  EXPECT_EQ(late.ask("data")->protocol, AppProtocol::unknown);
  talk.ask("expect\n");
  parsers.release(FlowId(0, Direction::to_server));
  Conversation orphan(parsers, {.server_port = 5001, .slot = 2});
  EXPECT_EQ(orphan.ask("data")->protocol, AppProtocol::unknown);
}

TEST(Engine, SettleFreesWhatIsInspected) {
  ProtocolParsers parsers(small_options());
  Conversation talk(parsers, {});
  const AppView* view = talk.ask("LINE one\ntwo\n");
  parsers.settle(talk.tracked());
  EXPECT_TRUE(parsers.finished().empty());
  talk.inspect(view);
  ASSERT_EQ(parsers.finished().size(), 2u);
  EXPECT_EQ(parsers.finished()[1]->id, 1u);
  EXPECT_EQ(as_text(parsers.finished()[1]->values_in(Direction::to_server)[0].bytes), "two");
  view = talk.ask("three\n");
  EXPECT_EQ(lines_of(view), (Lines{"> three"}));
  EXPECT_EQ(view->transactions[0]->id, 2u);
  const AppProtocol protocol = view->protocol;
  const AppView* const ended = parsers.release(FlowId(0, Direction::to_server));
  ASSERT_EQ(parsers.finished().size(), 1u);
  ASSERT_NE(ended, nullptr);
  EXPECT_EQ(ended->protocol, protocol);
  EXPECT_TRUE(ended->transactions.empty());
  EXPECT_EQ(talk.nudge(Direction::to_server), nullptr);
  EXPECT_TRUE(parsers.finished().empty());
}

TEST(Engine, UninspectedTransactionsAreBounded) {
  ProtocolOptions options = small_options();
  options.transactions_per_flow_max = 8;
  ProtocolParsers parsers(options);
  Conversation talk(parsers, {});
  talk.ask("LINE\n");
  for (int i = 0; i < 100; ++i) {
    const AppView* const view = talk.ask("more\n");
    EXPECT_LE(view->transactions.size(), 9u);
    parsers.settle(talk.tracked());
  }
}

TEST(Engine, FullMemoryEndsParsing) {
  ProtocolOptions options = small_options();
  options.memory_bytes_max = 16 << 10;
  ProtocolParsers parsers(options);
  Conversation talk(parsers, {});
  talk.ask("LINE\n");
  for (int i = 0; i < 100 && !parsers.wishes().no_parser; ++i) {
    talk.ask("more\n");
  }
  EXPECT_TRUE(parsers.wishes().no_parser);
  EXPECT_EQ(count_of(parsers, "app_layer.error.http.alloc"), 1u);
}

TEST(Engine, ReusedSlotIsANewFlow) {
  ProtocolParsers parsers(small_options());
  Conversation(parsers, {}).ask("LINE one\n");
  const AppView* const view = Conversation(parsers, {}).ask("\x16\x03\x01");
  EXPECT_EQ(view->protocol, AppProtocol::tls);
  EXPECT_EQ(view->transactions.size(), 1u);
}

}  // namespace

}  // namespace shrike::protocol

#include "modbus.h"

#include <gtest/gtest.h>

#include "shrike/model/app_event.h"
#include "talk.h"

namespace shrike::protocol::test {
namespace {

using namespace std::literals;
using modbus_number::Kind;

std::string message(uint16_t transaction, uint8_t unit, uint8_t function, std::string_view body) {
  const size_t length = body.size() + 2;
  std::string text;
  for (const size_t byte : {size_t{transaction} >> 8, size_t{transaction} & 255, size_t{0},
                            size_t{0}, length >> 8, length & 255, size_t{unit}, size_t{function}}) {
    text += static_cast<char>(byte);
  }
  return text.append(body);
}

bool has_number(const AppTransaction& transaction, Kind kind, uint64_t number) {
  const auto values = transaction.values_in(Direction::to_server);
  return std::any_of(values.begin(), values.end(), [&](const FieldValue& each) {
    return each.field == Field::modbus && each.number == modbus_number::make(kind, number);
  });
}

bool has_event(const AppTransaction& transaction, Direction direction, AppEvent event) {
  const auto events = transaction.events[static_cast<size_t>(direction)];
  return std::find(events.begin(), events.end(), event) != events.end();
}

const AppTransaction& first(const Talk<ModbusParser>& talk) {
  return *talk.session.transactions().front();
}

const std::vector<Said> conversation = {
    client(message(1, 10, 1, "\x00\x00\x00\x08"sv)),
    server(message(1, 10, 1, "\x01\xff"sv)),
    client(message(2, 10, 8, "\x00\x04\x00\x00"sv) +
           message(3, 1, 16, "\x00\x05\x00\x02\x04\x00\x11\x00\x22"sv)),
    server(message(3, 1, 16, "\x00\x05\x00\x02"sv) + message(2, 10, 8, "\x00\x04\x00\x00"sv)),
    client(message(4, 1, 22, "\x00\x04\x00\xf2\x00\x25"sv)),
    server(message(4, 1, 0x96, "\x02"sv)),
};

TEST(Modbus, TellsTheSameHoweverItIsCut) {
  Talk<ModbusParser> whole;
  whole.say(conversation);
  const std::string expected = whole.dump();
  EXPECT_EQ(whole.session.transactions().size(), 4U);
  for (const AppTransaction* const each : whole.session.transactions()) {
    EXPECT_TRUE(each->is_complete());
  }
  Talk<ModbusParser> single;
  single.say(conversation, {.bytes_max = 1});
  EXPECT_EQ(single.dump(), expected);
  for (unsigned seed = 0; seed < 20; ++seed) {
    Talk<ModbusParser> cut;
    cut.say(conversation, {.bytes_max = 9, .is_random = true, .random = std::mt19937(seed)});
    EXPECT_EQ(cut.dump(), expected);
  }
}

TEST(Modbus, ShowsRulesWhatIsReadAndWritten) {
  Talk<ModbusParser> talk;
  talk.say(conversation);
  const AppTransaction& read = *talk.session.transactions()[0];
  EXPECT_TRUE(has_number(read, Kind::unit, 10));
  EXPECT_TRUE(has_number(read, Kind::function, 1));
  EXPECT_TRUE(has_number(read, Kind::category, modbus_number::category::public_assigned));
  EXPECT_TRUE(has_number(read, Kind::access, modbus_number::access::read));
  EXPECT_TRUE(has_number(read, Kind::access, modbus_number::access::coils));
  EXPECT_FALSE(has_number(read, Kind::access, modbus_number::access::write));
  EXPECT_TRUE(has_number(read, Kind::first_address, 1));
  EXPECT_TRUE(has_number(read, Kind::last_address, 8));
  EXPECT_TRUE(has_number(*talk.session.transactions()[1], Kind::subfunction, 4));
  const AppTransaction& write = *talk.session.transactions()[2];
  EXPECT_TRUE(has_number(write, Kind::value, 6 << 16 | 0x11));
  EXPECT_TRUE(has_number(write, Kind::value, 7 << 16 | 0x22));
  EXPECT_FALSE(has_number(write, Kind::value, 8 << 16 | 0x22));
}

TEST(Modbus, RaisesWhatIsWrong) {
  struct Case {
    Said said;
    AppEvent event;
  };
  const Case cases[] = {
      {client(message(1, 1, 0, "")), AppEvent::modbus_invalid_function_code},
      {client(message(1, 1, 1, "\x00\x00\x00\x00"sv)), AppEvent::modbus_invalid_value},
      {client(message(1, 1, 1, "\x00\x00"sv)), AppEvent::modbus_invalid_length},
      {client(message(1, 1, 5, "\x00\x01\x12\x34"sv)), AppEvent::modbus_invalid_value},
      {client(message(1, 1, 24, "\x00"sv)), AppEvent::modbus_invalid_length},
      {client(message(1, 1, 8, "\x00\x01\x00\x01"sv)), AppEvent::modbus_invalid_value},
      {client("\x00\x01\x00\x07\x00\x02\x01\x07"sv), AppEvent::modbus_invalid_protocol_id},
      {client("\x00\x01\x00\x00\x00\x01\x01"sv), AppEvent::modbus_invalid_length},
      {server(message(1, 1, 0x81, "\x77"sv)), AppEvent::modbus_invalid_exception_code},
      {server(message(1, 1, 0x81, "\x08"sv)), AppEvent::modbus_invalid_exception_code},
      {server(message(1, 1, 7, "\x01"sv)), AppEvent::modbus_unsolicited_response},
      {server(message(1, 1, 3, "\x04\x01"sv)), AppEvent::modbus_value_mismatch},
  };
  for (const Case& each : cases) {
    Talk<ModbusParser> talk;
    talk.say({each.said});
    ASSERT_EQ(talk.session.transactions().size(), 1U) << to_text(each.event);
    EXPECT_TRUE(has_event(first(talk), each.said.by, each.event)) << to_text(each.event);
  }
}

TEST(Modbus, NoticesAnAnswerThatDoesNotFit) {
  Talk<ModbusParser> talk;
  talk.say({client(message(1, 1, 6, "\x00\x01\x00\x03"sv)),
            server(message(1, 1, 6, "\x00\x01\x00\x04"sv))});
  ASSERT_EQ(talk.session.transactions().size(), 1U);
  EXPECT_TRUE(has_event(first(talk), Direction::to_client, AppEvent::modbus_value_mismatch));
}

TEST(Modbus, GivesUpInAFlood) {
  Talk<ModbusParser> talk;
  for (uint16_t i = 0; i < 600; ++i) {
    talk.say({client(message(i, 1, 7, ""))});
  }
  const auto all = talk.session.transactions();
  ASSERT_EQ(all.size(), 501U);
  EXPECT_TRUE(has_event(*all.back(), Direction::to_server, AppEvent::modbus_flooded));
}

TEST(Modbus, IsDescribedAsSuricataDoes) {
  Talk<ModbusParser> talk;
  talk.say(conversation);
  EXPECT_EQ(talk.describe(0),
            R"({"modbus":{"id":1,"request":{"transaction_id":1,"protocol_id":0,"unit_id":10,)"
            R"("function_raw":1,"function_code":"RdCoils","access_type":"READ | COILS",)"
            R"("category":"PUBLIC_ASSIGNED","error_flags":"NONE",)"
            R"("read":{"address":0,"quantity":8}},"response":{"transaction_id":1,)"
            R"("protocol_id":0,"unit_id":10,"function_raw":1,"function_code":"RdCoils",)"
            R"("access_type":"READ | COILS","category":"PUBLIC_ASSIGNED","error_flags":"NONE",)"
            R"("read":{"data":"\\xff"}}}})");
  EXPECT_NE(talk.describe(3).find(R"("exception":{"raw":2,"code":"IllegalDataAddr"})"),
            std::string::npos);
}

}  // namespace
}  // namespace shrike::protocol::test

#include "enip.h"

#include <gtest/gtest.h>

#include "shrike/model/app_event.h"
#include "shrike/model/device_numbers.h"
#include "talk.h"

namespace shrike::protocol::test {
namespace {

using namespace std::literals;

std::string little(uint64_t number, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text += static_cast<char>(i < sizeof number ? number >> (8 * i) & 255 : 0);
  }
  return text;
}

std::string message(uint16_t command, std::string_view body, uint32_t session = 7) {
  return little(command, 2) + little(body.size(), 2) + little(session, 4) + little(0, 16) +
         std::string(body);
}

std::string item(uint16_t type, std::string_view data) {
  return little(type, 2) + little(data.size(), 2) + std::string(data);
}

/// A message on a connection.
std::string unit_data(uint16_t sequence, std::string_view cip) {
  return message(0x70, little(0, 6) + little(2, 2) + item(0xa1, "conn") +
                           item(0xb1, little(sequence, 2) + std::string(cip)));
}

constexpr std::string_view request_packet =
    "\x0a\x02\x20\x02\x24\x01\x02\x00\x06\x00\x10\x00"
    "\x03\x02\x20\x8b\x24\x01\x01\x00\x06\x00"
    "\x0e\x03\x20\x01\x24\x01\x30\x05"sv;
constexpr std::string_view response_packet =
    "\x8a\x00\x00\x00\x02\x00\x06\x00\x0a\x00\x83\x00\x00\x00\x8e\x00\x05\x02\x00\x01"sv;

std::string identity() {
  return little(1, 2) + item(0x0c, little(1, 2) + little(0, 16) + little(1, 2) + little(12, 2) +
                                       little(58, 2) + "\x04\x03" + little(0x30, 2) +
                                       little(0x524d8e, 4) + "\x0b" + "1756-ENBT/A" + "\x03");
}

bool has_number(const AppTransaction& transaction, Direction direction, Field field,
                uint64_t number) {
  const auto values = transaction.values_in(direction);
  return std::any_of(values.begin(), values.end(), [&](const FieldValue& each) {
    return each.field == field && each.number == number;
  });
}

const std::vector<Said> conversation = {
    client(message(0x65, "\x01\x00\x00\x00"sv, 0)),
    server(message(0x65, "\x01\x00\x00\x00"sv)),
    client(message(0x63, "")),
    server(message(0x63, identity())),
    client(unit_data(9, request_packet)),
    server(unit_data(9, response_packet)),
};

TEST(Enip, TellsTheSameHoweverItIsCut) {
  Talk<EnipParser> whole;
  whole.say(conversation);
  const std::string expected = whole.dump();
  ASSERT_EQ(whole.session.transactions().size(), 3U);
  Talk<EnipParser> single;
  single.say(conversation, {.bytes_max = 1});
  EXPECT_EQ(single.dump(), expected);
  for (unsigned seed = 0; seed < 20; ++seed) {
    Talk<EnipParser> cut;
    cut.say(conversation, {.bytes_max = 31, .is_random = true, .random = std::mt19937(seed)});
    EXPECT_EQ(cut.dump(), expected);
  }
}

TEST(Enip, ShowsRulesTheDevice) {
  Talk<EnipParser> talk;
  talk.say(conversation);
  const AppTransaction& list = *talk.session.transactions()[1];
  const std::pair<Field, uint64_t> numbers[] = {
      {Field::enip_command, 0x63},         {Field::enip_status, 0},
      {Field::enip_vendor_id, 1},          {Field::enip_device_type, 12},
      {Field::enip_product_code, 58},      {Field::enip_revision, 0x403},
      {Field::enip_serial, 0x524d8e},      {Field::enip_state, 3},
      {Field::enip_identity_status, 0x30}, {Field::enip_protocol_version, 1}};
  for (const auto& [field, number] : numbers) {
    EXPECT_TRUE(has_number(list, Direction::to_client, field, number)) << to_text(field);
  }
  EXPECT_EQ(list.text(Direction::to_client, Field::enip_product_name), "1756-ENBT/A");
}

TEST(Enip, LooksIntoPacketsOfServices) {
  Talk<EnipParser> talk;
  talk.say(conversation);
  const AppTransaction& packet = *talk.session.transactions()[2];
  const auto asks = [&](Field field, uint64_t number) {
    return has_number(packet, Direction::to_server, field, number);
  };
  EXPECT_TRUE(asks(Field::enip_cip_class, 2));
  EXPECT_TRUE(asks(Field::enip_cip_class, 0x8b));
  EXPECT_TRUE(asks(Field::enip_cip_instance, 1));
  EXPECT_TRUE(asks(Field::enip_cip_attribute, 5));
  EXPECT_TRUE(asks(Field::enip_cip_attribute, 6));
  EXPECT_TRUE(asks(Field::cip_service, cip_number::service(10)));
  EXPECT_TRUE(asks(Field::cip_service, cip_number::service_class(14, 1)));
  EXPECT_TRUE(asks(Field::cip_service, cip_number::service_class_attribute(14, 1, 5)));
  EXPECT_FALSE(asks(Field::cip_service, cip_number::service_class_attribute(14, 1, 6)));
  EXPECT_TRUE(has_number(packet, Direction::to_client, Field::enip_cip_status, 5));
  EXPECT_TRUE(has_number(packet, Direction::to_client, Field::enip_cip_extendedstatus, 0x100));
}

TEST(Enip, RaisesPayloadsThatCannotBeRead) {
  const std::string bad_packet = "\x0a\x00\x01\x00\xff\x00"s;
  for (const std::string& each :
       {message(0x65, "\x01"), message(0x70, "12345"), unit_data(1, bad_packet),
        unit_data(1, "\x0e\x01\xff\x01"), message(0x63, little(1, 2) + item(0x0c, "short"))}) {
    Talk<EnipParser> talk;
    talk.say({client(each)});
    ASSERT_EQ(talk.session.transactions().size(), 1U);
    const auto events = talk.session.transactions()[0]->events[0];
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0], AppEvent::enip_invalid_pdu);
  }
}

TEST(Enip, GoesOnBehindAGap) {
  Talk<EnipParser> talk;
  EXPECT_EQ(talk.parser.parse({.direction = Direction::to_server, .gap_bytes = 9}).bytes, 0U);
  talk.say({client("rubbish"), client(message(0x63, ""))});
  EXPECT_EQ(talk.session.transactions().size(), 1U);
}

TEST(Enip, GivesAllUpWhenThereAreTooMany) {
  Talk<EnipParser> talk;
  for (size_t i = 0; i < 1030; ++i) {
    talk.say({client(message(0x63, ""))});
  }
  const auto all = talk.session.transactions();
  ASSERT_EQ(all.size(), 1024U);
  ASSERT_EQ(all[0]->events[0].size(), 1U);
  EXPECT_EQ(all[0]->events[0][0], AppEvent::enip_too_many_transactions);
  EXPECT_TRUE(all[5]->is_complete());
}

TEST(Enip, IsDescribedAsSuricataDoes) {
  Talk<EnipParser> talk;
  talk.say(conversation);
  EXPECT_EQ(talk.describe(0),
            R"({"enip":{"request":{"command":"register_session","status":"success",)"
            R"("register_session":{"protocol_version":1,"options":0}},)"
            R"("response":{"command":"register_session","status":"success",)"
            R"("register_session":{"protocol_version":1,"options":0}}}})");
  EXPECT_NE(talk.describe(1).find(R"("revision":"4.3","vendor_id":)"
                                  R"("Rockwell Automation/Allen-Bradley")"),
            std::string::npos);
  EXPECT_NE(talk.describe(2).find(R"("cip":{"service":"Multiple Service Packet","path":)"
                                  R"([{"segment_type":"class","value":2},)"
                                  R"({"segment_type":"instance","value":1}],)"
                                  R"("class_name":"Message Router","multiple":[{"service":)"),
            std::string::npos);
  EXPECT_NE(talk.describe(2).find(R"("status_extended":"0001","status_extended_meaning":)"
                                  R"("Connection in use or duplicate Forward Open")"),
            std::string::npos);
}

}  // namespace
}  // namespace shrike::protocol::test

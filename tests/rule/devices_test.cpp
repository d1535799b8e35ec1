#include <gtest/gtest.h>

#include "parsed.h"
#include "shrike/model/device_numbers.h"

namespace shrike::rule {
namespace {

using modbus_number::Kind;
using test::meaning_of;

std::string number(Kind kind, uint64_t number) {
  return std::to_string(modbus_number::make(kind, number));
}
std::string equal(Kind kind, uint64_t value) {
  return "  buffer modbus\n    number = " + number(kind, value) + "\n";
}
/// Both ends are outside.
std::string between(Kind kind, int64_t first, int64_t second) {
  const uint64_t base = modbus_number::make(kind, 0);
  return "  buffer modbus\n    number " + std::to_string(base + static_cast<uint64_t>(first)) +
         "<>" + std::to_string(base + static_cast<uint64_t>(second)) + "\n";
}

TEST(Modbus, AsksForEachConditionOnItsOwn) {
  namespace access = modbus_number::access;
  const std::pair<const char*, std::string> cases[] = {
      {"function 8, subfunction 4", equal(Kind::function, 8) + equal(Kind::subfunction, 4)},
      {"function 99", equal(Kind::function, modbus_number::unknown_function)},
      {"function user", equal(Kind::category, modbus_number::category::user_defined)},
      {"unit 10", between(Kind::unit, 9, 11)},
      {"unit <3, function 1", between(Kind::unit, -1, 3) + equal(Kind::function, 1)},
      {"unit 3<>9, access read", between(Kind::unit, 3, 9) + equal(Kind::access, access::read)},
      {"access write holding, address 5, value >7",
       equal(Kind::access, access::write) + equal(Kind::access, access::holding) +
           between(Kind::first_address, -1, 6) + between(Kind::last_address, 4, 65536) +
           between(Kind::value, (5 << 16) + 7, (5 << 16) + 65536)},
      {"access read coils, address 0<>2", equal(Kind::access, access::read) +
                                              equal(Kind::access, access::coils) +
                                              between(Kind::first_address, -1, 2)},
  };
  for (const auto& [value, meaning] : cases) {
    EXPECT_EQ(meaning_of("modbus:" + std::string(value) + ";"), meaning) << value;
  }
}

TEST(Modbus, RefusesWhatSuricataRefuses) {
  for (const char* const value :
       {"function 0", "function 300", "function other", "function 8, other 4", "unit", "unit x",
        "access", "access both", "access write input", "access write discretes",
        "access read coils, address", "access write coils, address 1<>5, value 1",
        "access read, address 5, value 1", "read"}) {
    EXPECT_NE(meaning_of("modbus:" + std::string(value) + ";").find("error"), std::string::npos)
        << value;
  }
}

TEST(CipService, TakesClassAndAttribute) {
  const auto meaning = [](uint64_t wanted) {
    return "  buffer cip_service\n    number = " + std::to_string(wanted) + "\n";
  };
  EXPECT_EQ(meaning_of("cip_service:10;"), meaning(cip_number::service(10)));
  EXPECT_EQ(meaning_of("cip_service:14, 1;"), meaning(cip_number::service_class(14, 1)));
  EXPECT_EQ(meaning_of("cip_service:14,1,5;"),
            meaning(cip_number::service_class_attribute(14, 1, 5)));
  EXPECT_EQ(meaning_of("cip_service:14,1,!5;"), meaning(cip_number::service_class(14, 1)));
  for (const char* const value : {"128", "x", "1,", "1,x", "1,2,"}) {
    EXPECT_NE(meaning_of("cip_service:" + std::string(value) + ";").find("error"),
              std::string::npos)
        << value;
  }
}

}  // namespace
}  // namespace shrike::rule

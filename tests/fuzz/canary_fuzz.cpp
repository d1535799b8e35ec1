// Fails on purpose: shows that a crash in a target fails the test run (TigerBeetle's canary).
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  shrike::ByteReader reader({data, size});
  shrike::check(reader.big32() != 0x73687269, "the canary sings");
  return 0;
}

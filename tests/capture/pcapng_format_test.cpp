#include <bit>

#include "capture_support.h"

namespace shrike::capture {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

/// Writes blocks, in either byte order.
class Blocks {
 public:
  explicit Blocks(bool is_big_endian = false) : is_big_endian_(is_big_endian) {}

  Blocks& section() {
    Buffer body;
    put(body, 0x1a2b3c4d, 4);
    put(body, 1, 2);
    put(body, 0, 2);
    put(body, ~uint64_t{0}, 8);
    return block(0x0a0d0d0a, body);
  }
  struct Interface {
    uint16_t link_number = 1;
    uint32_t snap_bytes = 0;
    std::optional<uint8_t> resolution = {};
    std::optional<int64_t> offset_seconds = {};
  };
  Blocks& interface() { return interface(Interface{}); }
  Blocks& interface(const Interface& fields) {
    Buffer body;
    put(body, fields.link_number, 2);
    put(body, 0, 2);
    put(body, fields.snap_bytes, 4);
    option(body, 2, {'e', 't', 'h', '0', 0});  // if_name: an odd length, before what counts
    if (fields.resolution) {
      option(body, 9, {*fields.resolution});
    }
    if (fields.offset_seconds) {
      Buffer value;
      put(value, static_cast<uint64_t>(*fields.offset_seconds), 8);
      option(body, 14, value);
    }
    option(body, 0, {});
    return block(1, body);
  }
  struct Enhanced {
    uint32_t interface = 0;
    uint64_t ticks = 0;
    std::optional<uint32_t> captured = {};
    uint32_t wire = 0;
  };
  Blocks& enhanced(std::string_view frame) { return enhanced(frame, Enhanced{}); }
  Blocks& enhanced(std::string_view frame, const Enhanced& fields) {
    Buffer body;
    put(body, fields.interface, 4);
    put(body, fields.ticks >> 32, 4);
    put(body, fields.ticks & 0xffffffff, 4);
    put(body, fields.captured.value_or(static_cast<uint32_t>(frame.size())), 4);
    put(body, std::max<size_t>(fields.wire, frame.size()), 4);
    body.insert(body.end(), frame.begin(), frame.end());
    fill(body);
    option(body, 1, {'c', 'o', 'm'});
    option(body, 0, {});
    return block(6, body);
  }
  Blocks& simple(std::string_view frame, uint32_t wire) {
    Buffer body;
    put(body, wire, 4);
    body.insert(body.end(), frame.begin(), frame.end());
    return block(3, body);
  }
  Blocks& obsolete(std::string_view frame, uint16_t interface, uint64_t ticks) {
    Buffer body;
    put(body, interface, 2);
    put(body, 7, 2);
    put(body, ticks >> 32, 4);
    put(body, ticks & 0xffffffff, 4);
    put(body, frame.size(), 4);
    put(body, frame.size(), 4);
    body.insert(body.end(), frame.begin(), frame.end());
    return block(2, body);
  }
  Blocks& block(uint32_t type, Buffer body) {
    fill(body);
    put(bytes_, type, 4);
    put(bytes_, body.size() + 12, 4);
    bytes_.insert(bytes_.end(), body.begin(), body.end());
    put(bytes_, body.size() + 12, 4);
    return *this;
  }
  Blocks& then(const Blocks& other) {
    bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
    return *this;
  }

  Buffer bytes_;

 private:
  void put(Buffer& buffer, uint64_t value, unsigned bytes) const {
    for (unsigned index = 0; index < bytes; ++index) {
      const unsigned place = is_big_endian_ ? bytes - 1 - index : index;
      buffer.push_back(static_cast<uint8_t>(value >> (8 * place)));
    }
  }
  static void fill(Buffer& buffer) {
    while (buffer.size() % 4 != 0) {
      buffer.push_back(0);
    }
  }
  void option(Buffer& buffer, uint16_t code, const Buffer& value) const {
    put(buffer, code, 2);
    put(buffer, value.size(), 2);
    buffer.insert(buffer.end(), value.begin(), value.end());
    fill(buffer);
  }

  bool is_big_endian_;
};

TEST(PcapngFormat, ReadsAllPacketBlocksInEitherByteOrder) {
  for (const bool is_big_endian : {false, true}) {
    SCOPED_TRACE(is_big_endian);
    Blocks file(is_big_endian);
    file.section().interface().interface({.link_number = 101});
    file.block(0x0bad, Buffer(100'000, 1));  // a type that nobody knows
    file.enhanced("first", {.ticks = 5'000'001, .wire = 900});
    file.obsolete("second", 1, 6'000'000).simple("third", 5).enhanced("");
    const MemoryRun run = read_memory(file.bytes_);
    EXPECT_EQ(run.faults, "");
    ASSERT_EQ(frames_of(run.packets), (std::vector<std::string>{"first", "second", "third", ""}));
    EXPECT_EQ(run.packets[0].time_ns, 5'000'001'000U);
    EXPECT_EQ(run.packets[0].wire_bytes, 900U);
    EXPECT_EQ(run.packets[0].link_type, LinkType::ethernet);
    EXPECT_EQ(run.packets[1].link_type, LinkType::raw_ip);
    EXPECT_EQ(run.packets[1].time_ns, 6 * second_ns);
    EXPECT_EQ(run.packets[2].time_ns, 6 * second_ns) << "a simple packet takes the time before";
    EXPECT_EQ(run.packets[2].link_type, LinkType::ethernet);
  }
}

TEST(PcapngFormat, CutsSimplePacketsAtTheSnapLength) {
  Blocks file;
  file.section().interface({.snap_bytes = 6}).simple("abcdef", 1500);
  const MemoryRun run = read_memory(file.bytes_);
  ASSERT_EQ(frames_of(run.packets), std::vector<std::string>{"abcdef"});
  EXPECT_EQ(run.packets[0].wire_bytes, 1500U);
}

TEST(PcapngFormat, BeginsANewSectionInItsOwnByteOrderWithItsOwnInterfaces) {
  Blocks file(false);
  file.section().interface().enhanced("little");
  file.then(Blocks(true).section().interface({.link_number = 113}).enhanced("big"));
  const MemoryRun run = read_memory(file.bytes_);
  EXPECT_EQ(run.faults, "");
  ASSERT_EQ(frames_of(run.packets), (std::vector<std::string>{"little", "big"}));
  EXPECT_EQ(run.packets[1].link_type, LinkType::linux_sll);
}

struct TimeCase {
  std::optional<uint8_t> resolution;
  std::optional<int64_t> offset_seconds;
  uint64_t ticks;
  uint64_t time_ns;
};
const TimeCase time_cases[] = {
    {{}, {}, 1'500'000, 1'500'000'000},
    {0, {}, 7, 7 * second_ns},
    {3, {}, 1'234, 1'234'000'000},
    {9, {}, 1'234, 1'234},
    {9, {}, 1'700'000'000'123'456'789, 1'700'000'000'123'456'789},
    {12, {}, 1'234'567, 1'234},
    {19, {}, 12'345'678'901'234'567'890U, 1'234'567'890},
    {20, {}, 5, 0},
    {0x80 | 1, {}, 3, 1'500'000'000},
    {0x80 | 20, {}, (3U << 20) + (1U << 19), 3'500'000'000},
    {0x80 | 63, {}, (uint64_t{1} << 63) + (uint64_t{1} << 62), 1'500'000'000},
    {0x80 | 64, {}, 77, 0},
    {6, 100, 1'000'000, 101 * second_ns},
    {9, -1, 1'500'000'000, 500'000'000},
    {6, -1'000, 1'000'000, 0},                                               // before 1970
    {0, std::numeric_limits<int64_t>::max(), 1, 9'223'372'035 * second_ns},  // far too late
    {0, {}, ~uint64_t{0}, 9'223'372'035 * second_ns},
};

TEST(PcapngFormat, ReadsTimesOfEveryResolutionAndOffset) {
  for (const TimeCase& test : time_cases) {
    SCOPED_TRACE(testing::Message()
                 << test.ticks << " ticks, resolution " << test.resolution.value_or(6));
    Blocks file;
    file.section();
    file.interface({.resolution = test.resolution, .offset_seconds = test.offset_seconds});
    file.enhanced("x", {.ticks = test.ticks});
    const MemoryRun run = read_memory(file.bytes_);
    ASSERT_EQ(run.packets.size(), 1U);
    EXPECT_EQ(run.packets[0].time_ns, test.time_ns);
  }
}

struct BrokenCase {
  const char* what;
  Blocks file;
  const char* fault;
};

std::vector<BrokenCase> broken_cases() {
  Blocks version;
  version.section();
  version.bytes_[12] = 9;
  Blocks mark;
  mark.section();
  mark.bytes_[8] = 0;
  Blocks length;
  length.section().block(5, {});
  length.bytes_[28 + 4] = 13;
  Blocks trailer;
  trailer.section().interface();
  trailer.bytes_.back() = 1;
  Blocks small;
  small.section().interface().block(6, Buffer(8));
  return {
      {"version", version, "the block at byte 0 has major version 9; 1 is known"},
      {"mark", mark, "the block at byte 0 is a section header without a byte order mark"},
      {"length", length, "the block at byte 28 claims a length of 13 bytes"},
      {"trailer", trailer,
       "the block that ends at byte 64 has another length there than at its beginning"},
      {"small", small, "the block at byte 64 claims a length of 20 bytes, too few for its type"},
      {"interface", Blocks().section().interface().enhanced("x", {.interface = 3}),
       "the block at byte 64 names interface 3 of 1"},
      {"captured", Blocks().section().interface().enhanced("x", {.captured = 100}),
       "the block at byte 64 claims a length of 48 bytes, too few for its type"},
  };
}

TEST(PcapngFormat, StopsAtABrokenBlockAndSaysWhere) {
  for (const BrokenCase& test : broken_cases()) {
    SCOPED_TRACE(test.what);
    EXPECT_EQ(
        read_memory(test.file.bytes_).faults,
        fmt::format("x.pcap: error[capture-block]: {}; nothing behind it was read", test.fault));
  }
}

TEST(PcapngFormat, StopsAtAFrameThatCannotBe) {
  Blocks file;
  file.section().interface().enhanced("x", {.captured = 262'145});
  EXPECT_EQ(read_memory(file.bytes_).faults,
            "x.pcap: error[capture-record]: the packet block at byte 64 claims 262145 captured "
            "bytes, the limit is 262144; nothing behind it was read");
}

TEST(PcapngFormat, ReadsACutFileAsFarAsItGoes) {
  Blocks file;
  file.section().interface().enhanced("one").enhanced("two");
  const size_t begin = Blocks().section().interface().bytes_.size();
  const size_t second = Blocks().section().interface().enhanced("one").bytes_.size();
  for (size_t kept = 28; kept <= file.bytes_.size(); ++kept) {
    SCOPED_TRACE(kept);
    const MemoryRun run = read_memory(Bytes(file.bytes_).first(kept));
    const size_t expected = (kept >= begin + 31 ? 1U : 0U) + (kept >= second + 31 ? 1U : 0U);
    EXPECT_EQ(run.packets.size(), expected) << "header of 28 bytes and frame of 3 are there";
    const bool is_whole =
        kept == 28 || kept == begin || kept == second || kept == file.bytes_.size();
    EXPECT_EQ(run.faults,
              is_whole ? ""
                       : fmt::format("x.pcap: error[capture-truncated]: the block that ends behind "
                                     "byte {} is cut off",
                                     kept));
  }
}

}  // namespace
}  // namespace shrike::capture

#include "capture_support.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>

namespace shrike::capture {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "shrike_capture_XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::filesystem::remove_all(path_);
}

std::string TemporaryFolder::write(std::string_view name, Bytes content) const {
  const std::filesystem::path whole = path_ / name;
  std::filesystem::create_directories(whole.parent_path());
  std::ofstream file(whole, std::ios::binary);
  file << as_text(content);
  EXPECT_TRUE(file.good());
  return whole.string();
}

Buffer to_gzip(Bytes plain) {
  z_stream stream{};
  constexpr int gzip_header = 16 + 15;
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, gzip_header, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Buffer packed(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Buffer to_zstd(Bytes plain) {
  Buffer packed(ZSTD_compressBound(plain.size()));
  const size_t bytes = ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3);
  EXPECT_FALSE(ZSTD_isError(bytes));
  packed.resize(bytes);
  return packed;
}

bool has_packet_memory() {
  Diagnostics diagnostics;
  const bool started = start_packet_memory({.buffers = pool_buffers}, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  return started;
}

}  // namespace shrike::capture

#include <algorithm>
#include <optional>

#include "capture_source.h"
#include "decompress.h"
#include "packet_memory.h"
#include "path_list.h"
#include "shrike/base/check.h"
#include "shrike/capture.h"

namespace shrike::capture {

namespace {

/// @return nothing where the expression is wrong; null where there is none.
std::optional<std::unique_ptr<PacketFilter>> make_filter(const std::string& expression,
                                                         Diagnostics& diagnostics) {
  if (expression.empty()) {
    return std::unique_ptr<PacketFilter>();
  }
  auto filter = std::make_unique<PacketFilter>(expression);
  if (!filter->check_expression(diagnostics)) {
    return std::nullopt;
  }
  return filter;
}

bool check_batches(uint32_t batch_packets, uint32_t batches_in_flight_max,
                   Diagnostics& diagnostics) {
  constexpr uint32_t batches_max = 65536;
  if (batch_packets == 0 || batch_packets > limits::batch_packets_max) {
    diagnostics.error({}, "capture-option", "batches of {} packets are out of range, 1 to {}",
                      batch_packets, limits::batch_packets_max);
    return false;
  }
  if (batches_in_flight_max == 0 || batches_in_flight_max > batches_max) {
    diagnostics.error({}, "capture-option", "{} batches in flight are out of range, 1 to {}",
                      batches_in_flight_max, batches_max);
    return false;
  }
  return true;
}

/// A decompressed capture, as far as it could be read.
struct Decompressed {
  std::vector<uint8_t> bytes;
  FormatFault fault;  ///< code is empty where all is well
};

Decompressed decompress_whole(Compression compression, Bytes compressed, uint64_t bytes_max) {
  constexpr size_t step_bytes = size_t{256} * 1024;
  const std::unique_ptr<ByteInput> input = decompress(compression, ByteWindow(compressed));
  Decompressed result;
  ByteInput::Result got{.bytes = 0, .status = ReadStatus::ok};
  while (got.status == ReadStatus::ok && result.bytes.size() < bytes_max) {
    const size_t before = result.bytes.size();
    result.bytes.resize(before + std::min<uint64_t>(step_bytes, bytes_max - before));
    got = input->read(std::span(result.bytes).subspan(before));
    result.bytes.resize(before + got.bytes);
  }
  if (got.status == ReadStatus::fault) {
    result.fault = {"capture-read", input->fault()};
  } else if (got.status == ReadStatus::ok) {
    result.fault = {"capture-size", fmt::format("was read up to byte {} of its decompressed data, "
                                                "the limit that is set",
                                                bytes_max)};
  }
  return result;
}

}  // namespace

std::unique_ptr<PacketSource> open_files(const FileSourceOptions& options,
                                         Diagnostics& diagnostics) {
  check(packet_pool() != nullptr, "start_packet_memory comes before open_files");
  auto filter = make_filter(options.bpf_filter, diagnostics);
  const auto paths = list_captures(options, diagnostics);
  if (!check_batches(options.batch_packets, options.batches_in_flight_max, diagnostics) ||
      !filter || !paths) {
    return nullptr;
  }
  std::vector<CapturePlace> places;
  for (const std::string& path : *paths) {
    places.push_back({.path = path});
  }
  return std::make_unique<CaptureSource>(
      std::move(places), std::move(*filter),
      CaptureSourceOptions{.per_file = options.per_file,
                           .uses_packet_memory = true,
                           .batch_packets = options.batch_packets,
                           .batches_in_flight_max = options.batches_in_flight_max});
}

std::unique_ptr<PacketSource> open_memory(std::string_view name, Bytes capture,
                                          const MemorySourceOptions& options,
                                          Diagnostics& diagnostics) {
  auto filter = make_filter(options.bpf_filter, diagnostics);
  if (!check_batches(options.batch_packets, options.batches_in_flight_max, diagnostics) ||
      !filter) {
    return nullptr;
  }
  const Compression compression = tell_compression(capture);
  Decompressed whole;
  if (compression != Compression::none) {
    whole = decompress_whole(compression, capture, options.decompressed_bytes_max);
  }
  std::vector<CapturePlace> places{
      {.path = std::string(name),
       .is_memory = true,
       .memory = compression != Compression::none ? whole.bytes : capture,
       .rounds = options.repeats,
       .round_gap_ns = options.repeat_gap_ns}};
  auto source = std::make_unique<CaptureSource>(
      std::move(places), std::move(*filter),
      CaptureSourceOptions{.uses_packet_memory = options.uses_packet_memory,
                           .batch_packets = options.batch_packets,
                           .batches_in_flight_max = options.batches_in_flight_max});
  source->own(std::move(whole.bytes));  // the buffer itself stays where it is
  if (!whole.fault.code.empty()) {
    source->add_fault(std::string(name), whole.fault);
  }
  return source;
}

}  // namespace shrike::capture

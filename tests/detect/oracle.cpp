#include "oracle.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace shrike::test {

namespace {

using namespace rule;

bool is_anchor(const BufferCheck& check) {
  return std::holds_alternative<Content>(check) || std::holds_alternative<Pcre>(check);
}

bool is_relative(const BufferCheck& check) {
  if (const auto* const content = std::get_if<Content>(&check)) {
    return content->distance || content->within;
  }
  if (const auto* const pcre = std::get_if<Pcre>(&check)) {
    return pcre->is_relative;
  }
  if (const auto* const test = std::get_if<ByteTest>(&check)) {
    return test->is_relative;
  }
  if (const auto* const jump = std::get_if<ByteJump>(&check)) {
    return jump->is_relative;
  }
  if (const auto* const extract = std::get_if<ByteExtract>(&check)) {
    return extract->is_relative;
  }
  if (const auto* const at = std::get_if<IsDataAt>(&check)) {
    return at->is_relative;
  }
  return false;
}

/// The content or pcre whose end the check at `index` is measured from, as the rule loader sees
/// it: for byte_* and isdataat only where such a one stands right before.
std::optional<size_t> anchor_of(const std::vector<BufferCheck>& checks, size_t index) {
  if (!is_relative(checks[index])) {
    return std::nullopt;
  }
  for (size_t i = index; i-- > 0;) {
    if (is_anchor(checks[i])) {
      return i;
    }
    if (!is_anchor(checks[index])) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool has_relative_next(const std::vector<BufferCheck>& checks, size_t index) {
  for (size_t later = index + 1; later < checks.size(); ++later) {
    if (anchor_of(checks, later) == index) {
      return true;
    }
  }
  return false;
}

/// Can another hit of this content mend what hangs on it? Not where that is one bare distance.
bool retry_helps(const std::vector<BufferCheck>& checks, size_t index) {
  for (size_t later = index + 1; later < checks.size(); ++later) {
    if (anchor_of(checks, later) != index) {
      continue;
    }
    const auto* const content = std::get_if<Content>(&checks[later]);
    if (content == nullptr || content->within || content->is_negated) {
      return true;
    }
  }
  return false;
}

int lower(int byte) {
  return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

/// First place in [first, last) where the content stands whole, or nothing.
std::optional<uint32_t> find(const Content& content, Bytes buffer, uint32_t first, uint32_t last) {
  const auto length = static_cast<uint32_t>(content.bytes.size());
  for (uint32_t at = first; at + length <= last; ++at) {
    bool is_equal = true;
    for (uint32_t i = 0; i < length; ++i) {
      const int one = buffer[at + i];
      const int other = static_cast<uint8_t>(content.bytes[i]);
      is_equal = is_equal && (content.is_nocase ? lower(one) == lower(other) : one == other);
    }
    if (is_equal) {
      return at;
    }
  }
  return std::nullopt;
}

bool compares_as(const Comparison& comparison, uint64_t value) {
  using Operator = Comparison::Operator;
  switch (comparison.op) {
    case Operator::equal:
      return value == comparison.first;
    case Operator::not_equal:
      return value != comparison.first;
    case Operator::less:
      return value < comparison.first;
    case Operator::less_or_equal:
      return value <= comparison.first;
    case Operator::greater:
      return value > comparison.first;
    case Operator::greater_or_equal:
      return value >= comparison.first;
    case Operator::between:
      return value > comparison.first && value < comparison.second;
    case Operator::not_between:
      return !(value > comparison.first && value < comparison.second);
    case Operator::masked_equal:
      return (value & comparison.second) == comparison.first;
    case Operator::masked_not_equal:
      return (value & comparison.second) != comparison.first;
  }
  return false;
}

std::optional<uint64_t> read_big(Bytes buffer, int64_t at, uint32_t bytes) {
  if (buffer.empty() || at < 0 || at + bytes > static_cast<int64_t>(buffer.size())) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; ++i) {
    value = value << 8 | buffer[static_cast<size_t>(at) + i];
  }
  return value;
}

}  // namespace

std::vector<uint32_t> Oracle::inspect(const Tracked& tracked, std::span<const Chunk> chunks) {
  std::vector<uint32_t> found;
  if (tracked.flow.opened) {
    bits_.erase(tracked.flow.id.slot());
  }
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    if (matches(rules_[index], tracked, chunks)) {
      found.push_back(index);
      after_match(rules_[index], tracked);
    }
  }
  return found;
}

std::vector<uint32_t> Oracle::inspect(const Tracked& tracked, const Transaction& transaction) {
  const Direction direction = tracked.flow.id.direction();
  std::vector<uint32_t> found;
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    const Rule& rule = rules_[index];
    const auto key = std::tuple(index, transaction.id, direction);
    const bool is_met =
        header_matches(rule.header, *tracked.datagram) &&
        std::all_of(rule.packet_checks.begin(), rule.packet_checks.end(),
                    [&](const auto& check) { return packet_check(check, tracked); });
    if (is_met && !fired_.contains(key) &&
        std::all_of(rule.buffers.begin(), rule.buffers.end(), [&](const Buffer& buffer) {
          return field_matches(buffer, transaction, direction);
        })) {
      fired_.insert(key);
      found.push_back(index);
    }
  }
  return found;
}

bool Oracle::field_matches(const Buffer& buffer, const Transaction& transaction,
                           Direction direction) {
  const auto values = transaction.values_in(direction);
  const auto is_meant = [&](const FieldValue& value) { return value.field == buffer.field; };
  if (std::holds_alternative<Absent>(buffer.checks.front())) {
    return std::none_of(values.begin(), values.end(), is_meant) &&
           transaction.progress_in(direction) >= row_of(buffer.field).final_at;
  }
  return std::any_of(values.begin(), values.end(), [&](const FieldValue& value) {
    return is_meant(value) && buffer_matches(buffer.checks, value.bytes);
  });
}

bool Oracle::matches(const Rule& rule, const Tracked& tracked, std::span<const Chunk> chunks) {
  const bool is_pseudo = tracked.datagram->origin == DatagramOrigin::stream_end;
  if ((is_pseudo && rule.kind == RuleKind::packet) ||
      !header_matches(rule.header, *tracked.datagram)) {
    return false;
  }
  for (const PacketCheck& check : rule.packet_checks) {
    if (!packet_check(check, tracked)) {
      return false;
    }
  }
  return rule.buffers.empty() || payload_matches(rule, tracked, chunks);
}

bool Oracle::header_matches(const Header& header, const Datagram& datagram) const {
  const auto port_in = [](const PortSet& set, uint16_t port) {
    return set.is_any || std::any_of(set.ranges.begin(), set.ranges.end(), [&](const auto& range) {
             return port >= range.first && port <= range.last;
           });
  };
  const auto address_in = [&](const AddressSet& set, const IpAddress& address) {
    return set.is_any || std::any_of(set.ranges.begin(), set.ranges.end(), [&](const auto& range) {
             return range.version == datagram.ip_version && !(address < range.first) &&
                    !(range.last < address);
           });
  };
  return header.ip_protocols.test(datagram.protocol) &&
         port_in(header.source_port, datagram.source_port) &&
         port_in(header.target_port, datagram.target_port) &&
         address_in(header.source, datagram.source) && address_in(header.target, datagram.target);
}

bool Oracle::packet_check(const PacketCheck& check, const Tracked& tracked) {
  const Datagram& datagram = *tracked.datagram;
  const bool has_flow = tracked.flow.id.exists();
  if (const auto* const flow = std::get_if<FlowCheck>(&check)) {
    const bool is_to_server = !has_flow || tracked.flow.id.direction() == Direction::to_server;
    const bool needs_flow = flow->established || flow->not_established || flow->stateless;
    return (!needs_flow || has_flow) && (!flow->to_server || is_to_server) &&
           (!flow->to_client || !is_to_server) &&
           (!flow->established || tracked.flow.is_established) &&
           (!flow->not_established || !tracked.flow.is_established);
  }
  if (const auto* const flags = std::get_if<TcpFlags>(&check)) {
    // Whatever the mode: a rule on SYN, FIN or RST wants one of them.
    return datagram.protocol == ip_protocol::tcp &&
           ((flags->flags & 7) == 0 || (datagram.tcp_flags & 7) != 0) &&
           (flags->mode == TcpFlags::Mode::all ? (datagram.tcp_flags & flags->flags) == flags->flags
                                               : datagram.tcp_flags == flags->flags);
  }
  if (const auto* const number = std::get_if<HeaderNumber>(&check)) {
    return compares_as(number->comparison, datagram.payload.size());
  }
  if (const auto* const bits = std::get_if<FlowBits>(&check)) {
    if (bits->command == FlowBits::Command::set || bits->command == FlowBits::Command::unset) {
      return true;
    }
    const bool wanted = bits->command == FlowBits::Command::is_set;
    return has_flow && std::any_of(bits->names.begin(), bits->names.end(), [&](const auto& name) {
             return bits_[tracked.flow.id.slot()].contains(name) == wanted;
           });
  }
  return false;
}

void Oracle::after_match(const Rule& rule, const Tracked& tracked) {
  for (const PacketCheck& check : rule.packet_checks) {
    const auto* const bits = std::get_if<FlowBits>(&check);
    if (bits == nullptr || !tracked.flow.id.exists()) {
      continue;
    }
    auto& held = bits_[tracked.flow.id.slot()];
    for (const std::string& name : bits->names) {
      if (bits->command == FlowBits::Command::set) {
        held.insert(name);
      } else if (bits->command == FlowBits::Command::unset) {
        held.erase(name);
      }
    }
  }
}

bool Oracle::payload_matches(const Rule& rule, const Tracked& tracked,
                             std::span<const Chunk> chunks) {
  std::vector<BufferCheck> checks;
  for (const Buffer& buffer : rule.buffers) {
    checks.insert(checks.end(), buffer.checks.begin(), buffer.checks.end());
  }
  const Datagram& datagram = *tracked.datagram;
  if (chunks.empty() && datagram.payload.empty()) {
    return false;
  }
  if (rule.kind != RuleKind::packet) {
    for (const Chunk& chunk : chunks) {
      if (buffer_matches(checks, chunk.bytes)) {
        return true;
      }
    }
    if (rule.kind == RuleKind::stream && tracked.flow.stream_added) {
      return false;
    }
  }
  return datagram.origin != DatagramOrigin::stream_end && buffer_matches(checks, datagram.payload);
}

bool Oracle::buffer_matches(const std::vector<BufferCheck>& checks, Bytes buffer) {
  Inspection inspection;
  inspection.checks = &checks;
  inspection.buffer = buffer;
  return run(inspection, 0) == Answer::match;
}

Oracle::Answer Oracle::next(Inspection& inspection, size_t index) {
  return index + 1 == inspection.checks->size() ? Answer::match : run(inspection, index + 1);
}

Oracle::Answer Oracle::run(Inspection& inspection, size_t index) {
  if (++inspection.calls == recursion_limit) {
    return Answer::give_up;
  }
  const BufferCheck& check = (*inspection.checks)[index];
  if (std::holds_alternative<Content>(check)) {
    return run_content(inspection, index);
  }
  return std::holds_alternative<Pcre>(check) ? run_pcre(inspection, index)
                                             : run_other(inspection, index);
}

Oracle::Answer Oracle::run_content(Inspection& inspection, size_t index) {
  const auto& checks = *inspection.checks;
  const Content& content = std::get<Content>(checks[index]);
  const bool relative = is_relative(checks[index]);
  const int64_t size = static_cast<int64_t>(inspection.buffer.size());
  const int64_t before = inspection.cursor;
  const auto value = [&](const std::optional<Operand>& operand) -> int64_t {
    if (!operand) {
      return 0;
    }
    return operand->variable < 0 ? operand->literal
                                 : static_cast<int64_t>(inspection.variables[operand->variable]);
  };
  int64_t start = relative ? std::max<int64_t>(0, before + value(content.distance)) : 0;
  int64_t end = size;
  if (content.within && before + value(content.distance) + value(content.within) >= 0) {
    end = std::min(end, before + value(content.distance) + value(content.within));
  }
  start = std::max(start, value(content.offset));
  if (content.depth) {
    end = std::min(end, (relative ? before : 0) + value(content.offset) + value(content.depth));
  }
  if (content.starts_with) {
    end = std::min(end, static_cast<int64_t>(content.bytes.size()));
  }
  const bool is_placed = relative || content.offset || content.depth || content.starts_with ||
                         has_relative_next(checks, index);
  for (;;) {
    if (start > end || end == 0) {
      return content.is_negated ? next(inspection, index) : Answer::no_match;
    }
    const auto at = content.ends_with && end < size
                        ? std::nullopt
                        : find(content, inspection.buffer, static_cast<uint32_t>(start),
                               static_cast<uint32_t>(end));
    if (!at) {
      return content.is_negated ? next(inspection, index)
             : relative         ? Answer::no_match
                                : Answer::give_up;
    }
    const auto hit_end = static_cast<int64_t>(*at + content.bytes.size());
    if (content.is_negated) {
      if (content.ends_with && end - start != hit_end) {
        return next(inspection, index);
      }
      return is_placed ? Answer::no_match : Answer::give_up;
    }
    inspection.cursor = static_cast<uint32_t>(hit_end);
    if (!content.ends_with || hit_end == size) {
      const Answer answer = next(inspection, index);
      if (answer != Answer::no_match) {
        return answer;
      }
      if (!retry_helps(checks, index)) {
        return Answer::give_up;
      }
    }
    start = *at + 1;
  }
}

Oracle::Answer Oracle::run_pcre(Inspection& inspection, size_t index) {
  const Pcre& pcre = std::get<Pcre>((*inspection.checks)[index]);
  const uint32_t before = inspection.cursor;
  const uint32_t base = pcre.is_relative ? before : 0;
  int error = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* const code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre.pattern.data()), pcre.pattern.size(),
                    pcre.pcre2_options, &error, &place, nullptr);
  pcre2_match_data* const data = pcre2_match_data_create_from_pattern(code, nullptr);
  Answer answer = Answer::no_match;
  size_t from = 0;
  for (;;) {
    const Bytes subject = inspection.buffer.subspan(base);
    const int found = from > subject.size() ? PCRE2_ERROR_NOMATCH
                                            : pcre2_match(code, subject.data(), subject.size(),
                                                          from, 0, data, nullptr);
    if ((found >= 0) == pcre.is_negated) {
      break;
    }
    if (!pcre.is_negated) {
      const PCRE2_SIZE* const places = pcre2_get_ovector_pointer(data);
      inspection.cursor = base + static_cast<uint32_t>(places[1]);
      from = places[0] + 1;
    }
    answer = next(inspection, index);
    if (answer != Answer::no_match || pcre.is_negated ||
        !has_relative_next(*inspection.checks, index)) {
      break;
    }
    inspection.cursor = before;
    answer = Answer::no_match;
  }
  pcre2_match_data_free(data);
  pcre2_code_free(code);
  return answer;
}

Oracle::Answer Oracle::run_other(Inspection& inspection, size_t index) {
  const BufferCheck& check = (*inspection.checks)[index];
  const Bytes buffer = inspection.buffer;
  const auto base = [&](bool relative) -> int64_t { return relative ? inspection.cursor : 0; };
  const auto answer = [&](bool holds) {
    return holds ? next(inspection, index) : Answer::no_match;
  };
  if (const auto* const test = std::get_if<ByteTest>(&check)) {
    const auto value =
        read_big(buffer, base(test->is_relative) + test->offset.literal, test->bytes);
    const auto wanted = static_cast<uint64_t>(test->value.literal);
    return answer(value &&
                  (test->op == ByteTest::Operator::greater ? *value > wanted : *value == wanted) !=
                      test->is_negated);
  }
  if (const auto* const extract = std::get_if<ByteExtract>(&check)) {
    const int64_t at = base(extract->is_relative) + extract->offset;
    const auto value = read_big(buffer, at, extract->bytes);
    if (!value) {
      return Answer::no_match;
    }
    inspection.variables[extract->variable] = *value;
    inspection.cursor = static_cast<uint32_t>(at + extract->bytes);
    return answer(true);
  }
  if (const auto* const jump = std::get_if<ByteJump>(&check)) {
    const int64_t at = base(jump->is_relative) + jump->offset.literal;
    const auto value = read_big(buffer, at, static_cast<uint32_t>(jump->bytes.literal));
    if (!value) {
      return Answer::no_match;
    }
    const int64_t target = at + jump->bytes.literal +
                           static_cast<int64_t>(*value) * static_cast<int64_t>(jump->multiplier) +
                           jump->post_offset;
    if (target > static_cast<int64_t>(buffer.size())) {
      return Answer::no_match;
    }
    inspection.cursor = static_cast<uint32_t>(std::max<int64_t>(0, target));
    return answer(true);
  }
  const auto& at = std::get<IsDataAt>(check);
  const int64_t position = base(at.is_relative) + at.position_bytes.literal;
  const auto size = static_cast<int64_t>(buffer.size());
  const bool is_there = at.is_relative ? position <= size : position < size;
  if (is_there != at.is_negated) {
    return next(inspection, index);
  }
  return at.is_relative && at.is_negated ? Answer::no_match : Answer::give_up;
}

}  // namespace shrike::test

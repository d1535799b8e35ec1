#include "value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>

namespace shrike::app {

namespace {

std::string lower(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

struct VersionedAddress {
  uint8_t version;
  IpAddress address;
};

std::optional<VersionedAddress> parse_address(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    return VersionedAddress{4, address};
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    return VersionedAddress{6, address};
  }
  return std::nullopt;
}

/// All addresses that share the first `bits` bits.
AddressRange network_of(const VersionedAddress& base, unsigned bits) {
  AddressRange range{base.version, base.address, base.address};
  const unsigned width = base.version == 4 ? 32 : 128;
  for (unsigned bit = bits; bit < width; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80u >> (bit % 8));
    range.first.bytes[bit / 8] &= static_cast<uint8_t>(~mask);
    range.last.bytes[bit / 8] |= mask;
  }
  return range;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto number = parse_number(trim(text));
  if (!number || *number > 65535) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(*number);
}

bool append_ports(std::string_view text, std::vector<uint16_t>& ports) {
  const size_t colon = text.find(':');
  const auto first = parse_port(text.substr(0, colon));
  const auto last = colon == std::string_view::npos ? first : parse_port(text.substr(colon + 1));
  if (!first || !last || *first > *last) {
    return false;
  }
  for (unsigned port = *first; port <= *last; ++port) {
    ports.push_back(static_cast<uint16_t>(port));
  }
  return true;
}

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr Unit units[] = {
    {"", 1},           {"b", 1},           {"kb", 1024.0},       {"kib", 1024.0},
    {"mb", 1048576.0}, {"mib", 1048576.0}, {"gb", 1073741824.0}, {"gib", 1073741824.0},
};

}  // namespace

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<bool> parse_flag(std::string_view text) {
  const std::string word = lower(trim(text));
  if (word == "yes" || word == "true" || word == "on" || word == "1") {
    return true;
  }
  if (word == "no" || word == "false" || word == "off" || word == "0") {
    return false;
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (text.empty() || fault != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return number;
}

std::optional<uint64_t> parse_size(std::string_view text) {
  text = trim(text);
  double amount = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, amount, std::chars_format::fixed);
  if (fault != std::errc{} || !std::isfinite(amount) || amount < 0) {
    return std::nullopt;
  }
  const std::string unit = lower(trim({stop, static_cast<size_t>(end - stop)}));
  const auto* const hit = std::find_if(std::begin(units), std::end(units),
                                       [&](const Unit& one) { return one.name == unit; });
  if (hit == std::end(units)) {
    return std::nullopt;
  }
  const double bytes = amount * hit->bytes;
  constexpr double bytes_max = 9007199254740992.0;  // 2^53: a double is exact up to here
  if (bytes > bytes_max) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(bytes);
}

std::optional<AddressRange> parse_address_range(std::string_view text) {
  text = trim(text);
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto base = parse_address(text.substr(0, slash));
    const auto bits = parse_number(text.substr(slash + 1));
    if (!base || !bits || *bits > (base->version == 4 ? 32u : 128u)) {
      return std::nullopt;
    }
    return network_of(*base, static_cast<unsigned>(*bits));
  }
  const size_t dash = text.find('-');
  const auto first = parse_address(trim(text.substr(0, dash)));
  const auto last =
      dash == std::string_view::npos ? first : parse_address(trim(text.substr(dash + 1)));
  if (!first || !last || first->version != last->version || last->address < first->address) {
    return std::nullopt;
  }
  return AddressRange{first->version, first->address, last->address};
}

std::vector<std::string_view> split_list(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = trim(text.substr(0, comma));
    if (!part.empty()) {
      parts.push_back(part);
    }
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

std::optional<std::vector<uint16_t>> parse_ports(std::string_view text) {
  std::vector<uint16_t> ports;
  for (const std::string_view part : split_list(text)) {
    if (!append_ports(part, ports)) {
      return std::nullopt;
    }
  }
  if (ports.empty()) {
    return std::nullopt;
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

}  // namespace shrike::app

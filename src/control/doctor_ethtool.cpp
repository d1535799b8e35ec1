#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "shrike/doctor.h"

namespace shrike::doctor {

namespace {

/// More than any kernel has of feature names, buckets and bytes of a key.
constexpr uint32_t items_max = 65536;

/// One conversation with the kernel about one interface. Commands are buffers that begin with the
/// command's number and are as long as their answer. Source: linux/ethtool.h.
class Ethtool {
 public:
  explicit Ethtool(const std::string& interface)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    is_named_ = interface.size() < sizeof request_.ifr_name;
    if (is_named_) {
      std::memcpy(request_.ifr_name, interface.data(), interface.size());
    }
  }
  ~Ethtool() {
    if (socket_ >= 0) {
      ::close(socket_);
    }
  }
  Ethtool(const Ethtool&) = delete;
  Ethtool& operator=(const Ethtool&) = delete;

  /// @param command [n] words, overwritten with the answer.
  bool ask(std::vector<uint32_t>& command) {
    request_.ifr_data = reinterpret_cast<char*>(command.data());
    return socket_ >= 0 && is_named_ && ::ioctl(socket_, SIOCETHTOOL, &request_) == 0;
  }

 private:
  int socket_;
  bool is_named_ = false;
  ifreq request_{};
};

/// Words that hold `bytes`, and one to spare.
std::vector<uint32_t> buffer_of(size_t bytes) {
  return std::vector<uint32_t>(bytes / 4 + 1);
}

/// How many feature names there are, 0 where the driver does not say.
uint32_t feature_count(Ethtool& ethtool) {
  auto command = buffer_of(sizeof(ethtool_sset_info) + sizeof(uint32_t));
  ethtool_sset_info info{};
  info.cmd = ETHTOOL_GSSET_INFO;
  info.sset_mask = 1ULL << ETH_SS_FEATURES;
  std::memcpy(command.data(), &info, sizeof info);
  if (!ethtool.ask(command)) {
    return 0;
  }
  std::memcpy(&info, command.data(), sizeof info);
  const uint32_t count = command[sizeof info / sizeof(uint32_t)];
  return info.sset_mask == 0 || count > items_max ? 0 : count;
}

std::vector<std::string> feature_names(Ethtool& ethtool, uint32_t count) {
  auto command = buffer_of(sizeof(ethtool_gstrings) + size_t{count} * ETH_GSTRING_LEN);
  const ethtool_gstrings head{ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count};
  std::memcpy(command.data(), &head, sizeof head);
  std::vector<std::string> names;
  if (!ethtool.ask(command)) {
    return names;
  }
  const char* text = reinterpret_cast<const char*>(command.data()) + sizeof head;
  for (uint32_t at = 0; at < count; ++at, text += ETH_GSTRING_LEN) {
    names.emplace_back(text, ::strnlen(text, ETH_GSTRING_LEN));
  }
  return names;
}

std::optional<std::vector<Offload>> read_offloads(const std::string& interface) {
  Ethtool ethtool(interface);
  const uint32_t count = feature_count(ethtool);
  const std::vector<std::string> names = feature_names(ethtool, count);
  const uint32_t blocks = (count + 31) / 32;
  auto command = buffer_of(sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block));
  command[0] = ETHTOOL_GFEATURES;
  command[1] = blocks;
  if (names.empty() || !ethtool.ask(command)) {
    return std::nullopt;
  }
  std::vector<Offload> offloads;
  for (uint32_t at = 0; at < names.size(); ++at) {
    ethtool_get_features_block block{};
    const auto* first = reinterpret_cast<const char*>(command.data()) + sizeof(ethtool_gfeatures);
    std::memcpy(&block, first + at / 32 * sizeof block, sizeof block);
    if (!names[at].empty()) {
      const uint32_t bit = 1U << (at % 32);
      const bool is_fixed = (block.available & bit) == 0 || (block.never_changed & bit) != 0;
      offloads.push_back({names[at], (block.active & bit) != 0, is_fixed});
    }
  }
  return offloads;
}

ReceiveHash::Function function_of(uint8_t bits) {
  // Bits of hfunc: 0 Toeplitz, 1 XOR, 2 CRC32. Source: Linux, ethtool.h, ETH_RSS_HASH_*_BIT.
  switch (bits) {
    case 1:
      return ReceiveHash::Function::toeplitz;
    case 2:
      return ReceiveHash::Function::exclusive_or;
    case 4:
      return ReceiveHash::Function::crc32;
    default:
      return ReceiveHash::Function::unknown;
  }
}

/// Asked twice: for the sizes, and for what has them.
std::optional<ReceiveHash> read_hash(const std::string& interface) {
  Ethtool ethtool(interface);
  auto sizes = buffer_of(sizeof(ethtool_rxfh));
  sizes[0] = ETHTOOL_GRSSH;
  ethtool_rxfh head{};
  if (!ethtool.ask(sizes)) {
    return std::nullopt;
  }
  std::memcpy(&head, sizes.data(), sizeof head);
  if (head.indir_size > items_max || head.key_size > items_max) {
    return std::nullopt;
  }
  const uint32_t buckets = head.indir_size;
  const uint32_t key_bytes = head.key_size;
  auto command = buffer_of(sizeof head + buckets * sizeof(uint32_t) + key_bytes);
  head = {};
  head.cmd = ETHTOOL_GRSSH;
  head.indir_size = buckets;
  head.key_size = key_bytes;
  std::memcpy(command.data(), &head, sizeof head);
  if (!ethtool.ask(command)) {
    return std::nullopt;
  }
  std::memcpy(&head, command.data(), sizeof head);
  const auto* first = command.data() + sizeof head / sizeof(uint32_t);
  const auto* key = reinterpret_cast<const uint8_t*>(first + buckets);
  ReceiveHash hash;
  hash.function = function_of(head.hfunc);
  hash.is_symmetrised = head.rsvd8[0] != 0;  // input_xfrm since Linux 6.8: directions folded
  hash.indirection.assign(first, first + buckets);
  hash.key.assign(key, key + key_bytes);
  return hash;
}

class RunningKernel final : public Kernel {
 public:
  [[nodiscard]] std::optional<std::vector<Offload>> offloads(
      const std::string& interface) const override {
    return read_offloads(interface);
  }
  [[nodiscard]] std::optional<ReceiveHash> receive_hash(
      const std::string& interface) const override {
    return read_hash(interface);
  }
};

}  // namespace

const Kernel& running_kernel() {
  static const RunningKernel kernel;
  return kernel;
}

}  // namespace shrike::doctor

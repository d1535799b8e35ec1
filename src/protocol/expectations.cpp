#include "expectations.h"

#include "shrike/base/hash.h"

namespace shrike::protocol {

Expectations::Expectations()
    : keys_(new Key[expectations_max]), expectations_(new Expectation[expectations_max]) {}

/// The same for both orders.
uint64_t Expectations::pair_of(const IpAddress& one, const IpAddress& other) noexcept {
  const auto hash_of = [](const IpAddress& address) {
    return combine64(load_big64(address.bytes.data()), load_big64(address.bytes.data() + 8));
  };
  return mix64(hash_of(one) + hash_of(other));
}

void Expectations::drop(size_t at) noexcept {
  keys_[at].is_used = false;
  --count_;
}

void Expectations::add(const Expectation& expectation, uint64_t now_ns) noexcept {
  if (keys_[next_].is_used) {
    drop(next_);
  }
  keys_[next_] = {.pair = pair_of(expectation.client, expectation.server),
                  .time_ns = now_ns,
                  .parent_eve_id = expectation.parent_eve_id,
                  .port = expectation.server_port,
                  .is_used = true};
  expectations_[next_] = expectation;
  next_ = (next_ + 1) % expectations_max;
  ++count_;
}

bool Expectations::take(const FlowView& flow, uint64_t now_ns, Expectation& taken) noexcept {
  if (count_ == 0) {
    return false;
  }
  const uint64_t pair = pair_of(flow.client, flow.server);
  for (size_t i = 1; i <= expectations_max; ++i) {
    const size_t at = (next_ + expectations_max - i) % expectations_max;
    Key& key = keys_[at];
    if (!key.is_used || key.pair != pair) {
      continue;
    }
    if (now_ns > key.time_ns + lifetime_ns) {
      drop(at);
      continue;
    }
    const Expectation& expectation = expectations_[at];
    const bool is_pair = (expectation.client == flow.client && expectation.server == flow.server) ||
                         (expectation.client == flow.server && expectation.server == flow.client);
    if (is_pair && key.port == flow.server_port) {
      taken = expectation;
      drop(at);
      return true;
    }
  }
  return false;
}

void Expectations::forget(uint64_t parent_eve_id) noexcept {
  for (size_t at = 0; count_ != 0 && at < expectations_max; ++at) {
    if (keys_[at].is_used && keys_[at].parent_eve_id == parent_eve_id) {
      drop(at);
    }
  }
}

void Expectations::clear() noexcept {
  for (size_t at = 0; at < expectations_max; ++at) {
    keys_[at].is_used = false;
  }
  next_ = 0;
  count_ = 0;
}

}  // namespace shrike::protocol

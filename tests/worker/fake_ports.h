#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "shrike/capture/ports.h"
#include "shrike/craft.h"

namespace shrike::test {

/// One UDP datagram that says "evil".
inline std::vector<craft::TimedFrame> datagram(uint16_t port) {
  craft::Conversation talk({.client_port = port, .server_port = 9999, .is_udp = true});
  return talk.client("evil").frames();
}

/// What one worker polls: crafted frames that a test puts into the queue while it runs.
class FakeQueue final : public capture::PacketSource {
 public:
  /// Any thread. The frames stay where they are until the ports go.
  void put(const Packet& packet) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(packet);
  }
  [[nodiscard]] size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() - taken_;
  }

  void receive(PacketBatch& batch) noexcept override {
    constexpr size_t batch_packets = 16;
    batch.clear();
    const std::lock_guard lock(mutex_);
    while (batch.size() < batch_packets && taken_ < waiting_.size()) {
      batch.push(waiting_[taken_++]);
    }
  }
  void release(PacketBatch& batch) noexcept override { batch.clear(); }
  [[nodiscard]] bool is_finished() const noexcept override { return false; }
  [[nodiscard]] const std::vector<capture::CaptureInfo>& captures() const noexcept override {
    return captures_;
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return faults_; }
  [[nodiscard]] CounterView counters() const noexcept override { return {}; }

 private:
  mutable std::mutex mutex_;
  std::vector<Packet> waiting_;
  size_t taken_ = 0;
  std::vector<capture::CaptureInfo> captures_;
  Diagnostics faults_;
};

/// One port with a queue for each worker, without a network and without DPDK.
class FakePorts final : public capture::Ports {
 public:
  explicit FakePorts(uint32_t workers, bool is_steered = false) : is_steered_(is_steered) {
    for (uint32_t i = 0; i < workers; ++i) {
      queues_.push_back(std::make_unique<FakeQueue>());
    }
    capture::PortFacts port;
    port.device = port.name = port.driver = "fake0";
    port.queues = static_cast<uint16_t>(workers);
    port.link_is_up = true;
    facts_.push_back(std::move(port));
  }

  /// Frames arrive now, spread over the queues in turn as a port without a suitable hash does.
  void arrive(std::vector<craft::TimedFrame> frames) {
    frames_.push_back(std::make_unique<std::vector<craft::TimedFrame>>(std::move(frames)));
    for (Packet& packet : craft::to_packets(*frames_.back())) {
      packet.number = ++received_;
      queues_[received_ % queues_.size()]->put(packet);
    }
  }
  [[nodiscard]] size_t waiting() const {
    size_t all = 0;
    for (const auto& queue : queues_) {
      all += queue->waiting();
    }
    return all;
  }
  [[nodiscard]] uint64_t received() const { return received_; }
  /// A line for the operator, told once.
  void note(std::string line) { notices_.push_back(std::move(line)); }
  [[nodiscard]] int threads_inside() const { return threads_inside_.load(); }

  capture::PacketSource& source(uint32_t index) noexcept override { return *queues_[index]; }
  void enter_thread() noexcept override { ++threads_inside_; }
  void leave_thread() noexcept override { --threads_inside_; }
  [[nodiscard]] const std::vector<capture::PortFacts>& facts() const noexcept override {
    return facts_;
  }
  [[nodiscard]] bool are_steered() const noexcept override { return is_steered_; }
  std::vector<capture::PortTotals> totals() override {
    return {{.received = received_, .bytes = 0, .missed = 3, .no_buffer = 2, .errors = 1}};
  }
  [[nodiscard]] std::vector<capture::PoolUse> pools() const override {
    return std::vector<capture::PoolUse>(queues_.size());
  }
  [[nodiscard]] std::vector<capture::CardRules*> card_rules() override { return {}; }
  std::vector<std::string> take_notices() override { return std::exchange(notices_, {}); }

 private:
  const bool is_steered_;
  std::vector<std::unique_ptr<FakeQueue>> queues_;
  std::vector<std::unique_ptr<std::vector<craft::TimedFrame>>> frames_;
  std::vector<capture::PortFacts> facts_;
  std::vector<std::string> notices_;
  uint64_t received_ = 0;
  std::atomic<int> threads_inside_{0};
};

}  // namespace shrike::test

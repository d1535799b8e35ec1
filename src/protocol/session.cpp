#include "session.h"

namespace shrike::protocol {

Session::~Session() {
  for (AppTransaction* const transaction : transactions_) {
    transaction->destroy_(pool_, transaction);
  }
}

void Session::adopt(AppTransaction& transaction) {
  if (transactions_.size() >= options_.transactions_per_flow_max) {
    stop_parsing();  // whoever leaves so many open is playing with us
  }
  transaction.id = opened_++;
  transaction.options_ = &options_;
  transactions_.push_back(&transaction);
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    if (is_cut_[static_cast<size_t>(direction)]) {
      transaction.cut(direction);
    }
  }
}

void Session::cut(Direction direction) noexcept {
  is_cut_[static_cast<size_t>(direction)] = true;
  for (AppTransaction* const transaction : transactions_) {
    transaction->cut(direction);
  }
}

void Session::free(AppTransaction& transaction) noexcept {
  const auto at = std::find(transactions_.begin(), transactions_.end(), &transaction);
  if (at != transactions_.end()) {
    transactions_.erase(at);
    transaction.destroy_(pool_, &transaction);
  }
}

void Session::raise(Direction direction, AppEvent event) {
  PoolVector<AppEvent>& raised = events_[static_cast<size_t>(direction)];
  if (std::find(raised.begin(), raised.end(), event) == raised.end()) {
    raised.push_back(event);
  }
}

}  // namespace shrike::protocol

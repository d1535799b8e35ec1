#pragma once
#include <array>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/detect.h"
#include "shrike/model/transaction.h"
#include "world.h"

/// Transactions made by hand, and a flow that carries them past a detector.
namespace shrike::test {

/// A transaction that grows as a parser's does: values, numbers, bodies, events, steps.
class MadeTransaction {
 public:
  MadeTransaction(AppProtocol protocol, uint64_t id);
  MadeTransaction(const MadeTransaction&) = delete;
  MadeTransaction& operator=(const MadeTransaction&) = delete;

  MadeTransaction& add(Direction direction, Field field, std::string_view text);
  MadeTransaction& add_number(Direction direction, Field field, uint64_t number);
  MadeTransaction& raise(Direction direction, AppEvent event);
  MadeTransaction& reach(Direction direction, Progress progress);
  MadeTransaction& skip(Direction direction);

  /// A growing body: looked at from 16 bytes on, with a window of 8.
  MadeTransaction& add_body(Direction direction, Field field);
  /// Grows the body added last.
  MadeTransaction& grow(std::string_view text);
  MadeTransaction& end_body();

  [[nodiscard]] const Transaction& get() const { return transaction_; }

 private:
  void publish();

  Transaction transaction_;
  std::array<std::vector<FieldValue>, 2> values_;
  std::array<std::vector<AppEvent>, 2> events_;
  std::deque<std::string> texts_;
  std::deque<GrowingBody> bodies_;
  std::string body_text_;  ///< of the body added last
};

/// A flow with its application layer, and the detector that it passes.
class Conversation {
 public:
  /// @param rules as compile_text takes them.
  explicit Conversation(std::string_view rules, AppProtocol protocol = AppProtocol::http1,
                        detect::DetectorOptions options = {});

  MadeTransaction& open();
  [[nodiscard]] MadeTransaction& at(size_t index) { return *transactions_[index]; }
  AppView& view() { return view_; }
  [[nodiscard]] const RuleSet& rules() const { return rules_; }
  detect::Detector& detector() { return detector_; }
  /// Another rule set for what comes.
  void reload(std::string_view rules) { rules_ = compile_text(rules); }

  /// A datagram in this direction: what it alerts, "sid@transaction" as test::inspect has it. The
  /// first one opens the flow.
  std::string pass(Direction direction, Entry entry = {});

 private:
  RuleSet rules_;
  detect::Detector detector_;
  std::vector<std::unique_ptr<MadeTransaction>> transactions_;
  std::vector<const Transaction*> pointers_;
  AppView view_;
  bool is_open_ = false;
};

}  // namespace shrike::test

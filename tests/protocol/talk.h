#pragma once
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "parser.h"
#include "shrike/model/datagram.h"

/// Feeds a talk of two sides to a parser, cut into segments as one likes, as the engine would.
namespace shrike::protocol::test {

struct Said {
  Direction by;
  std::string text;
};
inline Said client(std::string_view text) {
  return {Direction::to_server, std::string(text)};
}
inline Said server(std::string_view text) {
  return {Direction::to_client, std::string(text)};
}

/// How many bytes the next segment has.
struct Cut {
  size_t bytes_max = SIZE_MAX;
  bool is_random = false;
  std::mt19937 random{7};

  size_t next() {
    return is_random ? std::uniform_int_distribution<size_t>(1, bytes_max)(random) : bytes_max;
  }
};

/// A flow with a parser and all that it needs.
template <typename Parser>
class Talk {
 public:
  explicit Talk(const ProtocolOptions& given = {}) : options(given) {
    datagram.time_ns = 1'000'000'000;
    tracked.datagram = &datagram;
    session.attend(tracked);
  }

  void say(const Said& said, Cut& cut) {
    for (size_t at = 0; at < said.text.size();) {
      const size_t count = std::min(cut.next(), said.text.size() - at);
      feed(said.by, std::string_view(said.text).substr(at, count), false);
      at += count;
    }
  }
  void say(const std::vector<Said>& all, Cut cut = {}) {
    for (const Said& each : all) {
      say(each, cut);
    }
  }
  void end(Direction direction) { feed(direction, "", true); }

  void feed(Direction direction, std::string_view text, bool is_end) {
    const auto side = static_cast<size_t>(direction);
    std::string& kept = kept_[side];
    kept.append(text);
    const bool is_enough = kept.size() >= needed_[side] || is_end;
    if (is_broken || !is_enough) {
      return;
    }
    // A copy in its own memory: a read past its end is a fault that ASan sees.
    const std::vector<uint8_t> bytes(kept.begin(), kept.end());
    const Consumed consumed = parser.parse(
        {.direction = direction, .bytes = bytes, .offset = offset_[side], .is_end = is_end});
    kept.erase(0, consumed.bytes);
    offset_[side] += consumed.bytes;
    needed_[side] = consumed.needed;
    is_broken = consumed.is_broken;
  }

  /// All transactions with their values, events and steps, as text.
  [[nodiscard]] std::string dump() const {
    std::string text;
    for (const AppTransaction* const each : session.transactions()) {
      text += dump(*each);
    }
    return text;
  }
  [[nodiscard]] static std::string dump(const AppTransaction& transaction) {
    std::string text = "tx " + std::to_string(transaction.id) + " " +
                       std::to_string(static_cast<int>(transaction.progress[0])) + "/" +
                       std::to_string(static_cast<int>(transaction.progress[1])) + "\n";
    for (size_t side = 0; side < 2; ++side) {
      const char* const arrow = side == 0 ? " > " : " < ";
      for (const FieldValue& value : transaction.values[side]) {
        if (value.field == Field::filestore) {
          continue;  // goes with every file.data
        }
        text += arrow + std::string(to_text(value.field)) + "=";
        if (value.body != nullptr) {
          text += as_text(value.body->bytes);
          text += value.body->is_whole ? "." : "…";
        } else {
          text += as_text(value.bytes);
        }
        text += value.number != 0 ? " " + std::to_string(value.number) + "\n" : "\n";
      }
      for (const AppEvent event : transaction.events[side]) {
        text += arrow + ("!" + std::string(to_text(event))) + "\n";
      }
    }
    return text;
  }
  [[nodiscard]] std::string describe(size_t index) const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    Parser::describe(*session.transactions()[index], json);
    json.end_object();
    return out;
  }

  ProtocolOptions options;
  Pool pool{64u << 20};
  Datagram datagram;
  Tracked tracked;
  Session session{pool, options};
  Parser parser{session};
  bool is_broken = false;

 private:
  std::array<std::string, 2> kept_;
  std::array<uint64_t, 2> offset_{};
  std::array<size_t, 2> needed_{};
};

}  // namespace shrike::protocol::test

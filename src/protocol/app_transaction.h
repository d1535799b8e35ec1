#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "memory.h"
#include "shrike/base/digest.h"
#include "shrike/model/transaction.h"

namespace shrike::protocol {

struct ProtocolOptions;
struct FilePiece;

/// How much of a body is kept and when it is inspected.
struct BodyLimits {
  uint64_t bytes_max = 100000;  ///< 0: no limit
  uint32_t inspect_bytes_min = 32768;
  uint32_t window_bytes = 4096;
};

/// The owner's side of a GrowingBody: takes bytes in, forgets what no window can need again.
class Body : public GrowingBody {
 public:
  Body(Pool& pool, const BodyLimits& limits) noexcept;
  /// Adds bytes up to the limit; what is beyond it is left out, and the body is then whole.
  void append(Bytes more);
  /// Nothing follows.
  void finish() noexcept { is_whole = true; }

 private:
  void forget_inspected();
  PoolBytes kept_;
  uint64_t bytes_max_;
};

enum class FileState : uint8_t { open, closed, truncated, error };

/// What is to be stored of a file. Empty where files are not stored.
struct FileStorage {
  explicit FileStorage(Pool& pool) : waiting(pool) {}
  PoolBytes waiting;    ///< not handed out yet
  size_t given = 0;     ///< of `waiting`
  uint64_t offset = 0;  ///< of waiting[0] in what is stored
  uint64_t id = 0;      ///< EVE file_id
  bool is_wanted = false;
  bool is_ended = false;  ///< all of it was handed out
};

/// A file that a transaction carries: its rows in EVE `files`, and the fields of files for rules.
struct File {
  File(Pool& pool, const BodyLimits& limits) : body(pool, limits), storage(pool) {}
  uint8_t number = 0;  ///< 1 for the first of its transaction
  Direction direction = Direction::to_server;
  FileState state = FileState::open;
  Bytes name;
  uint64_t size = 0;  ///< bytes that passed, gaps included
  bool has_gaps = false;
  Body body;
  std::array<std::optional<Digest>, Digest::kinds_count> digests;  ///< those wanted
  std::string_view magic;  ///< empty: not known, or not wanted
  bool is_magic_asked = false;
  FileStorage storage;
};

/// The parsers' side of a transaction. A parser derives its own from it where EVE needs more than
/// the fields, opens it with Session::open, and fills it by these functions. What is added twice is
/// there twice: that is how fields with several values are made.
class AppTransaction : public Transaction {
 public:
  explicit AppTransaction(Pool& pool) noexcept
      : pool_(pool),
        arena_(pool),
        values_{PoolVector<FieldValue>(pool), PoolVector<FieldValue>(pool)},
        events_{PoolVector<AppEvent>(pool), PoolVector<AppEvent>(pool)},
        bodies_(pool),
        files_(pool) {}
  ~AppTransaction();
  AppTransaction(const AppTransaction&) = delete;
  AppTransaction& operator=(const AppTransaction&) = delete;

  /// A value of a field, copied.
  void add(Direction direction, Field field, Bytes bytes) {
    add_kept(direction, field, keep(bytes));
  }
  void add(Direction direction, Field field, std::string_view text) {
    add(direction, field, as_bytes(text));
  }
  /// A value that already lives as long as the transaction: from keep(), or a literal.
  void add_kept(Direction direction, Field field, Bytes bytes, uint8_t file = 0);
  void add_number(Direction direction, Field field, uint64_t number);
  /// Makes the newest value of `from` one of `to`, where detection has not seen it yet: what it is
  /// was not known before. @return false where it was seen, or there is none.
  bool rename_unseen(Direction direction, Field from, Field to) noexcept;
  /// A value that grows. Lives as long as the transaction. `number` goes with it
  /// (dcerpc.stub_data: 1 where the sender's byte order is little endian).
  Body& add_body(Direction direction, Field field, const BodyLimits& limits, uint64_t number = 0);
  /// Copies bytes into memory that lives as long as the transaction.
  [[nodiscard]] Bytes keep(Bytes bytes);
  [[nodiscard]] std::string_view keep(std::string_view text) {
    return as_text(keep(as_bytes(text)));
  }

  /// A file begins: adds file.data (growing) and, where it has one, its name; magic, size and
  /// digests follow when they are known. All are for rules in `direction`. See files.cpp.
  File& open_file(Direction direction, Bytes name, const BodyLimits& limits);
  void append_file(File& file, Bytes bytes);
  void skip_in_file(File& file, uint64_t gap_bytes);
  void close_file(File& file, FileState state);
  /// A rule asks for the files of a direction.
  void store_files(Direction direction) noexcept;
  /// See ProtocolParsers::next_file_piece.
  [[nodiscard]] std::optional<FilePiece> take_piece(File& file, uint64_t file_id, bool is_over);
  [[nodiscard]] std::span<File* const> files() const noexcept { return files_; }

  /// Something is wrong or odd. Each event once a transaction and direction.
  void raise(Direction direction, AppEvent event);
  /// Only ever forward; a step back is ignored.
  void reach(Direction direction, Progress step) noexcept;
  void complete() noexcept {
    reach(Direction::to_server, Progress::complete);
    reach(Direction::to_client, Progress::complete);
  }
  /// Nothing more comes in this direction, though it is not complete.
  void cut(Direction direction) noexcept;
  /// One direction has nothing to inspect: a lone notification, a query whose answer is a
  /// transaction of its own.
  void skip(Direction direction) noexcept {
    skips[static_cast<size_t>(direction)] = true;
    reach(direction, Progress::complete);
  }
  /// The parser goes on using it after it is complete: it goes with its flow.
  void stay() noexcept { stays_ = true; }
  /// The parser is done with it, so it may go once it is inspected. What was only cut off is not:
  /// its parser may still write into it.
  [[nodiscard]] bool is_released() const noexcept {
    return !stays_ && completed_[0] && completed_[1];
  }
  [[nodiscard]] bool is_complete() const noexcept {
    return progress[0] == Progress::complete && progress[1] == Progress::complete;
  }

  /// The first value of a field, or null: for describe().
  [[nodiscard]] const FieldValue* find(Direction direction, Field field) const noexcept;
  /// … as text; empty where there is none.
  [[nodiscard]] std::string_view text(Direction direction, Field field) const noexcept;

  [[nodiscard]] Pool& pool() noexcept { return pool_; }

 private:
  void ask_magic(File& file);
  void keep_to_store(File& file, Bytes bytes);

  Pool& pool_;
  std::array<bool, 2> completed_{};  ///< by the parser itself
  bool stays_ = false;
  const ProtocolOptions* options_ = nullptr;  ///< of the session, when it took this over
  Arena arena_;
  std::array<PoolVector<FieldValue>, 2> values_;
  std::array<PoolVector<AppEvent>, 2> events_;
  PoolVector<Body*> bodies_;
  PoolVector<File*> files_;

  friend class Session;
  void (*destroy_)(Pool&, AppTransaction*) = nullptr;  ///< of the type that was made
};

}  // namespace shrike::protocol

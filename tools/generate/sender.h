#pragma once
#include <atomic>
#include <cstdint>

#include "copies.h"
#include "frames.h"
#include "port.h"
#include "rate.h"
#include "spread.h"

namespace shrike::generate {

struct SendOptions {
  Spread spread = Spread::symmetric;
  Rate rate;
  /// Waits until the port has room, else a frame without room is refused.
  bool is_lossless = false;
  uint64_t loops = 1;             ///< rounds over all frames; 0: without end
  uint64_t duration_seconds = 0;  ///< 0: as long as the rounds take
  uint32_t copies = 1;            ///< of each frame, under other addresses
  bool changes_hosts = false;     ///< each round has addresses of its own
  /// Shortest sleep while a frame is not due; what comes due meanwhile goes as a burst. 0: even
  /// gaps, for which short waits keep the processor busy.
  uint32_t nap_us_min = 0;
  uint64_t stall_seconds_max = 30;
  bool shows_progress = false;  ///< on the standard error, once a second
};

/// Why it ended.
enum class Ending : uint8_t {
  done,      ///< all rounds are sent
  duration,  ///< the time is up
  stopped,   ///< by a signal
  stalled,   ///< lossless, and the port took nothing for stall_seconds_max
};

struct SendReport {
  Ending ending = Ending::done;
  double seconds = 0;
  uint64_t rounds = 0;    ///< whole ones
  uint64_t too_long = 0;  ///< frames that the port cannot take at all
};

/// Sends frames on a port until their end. One use, one thread.
class Sender {
 public:
  Sender(Port& port, const FrameList& frames, const SendOptions& options,
         const std::atomic<bool>& stop);

  SendReport run();

 private:
  bool send_round();
  bool send(Bytes frame);
  bool make_room(uint32_t queue);
  bool wait_until_due();
  bool flush_all();
  bool is_over();
  void show_progress(uint64_t now);

  Port& port_;
  const FrameList& frames_;
  SendOptions options_;
  const std::atomic<bool>& stop_;
  FlowCopies copies_;
  QueueChooser chooser_;
  uint32_t queues_;
  uint64_t hz_;
  uint64_t begin_;
  uint64_t next_look_;      ///< at the clock
  uint64_t last_progress_;  ///< when a line was shown last
  uint64_t last_frames_ = 0;
  uint64_t last_bytes_ = 0;
  Pacer pacer_;
  SendReport report_;
};

}  // namespace shrike::generate

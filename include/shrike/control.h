#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/capture/ports.h"
#include "shrike/output.h"
#include "shrike/rule.h"
#include "shrike/worker/core_plan.h"
#include "shrike/worker/live.h"
#include "shrike/worker/profile.h"

/// A live sensor over time: its one house-keeping thread, which collects, keeps statistics, takes
/// up new rules and answers the operator. Cold; the workers never wait for it.
namespace shrike::control {

/// What the operator asks for by signals. Only flags, so that a signal handler may set them.
struct Requests {
  std::atomic<bool> stop{false};
  std::atomic<bool> reload_rules{false};
  std::atomic<bool> reopen_files{false};
};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only set a flag");

/// Rules as they were read and compiled.
struct LoadedRules {
  RuleSet rules;
  rule::Report report;
  std::vector<Diagnostic> faults;  ///< of rules that were left out
};

struct SensorOptions {
  worker::LiveOptions live;
  worker::CorePlan cores;  ///< that `live` was given, to show; the sensor's thread keeps to it
  uint32_t statistics_interval_ms = 8000;  ///< between EVE stats events; 0: only at the end
  /// Stops once so long no packet came, for tests and for devices that play a file; 0: never.
  uint32_t stop_when_idle_ms = 0;
};

/// How a reload went.
struct ReloadOutcome {
  enum class State : uint8_t { none, running, done, failed } state = State::none;
  uint64_t generation = 0;
  double compile_seconds = 0;
  double switch_seconds = 0;  ///< until the last worker took the rules up
};

/// How much one worker has to do, and how full what leads to and from it ever was.
struct WorkerLoad {
  std::string name;            ///< "W#01"
  uint32_t load_permille = 0;  ///< of the last seconds
  uint64_t packets = 0;        ///< frames decoded here, received or taken over
  worker::RingUse record_ring;
  worker::RingUse hand_over_ring;
  capture::PoolUse pool;
  uint32_t buffers_in_use_max = 0;
};

/// Everything of the sensor that others may look at, as of now.
struct Status {
  uint64_t uptime_ms = 0;
  uint64_t generation = 0;
  rule::Report rules;
  std::vector<Diagnostic> failed_rules;
  ReloadOutcome last_reload;
  uint64_t reloads_over = 0;    ///< ended, well or not
  uint64_t last_reload_ns = 0;  ///< when rules were taken up last, since the epoch
  std::vector<capture::PortFacts> ports;
  std::vector<capture::PortTotals> port_totals;
  std::vector<WorkerLoad> workers;
  worker::CorePlan cores;
};

class Sensor {
 public:
  /// Reads and compiles the rules anew; on a thread of its own. Nothing where they must not be
  /// used, and then it has told why.
  using LoadRules = std::function<std::optional<LoadedRules>()>;
  /// One line for the operator.
  using Tell = std::function<void(const std::string&)>;
  /// What the sensor asks of the program around it.
  struct Program {
    LoadRules load_rules;
    Tell tell;
  };

  /// Everything is borrowed and outlives the sensor.
  Sensor(const SensorOptions& options, capture::Ports& ports, output::Collector& collector,
         LoadedRules first_rules, Program program);
  ~Sensor();

  /// Until `requests.stop`, or idle for as long as the options say. Then everything received is
  /// inspected and written.
  /// @param turn  is called once a turn, several times a second, for what else the house-keeping
  ///              thread has to do.
  void run(Requests& requests, const std::function<void()>& turn);

  /// Any thread.
  [[nodiscard]] Status status() const;
  /// The workers' counters, and "Global": the collector's. Views stay valid as long as this.
  /// Any thread.
  [[nodiscard]] const std::vector<worker::ThreadCounters>& counters() const noexcept;
  /// Most logged first. The house-keeping thread.
  [[nodiscard]] std::vector<output::SignatureTotals> signatures() const;
  /// What rules cost since the start, over reloads. @param shown_max  signatures, costliest first.
  /// The house-keeping thread.
  [[nodiscard]] worker::CostSummary rule_costs(size_t shown_max) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct CommandServerOptions {
  std::string path;     ///< of the UNIX socket
  std::string version;  ///< of the sensor
  /// The value of a configuration key, for conf-get.
  std::function<std::optional<std::string>(const std::string&)> setting;
};

/// The control socket: Suricata's protocol and commands, as far as they make sense here, and our
/// own (`suricatasc -c command-list SOCKET`). Served by the house-keeping thread, never waiting for
/// a peer.
class CommandServer {
 public:
  /// Everything is borrowed and outlives the server. Errors in `diagnostics`.
  CommandServer(CommandServerOptions options, const Sensor& sensor, Requests& requests,
                Diagnostics& diagnostics);
  ~CommandServer();

  /// One turn.
  void serve();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All counters and what the ports say, for Prometheus and whoever reads its format, at
/// http://ADDRESS/metrics. On a thread of its own.
class MetricsServer {
 public:
  /// @param address  "127.0.0.1:9464". What is wrong with it is an error in `diagnostics`.
  MetricsServer(const std::string& address, const Sensor& sensor, Diagnostics& diagnostics);
  ~MetricsServer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether this build has metrics: prometheus-cpp is optional.
[[nodiscard]] bool has_metrics() noexcept;

/// What the process gives up once its ports are open.
struct ConfineOptions {
  std::string user;   ///< to become, where it is root; empty: nobody else
  std::string group;  ///< empty: the user's
  bool is_fenced = true;
  /// The only folders in which it may make, change or remove files from then on; they are given to
  /// `user`. They must be there.
  std::vector<std::string> writable_folders;
};

/// Becomes the user, drops every capability, gives up running programs and writing outside of the
/// folders (Landlock; a kernel without it is a warning). For threads that start later, too.
/// @return false where the user cannot be had, with an error in `diagnostics`.
bool confine(const ConfineOptions& options, Diagnostics& diagnostics);

/// Tells the service manager that started the process how it is (systemd's notification protocol,
/// sd_notify(3)); does nothing where there is none.
class ServiceManager {
 public:
  ServiceManager();
  void tell_ready() const;
  void tell_stopping() const;
  /// Feeds the watchdog, where the unit has one, as often as it wants. Call often.
  void tick();

 private:
  void tell(const char* text) const;

  std::string address_;
  std::chrono::microseconds watchdog_interval_{0};
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace shrike::control

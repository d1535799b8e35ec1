#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "command_socket.h"
#include "shrike/control.h"

namespace shrike::control {

/// What the control socket understands: Suricata's commands as far as they make sense here, and our
/// own. One row each in commands.cpp. For the house-keeping thread.
class Commands {
 public:
  /// Everything is borrowed. @param setting  the value of a configuration key, for conf-get.
  /// @param version  of the sensor.
  Commands(const Sensor& sensor, Requests& requests, std::string version,
           std::function<std::optional<std::string>(const std::string&)> setting)
      : sensor_(sensor),
        requests_(requests),
        version_(std::move(version)),
        setting_(std::move(setting)) {}

  /// @param request  {"command": name, "arguments": {…}}. @return nothing while a reload runs.
  /// @param is_again  it was asked before, and nothing was the answer.
  std::optional<Reply> answer(std::string_view request, bool is_again);

  struct Call;

 private:
  const Sensor& sensor_;
  Requests& requests_;
  const std::string version_;
  const std::function<std::optional<std::string>(const std::string&)> setting_;
  std::optional<uint64_t> reload_serial_;  ///< reloads that were over when one was asked for
};

}  // namespace shrike::control

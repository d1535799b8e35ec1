#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "shrike/top.h"

namespace shrike::top {

namespace {

using Json = nlohmann::json;

constexpr timeval answer_wait_max{5, 0};
/// All counters of 128 workers are some megabytes.
constexpr size_t answer_bytes_max = size_t{64} << 20;

/// What to do where the socket cannot be had.
std::string_view advice_for(int error) {
  switch (error) {
    case ENOENT:
      return "start the sensor with unix-command.enabled, or name its socket with --socket";
    case EACCES:
    case EPERM:
      return "ask as root or as the user that the sensor runs as";
    case ECONNREFUSED:
      return "the sensor that made it has ended; start it again";
    case EAGAIN:
      return "the sensor is stuck or has too many visitors; try again";
    default:
      return "see that this is the control socket of a running sensor";
  }
}

}  // namespace

Client::Client(std::string path) : path_(std::move(path)) {}

Client::~Client() {
  disconnect();
}

void Client::disconnect() {
  if (descriptor_ >= 0) {
    close(descriptor_);
    descriptor_ = -1;
  }
  received_.clear();
}

void Client::fail(int error) {
  fault_ = fmt::format("{}: error[control-socket]: no sensor answers here: {}; {}", path_,
                       std::strerror(error), advice_for(error));
  disconnect();
}

bool Client::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    fail(ENAMETOOLONG);
    return false;
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &answer_wait_max, sizeof answer_wait_max);
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &answer_wait_max, sizeof answer_wait_max);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(errno);
    return false;
  }
  if (!send_line("{\"version\": \"0.2\"}\n")) {
    return false;
  }
  const std::optional<std::string> greeting = receive_line();
  if (greeting && *greeting != "{\"return\":\"OK\"}") {
    fail(EPROTO);
  }
  return descriptor_ >= 0;
}

bool Client::send_line(const std::string& line) {
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t count = send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      fail(count < 0 ? errno : EPIPE);
      return false;
    }
    sent += static_cast<size_t>(count);
  }
  return true;
}

std::optional<std::string> Client::receive_line() {
  size_t searched = 0;
  for (size_t end = received_.find('\n'); end == std::string::npos;
       end = received_.find('\n', searched)) {
    searched = received_.size();
    char bytes[65536];
    const ssize_t count = recv(descriptor_, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0 || received_.size() > answer_bytes_max) {
      fail(count < 0 ? errno : EPIPE);
      return std::nullopt;
    }
    received_.append(bytes, static_cast<size_t>(count));
  }
  const size_t end = received_.find('\n');
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

/// @return the answer's message as text of JSON; "null" where the sensor does not know the command.
std::optional<std::string> Client::request(std::string_view command) {
  if (!send_line(fmt::format("{{\"command\": \"{}\"}}\n", command))) {
    return std::nullopt;
  }
  const std::optional<std::string> line = receive_line();
  if (!line) {
    return std::nullopt;
  }
  const Json answer = Json::parse(*line, nullptr, false);
  if (!answer.is_object() || !answer.contains("return")) {
    fail(EPROTO);
    return std::nullopt;
  }
  const bool is_known = answer["return"] == "OK" && answer.contains("message");
  return is_known ? answer["message"].dump(-1, ' ', false, Json::error_handler_t::replace) : "null";
}

std::optional<Sample> Client::ask() {
  if (descriptor_ < 0 && !connect()) {
    return std::nullopt;
  }
  Answers answers;
  constexpr std::pair<std::string_view, std::string Answers::*> questions[] = {
      {"version", &Answers::version},        {"status", &Answers::status},
      {"dump-counters", &Answers::counters}, {"top-rules", &Answers::top_rules},
      {"rule-costs", &Answers::rule_costs},
  };
  for (const auto& [command, place] : questions) {
    std::optional<std::string> answer = request(command);
    if (!answer) {
      return std::nullopt;
    }
    answers.*place = std::move(*answer);
  }
  std::optional<Sample> sample = read_sample(answers);
  if (!sample) {
    fail(EPROTO);
  }
  return sample;
}

}  // namespace shrike::top

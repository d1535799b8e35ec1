#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "shrike/control.h"

namespace shrike::control {
namespace {

/// An environment variable while this lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

/// The manager's end of the socket.
class Manager {
 public:
  /// @param address  "@…" for a name that is no file.
  explicit Manager(const std::string& address)
      : path_(address), descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.data(), address.size());
    if (address.front() == '@') {
      name.sun_path[0] = 0;
    }
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), bytes), 0);
  }
  ~Manager() {
    close(descriptor_);
    unlink(path_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// All that has come, each followed by a space.
  [[nodiscard]] std::string heard() const {
    std::string all;
    char bytes[256];
    for (ssize_t count = 0; (count = recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0;) {
      all.append(bytes, static_cast<size_t>(count)).append(" ");
    }
    return all;
  }

 private:
  std::string path_;
  int descriptor_;
};

std::string own_name(const char* kind) {
  return "shrike-notify-" + std::string(kind) + std::to_string(getpid());
}

TEST(ServiceManager, HearsOfStartAndEnd) {
  for (const std::string& address : {testing::TempDir() + own_name("file"), "@" + own_name("")}) {
    SCOPED_TRACE(address);
    const Manager manager(address);
    const Environment environment("NOTIFY_SOCKET", address);
    ServiceManager us;
    us.tick();
    EXPECT_EQ(manager.heard(), "") << "no watchdog was asked for";
    us.tell_ready();
    us.tell_stopping();
    EXPECT_EQ(manager.heard(), "READY=1 STOPPING=1 ");
  }
}

TEST(ServiceManager, FeedsTheWatchdogTwiceAnInterval) {
  const std::string address = testing::TempDir() + own_name("watchdog");
  const Manager manager(address);
  const Environment socket_name("NOTIFY_SOCKET", address);
  const Environment interval("WATCHDOG_USEC", "7200000000");
  const Environment process("WATCHDOG_PID", std::to_string(getpid()));
  ServiceManager us;
  us.tick();
  us.tick();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1 ") << "at once, then not for an hour";
}

TEST(ServiceManager, LeavesAloneTheWatchdogOfAnotherProcess) {
  const std::string address = testing::TempDir() + own_name("other");
  const Manager manager(address);
  const Environment socket_name("NOTIFY_SOCKET", address);
  const Environment interval("WATCHDOG_USEC", "2");
  const Environment process("WATCHDOG_PID", std::to_string(getppid()));
  ServiceManager us;
  us.tick();
  EXPECT_EQ(manager.heard(), "");
}

TEST(ServiceManager, GoesOnWithoutOne) {
  const std::string nobody = testing::TempDir() + own_name("nobody");
  for (const std::string& address : {std::string(), nobody, std::string(200, 'x')}) {
    const Environment environment("NOTIFY_SOCKET", address);
    const ServiceManager us;
    us.tell_ready();
    us.tell_stopping();
  }
  const ServiceManager us;
  us.tell_ready();
}

}  // namespace
}  // namespace shrike::control

#include <utility>

#include "command_socket.h"
#include "commands.h"

namespace shrike::control {

struct CommandServer::State {
  State(CommandServerOptions options, const Sensor& sensor, Requests& requests,
        Diagnostics& diagnostics)
      : commands(sensor, requests, std::move(options.version), std::move(options.setting)),
        socket(
            std::move(options.path),
            [this](std::string_view request, bool is_again) {
              return commands.answer(request, is_again);
            },
            diagnostics) {}

  Commands commands;
  CommandSocket socket;
};

CommandServer::CommandServer(CommandServerOptions options, const Sensor& sensor, Requests& requests,
                             Diagnostics& diagnostics)
    : state_(std::make_unique<State>(std::move(options), sensor, requests, diagnostics)) {}

CommandServer::~CommandServer() = default;

void CommandServer::serve() {
  state_->socket.serve();
}

}  // namespace shrike::control

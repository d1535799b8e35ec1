#include "shrike/control.h"

namespace shrike::control {

/// In the place of metrics.cpp where prometheus-cpp is not there.
struct MetricsServer::State {};

MetricsServer::MetricsServer(const std::string&, const Sensor&, Diagnostics& diagnostics) {
  diagnostics.error({}, "metrics",
                    "this build has no metrics; install prometheus-cpp-dev and build "
                    "anew, or leave shrike.live.metrics out");
}

MetricsServer::~MetricsServer() = default;

bool has_metrics() noexcept {
  return false;
}

}  // namespace shrike::control

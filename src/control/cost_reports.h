#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "shrike/base/latency.h"
#include "shrike/control.h"
#include "shrike/output.h"
#include "shrike/worker/profile.h"

/// What a sensor spends, as values of the control socket's answers.
namespace shrike::control {

/// Sums of the latency histograms over all threads, by stage (latency_stages).
using Latencies = std::array<LatencyBuckets, latency_stages.size()>;
[[nodiscard]] Latencies latencies_of(const std::vector<worker::ThreadCounters>& threads);

/// {"inspected": {"count", "p50_us", "p90_us", "p99_us", "p999_us", "buckets": […]}, …}
[[nodiscard]] nlohmann::json latency_json(const Latencies& latencies);
/// [{"name", "load_permille", "packets", rings and pool}]
[[nodiscard]] nlohmann::json workers_json(const std::vector<WorkerLoad>& workers);
/// Busiest load over mean load; 1 where nobody has any.
[[nodiscard]] double imbalance_of(const std::vector<WorkerLoad>& workers) noexcept;

/// Totals and the costliest signatures.
[[nodiscard]] nlohmann::json costs_json(const worker::CostSummary& costs);
/// The signatures that fire most, then those that cost most, each with what it cost.
/// @param costs  with all signatures.
[[nodiscard]] nlohmann::json top_rules_json(const std::vector<output::SignatureTotals>& fired,
                                            const worker::CostSummary& costs, size_t shown_max);

}  // namespace shrike::control

/** Numbers out of samples. */

/** The nearest-rank percentile; `share` in 0..1. */
function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

export const median = (samples) => percentile(samples, 0.5);

/** What a latency row reports, in milliseconds. */
export const spread = (samples) => ({
  p50: median(samples),
  p99: percentile(samples, 0.99),
  max: Math.max(...samples),
  count: samples.length,
});

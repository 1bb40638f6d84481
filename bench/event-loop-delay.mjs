import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

/** Methods of a worker that say how late its timers were between two calls, in milliseconds. */
export function eventLoopDelay() {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  // A sample is the time from one firing of a timer to the next.
  const late = (ns) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return {
    startDelay: () => {
      histogram.reset();
      histogram.enable();
    },
    stopDelay: () => {
      histogram.disable();
      return {
        p50Ms: late(histogram.percentile(50)),
        p99Ms: late(histogram.percentile(99)),
        maxMs: late(histogram.max),
      };
    },
  };
}

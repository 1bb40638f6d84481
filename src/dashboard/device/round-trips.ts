/** The answers to PINGs, oldest first. */
export interface RoundTrips {
  readonly times: readonly number[];
  readonly roundTripsMs: readonly number[];
}

export const NO_ROUND_TRIPS: RoundTrips = { times: [], roundTripsMs: [] };
const KEPT = 300;

export const withRoundTrip = ({ times, roundTripsMs }: RoundTrips, atMs: number, roundTripMs: number): RoundTrips => ({
  times: [...times.slice(1 - KEPT), atMs],
  roundTripsMs: [...roundTripsMs.slice(1 - KEPT), roundTripMs],
});

export interface RoundTripSummary {
  readonly lastMs: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** Undefined before the first. */
export function summaryOf({ roundTripsMs }: RoundTrips): RoundTripSummary | undefined {
  const sorted = [...roundTripsMs].sort((a, b) => a - b);
  const lastMs = roundTripsMs.at(-1);
  if (lastMs === undefined) return undefined;
  return { lastMs, minMs: sorted[0]!, medianMs: sorted[Math.floor(sorted.length / 2)]!, maxMs: sorted.at(-1)! };
}

/** @param sorted ascending numbers, at least one; between two of them it interpolates */
export function quantile(sorted, fraction) {
  const at = fraction * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

const ascending = (values) => values.toSorted((a, b) => a - b);

export const median = (values) => quantile(ascending(values), 0.5);

/** The median, and the quartiles around it. */
export function summarize(values) {
  const sorted = ascending(values);
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) };
}

/** The summary of the ratios round by round: what slows a whole round down leaves them alone. */
export function summarizeRatios(values, references) {
  return summarize(values.map((value, round) => value / references[round]));
}

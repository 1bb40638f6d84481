/** The shape of a sparkline in a box of so many units, for the `d` of an SVG path. */
export interface SparklinePath {
  readonly line: string;
  /** The line and the box's bottom. */
  readonly area: string;
}

/** Room for the width of the line. */
const MARGIN = 1.5;

/**
 * From edge to edge once there are `enough` values; before, the left stays empty. Values that are all the same are a line in the
 * middle. Undefined for fewer than two.
 */
export function sparklinePath(
  values: readonly number[],
  { width, height, enough }: { readonly width: number; readonly height: number; readonly enough: number },
): SparklinePath | undefined {
  if (values.length < 2) return undefined;
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const step = width / (Math.max(values.length, enough) - 1);
  const left = width - (values.length - 1) * step;
  const points = values.map((value, at) => {
    const level = span === 0 ? 0.5 : (value - low) / span;
    return `${round(left + at * step)} ${round(height - MARGIN - level * (height - 2 * MARGIN))}`;
  });
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${width} ${height}L${round(left)} ${height}Z` };
}

const round = (n: number): number => Math.round(n * 10) / 10;

import { MAX_FIELDS, type Reading } from '../readings.js';

/** Readings as columns, the way charts take them; times rise. */
export interface Series {
  readonly fields: readonly string[];
  readonly times: readonly number[];
  /** One a field, each as long as `times`; null where a message lacked the field. */
  readonly columns: readonly (readonly (number | null)[])[];
}

export const NO_SERIES: Series = { fields: [], times: [], columns: [] };

/** The longest time that a chart shows. */
export const KEPT_MS = 15 * 60_000;
/** Of what comes closer together, the latest stands for all: so a quarter of an hour is at most 4,500 points. */
const STEP_MS = 200;

/** Readings out of order are passed over. */
export function withReadings(series: Series, readings: readonly Reading[]): Series {
  const fields = [...series.fields];
  for (const { values } of readings) {
    for (const name of values.keys()) if (!fields.includes(name) && fields.length < MAX_FIELDS) fields.push(name);
  }
  const times = [...series.times];
  const columns = fields.map((_, at) => [...(series.columns[at] ?? times.map(() => null))]);
  for (const { atMs, values } of readings) {
    const lastMs = times.at(-1) ?? -Infinity;
    if (values.size === 0 || atMs < lastMs) continue;
    // Steps are those of the clock, and not of the last point, which would move on with each.
    const at = Math.floor(atMs / STEP_MS) === Math.floor(lastMs / STEP_MS) ? times.length - 1 : times.length;
    times[at] = atMs;
    fields.forEach((field, column) => (columns[column]![at] = values.get(field) ?? null));
  }
  return trimmed({ fields, times, columns });
}

function trimmed(series: Series): Series {
  const oldest = (series.times.at(-1) ?? 0) - KEPT_MS;
  const first = series.times.findIndex((time) => time >= oldest);
  if (first <= 0) return series;
  const { fields, times, columns } = series;
  return { fields, times: times.slice(first), columns: columns.map((column) => column.slice(first)) };
}

/** The last value of a field; undefined for one that is not followed. */
export function lastOf({ fields, columns }: Series, field: string): number | undefined {
  const values = (columns[fields.indexOf(field)] ?? []).filter((value) => value !== null);
  return values.at(-1);
}

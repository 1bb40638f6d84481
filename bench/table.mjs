import { median, summarize, summarizeRatios } from './statistics.mjs';

/**
 * @typedef {object} Column
 * @property {string} key In the samples.
 * @property {string} title With the unit.
 * @property {number} [digits] After the point; 0 unless said.
 *
 * @typedef {object} Table The first column is what is compared: it gets quartiles, and the ratio to the reference.
 * @property {string} title
 * @property {string} [note]
 * @property {string} [reference] The row that the others are compared with.
 * @property {Column[]} columns
 * @property {{ name: string, samples?: Record<string, number>[], failed?: string }[]} rows `samples`: one for each round.
 */

/** @param {Table} table */
export function asText(table) {
  const lines = cells(table);
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const rows = lines.map((line) =>
    line
      .map((cell, at) => (at === 0 || line.length === 2 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ')
      .trimEnd(),
  );
  const nobody = table.rows.length === 0 ? ['  None of the peers that were asked for takes part.'] : [];
  return [table.title, ...(table.note ? [table.note] : []), ...rows.map((row) => `  ${row}`), ...nobody, ''].join('\n');
}

/** @param {Table} table */
export function asMarkdown(table) {
  const [heads, ...rows] = cells(table);
  const line = (row) => `| ${heads.map((_, at) => row[at] ?? '').join(' | ')} |`;
  const rule = `| --- |${' ---: |'.repeat(heads.length - 1)}`;
  return [
    `**${table.title}**`,
    ...(table.note ? ['', table.note] : []),
    '',
    line(heads),
    rule,
    ...rows.map(line),
    '',
  ].join('\n');
}

/** @param {Table} table */
function cells({ reference, columns, rows }) {
  const [compared, ...others] = columns;
  const referenceSamples = rows.find(({ name }) => name === reference)?.samples?.map((sample) => sample[compared.key]);
  const heads = ['', compared.title, 'quartiles', ...(reference ? [`to ${reference}`, 'quartiles'] : [])];
  return [
    [...heads, ...others.map(({ title }) => title)],
    ...rows.map(({ name, samples, failed }) => {
      if (failed !== undefined) return [name, `failed: ${failed}`];
      const values = samples.map((sample) => sample[compared.key]);
      return [
        name,
        ...spread(summarize(values), compared.digits),
        ...(reference ? (referenceSamples ? spread(summarizeRatios(values, referenceSamples), 2) : ['', '']) : []),
        ...others.map(({ key, digits }) => number(median(samples.map((sample) => sample[key])), digits)),
      ];
    }),
  ];
}

const spread = ({ median, lower, upper }, digits) => [
  number(median, digits),
  `${number(lower, digits)}–${number(upper, digits)}`,
];

const number = (value, digits = 0) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

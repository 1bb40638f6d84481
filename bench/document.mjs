import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { machineLine } from './machine.mjs';
import { asMarkdown } from './table.mjs';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/**
 * Writes all tables into a Markdown file: between its marks, or as the whole of a new one.
 * @throws Error where the file exists and has no marks
 */
export function writeDocument(path, { machine, scale, jobs }) {
  const sections = jobs.map(({ title, tables }) => [`### ${title}`, '', ...tables.map(asMarkdown)].join('\n'));
  const measured = [BEGIN, '', `${machineLine(machine)}; scale: ${scale.name}.`, '', ...sections, END].join('\n');
  if (!existsSync(path)) return writeFileSync(path, `${measured}\n`);
  const text = readFileSync(path, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has no ${BEGIN} and ${END}`);
  writeFileSync(path, text.slice(0, begin) + measured + text.slice(end + END.length));
}

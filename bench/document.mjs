import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { machineLine } from './machine.mjs';
import { asMarkdown } from './table.mjs';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/**
 * Opens a file for results, so that what keeps them from being written is known before anything is measured.
 * @throws Error where it can't be written
 */
export function resultFile(path) {
  closeSync(openSync(path, 'a'));
  return (results) => writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * The same for a Markdown file: all tables go between its marks in place of what is there, or are the whole of a new one.
 * @throws Error where it can't be written, or is there and has no marks
 */
export function resultDocument(path) {
  closeSync(openSync(path, 'a'));
  around(path);
  return (results) => writeFileSync(path, around(path).join(measured(results)));
}

/** What stands before and behind the marks of a file. */
function around(path) {
  const text = readFileSync(path, 'utf8') || `${BEGIN}${END}\n`;
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has no ${BEGIN} and ${END}`);
  return [text.slice(0, begin), text.slice(end + END.length)];
}

function measured({ machine, scale, jobs }) {
  const sections = jobs.map(({ title, tables }) => [`### ${title}`, '', ...tables.map(asMarkdown)].join('\n'));
  const how = `scale: ${scale.name}, ${scale.rounds} rounds (memory: ${scale.memoryRounds}).`;
  return [BEGIN, '', `${machineLine(machine)}; ${how}`, '', ...sections, END].join('\n');
}

import { el, setAttribute, setClass, setText } from '../dom.js';
import { formatBytes, formatPreciseTime } from '../format.js';
import type { Row } from '../virtual-list.js';
import type { LogEntry } from './log.js';
import { lineOf, type PayloadView } from './payload-views.js';

/** A line of the log and how it is to be shown. */
export interface LogItem {
  readonly entry: LogEntry;
  readonly view: PayloadView;
  readonly isSelected: boolean;
}

/** The id of the element of a line, for `aria-activedescendant`. */
export const logRowId = (n: number): string => `log-${n}`;

const MARKS = { received: '←', sent: '→', note: '·' } as const;

export function logRow(onSelect: (n: number) => void): Row<LogItem> {
  const time = el('span', { class: 'log-time' });
  const mark = el('span', { class: 'log-mark' });
  const size = el('span', { class: 'log-size' });
  const text = el('span', { class: 'log-text' });
  let n = 0;
  const element = el(
    'div',
    // Not at the click: until the button is up again, another line may be here.
    { class: 'log-row', attributes: { role: 'option' }, on: { mousedown: () => onSelect(n) } },
    time,
    mark,
    size,
    text,
  );

  return {
    element,
    show({ entry, view, isSelected }) {
      n = entry.n;
      element.id = logRowId(n);
      setAttribute(element, 'aria-selected', String(isSelected));
      setClass(element, 'is-sent', entry.kind === 'sent');
      setClass(element, 'is-note', entry.kind === 'note');
      setClass(element, 'is-bad', isBad(entry));
      setText(time, formatPreciseTime(entry.atMs));
      setText(mark, MARKS[entry.kind]);
      setAttribute(mark, 'title', entry.kind === 'sent' ? deliveryOf(entry.delivery) : undefined);
      setText(size, entry.kind === 'note' ? '' : formatBytes(entry.payload.length));
      setText(text, textOf(entry, view));
    },
  };
}

type Sent = Extract<LogEntry, { kind: 'sent' }>;

const isBad = (entry: LogEntry): boolean =>
  (entry.kind === 'note' && entry.isBad) || (entry.kind === 'sent' && typeof entry.delivery === 'object');

export const deliveryOf = (delivery: Sent['delivery']): string =>
  typeof delivery === 'object'
    ? `not delivered: ${delivery.failed}`
    : delivery === 'sending'
      ? 'sending …'
      : 'delivered';

function textOf(entry: LogEntry, view: PayloadView): string {
  if (entry.kind === 'note') return entry.text;
  const line = lineOf(entry.payload, view);
  return entry.kind === 'sent' && entry.delivery !== 'delivered' ? `${line}  (${deliveryOf(entry.delivery)})` : line;
}

import { el, setAttribute, setClass, setText } from '../dom.js';
import { formatBytes, formatCount, formatDateTime } from '../format.js';
import { icon } from '../icons.js';
import { choice } from '../page/choice.js';
import { VirtualList } from '../virtual-list.js';
import { EMPTY_LOG, type Log } from './log.js';
import { deliveryOf, logRow, logRowId, type LogItem } from './log-row.js';
import { PAYLOAD_VIEWS, wholeOf, type PayloadView } from './payload-views.js';

const VIEW_NAMES: Readonly<Record<PayloadView, string>> = { text: 'Text', json: 'JSON', hex: 'Hex' };

export interface LogPanel {
  readonly element: HTMLElement;
  draw(log: Log): void;
  nextView(): void;
  close(): void;
}

/** What came and went; it follows the newest line until one scrolls away from it. */
export function logPanel(footer: HTMLElement): LogPanel {
  let log: Log = EMPTY_LOG;
  let view: PayloadView = 'text';
  let selectedN: number | undefined;
  let isFollowing = true;
  let seenN = 0;

  const rows = el('div', { class: 'log-rows' });
  const scroller = el(
    'div',
    {
      class: 'log-scroller',
      attributes: { role: 'listbox', tabindex: '0', 'aria-label': 'Messages' },
      on: { keydown: (event) => onKey(event), scroll: () => onScroll() },
    },
    rows,
  );
  const empty = el('p', { class: 'empty' });
  const newer = el('span');
  const follow = el(
    'button',
    { class: 'follow', attributes: { type: 'button' }, on: { click: () => followAgain() } },
    icon('down'),
    newer,
  );
  const views = choice('Show messages as', PAYLOAD_VIEWS, (value) => VIEW_NAMES[value], setView);
  const count = el('span', { class: 'muted' });
  const detailHead = el('span', { class: 'muted' });
  const detailText = el('pre', { attributes: { tabindex: '0', 'aria-label': 'The whole message' } });
  const detail = el(
    'div',
    { class: 'log-detail' },
    el(
      'div',
      { class: 'log-detail-head' },
      detailHead,
      el('button', {
        class: 'quiet',
        text: 'Close',
        attributes: { type: 'button' },
        on: { click: () => select(undefined) },
      }),
    ),
    detailText,
  );
  const element = el(
    'section',
    { class: 'card log-panel', attributes: { 'aria-label': 'Log' } },
    el('div', { class: 'card-head' }, el('h2', { text: 'Log' }), count, views.element),
    el('div', { class: 'log-body' }, scroller, empty, follow),
    detail,
    footer,
  );
  const list = new VirtualList<LogItem>({
    list: rows,
    scroller,
    keyOf: ({ entry }) => entry.n,
    newRow: () => logRow((n) => select(n === selectedN ? undefined : n)),
  });

  function setView(value: PayloadView): void {
    view = value;
    draw(log);
  }

  function select(n: number | undefined): void {
    selectedN = n;
    // Who looks at a line wants it to stay.
    if (n !== undefined) setFollowing(false);
    draw(log);
  }

  function onKey(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === 'Escape' && selectedN !== undefined) {
      event.stopPropagation();
      select(undefined);
    }
    if (step === undefined || log.entries.length === 0) return;
    event.preventDefault();
    const at = log.entries.findIndex(({ n }) => n === selectedN);
    const next = at < 0 ? log.entries.length - 1 : Math.max(0, Math.min(log.entries.length - 1, at + step));
    list.reveal(next);
    select(log.entries[next]!.n);
  }

  const fromEnd = (): number => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;

  function onScroll(): void {
    setFollowing(selectedN === undefined && fromEnd() < list.rowHeight);
  }

  function setFollowing(isOn: boolean): void {
    isFollowing = isOn;
    if (isOn) seenN = log.nextN;
    setClass(follow, 'is-shown', !isOn);
  }

  function followAgain(): void {
    setFollowing(true);
    select(undefined);
  }

  function draw(newLog: Log): void {
    const gone = (newLog.entries[0]?.n ?? 0) - (log.entries[0]?.n ?? 0);
    log = newLog;
    list.show(log.entries.map((entry) => ({ entry, view, isSelected: entry.n === selectedN })));
    if (isFollowing) {
      scroller.scrollTop = scroller.scrollHeight;
      seenN = log.nextN;
    }
    // What one reads stays where it is while lines above it go.
    if (!isFollowing && gone > 0) scroller.scrollTop -= gone * list.rowHeight;
    views.show(view);
    setText(count, log.nextN > 0 ? formatCount(log.nextN) : '');
    setText(newer, log.nextN > seenN ? `${formatCount(log.nextN - seenN)} new` : 'To the newest');
    setText(empty, log.nextN > 0 ? '' : 'What the device sends from now on appears here.');
    drawDetail();
  }

  function drawDetail(): void {
    const entry = log.entries.find(({ n }) => n === selectedN);
    setClass(detail, 'is-shown', entry !== undefined);
    setAttribute(scroller, 'aria-activedescendant', entry && logRowId(entry.n));
    if (!entry) return;
    const about = entry.kind === 'note' ? '' : `, ${formatBytes(entry.payload.length)}`;
    const delivery = entry.kind === 'sent' ? `, ${deliveryOf(entry.delivery)}` : '';
    setText(detailHead, `${formatDateTime(entry.atMs)}${about}${delivery}`);
    setText(detailText, entry.kind === 'note' ? entry.text : wholeOf(entry.payload, view));
  }

  return {
    element,
    draw,
    nextView: () => setView(PAYLOAD_VIEWS[(PAYLOAD_VIEWS.indexOf(view) + 1) % PAYLOAD_VIEWS.length]!),
    close: () => list.close(),
  };
}

import type { BridgeState } from 'usmp-rx/bridge-client';
import { el, setAttribute, setClass, setText } from '../dom.js';
import { formatCount, formatTime } from '../format.js';

/** What the header says about the connection, and what is said in full where something is amiss. */
export interface ConnectionWords {
  readonly short: string;
  readonly title: string;
  /** For all to see, above the page; empty while all is well. */
  readonly notice: string;
}

/**
 * @param lostAtMs when the connection was lost; undefined before the first
 * @param refusal why the gateway does not tell all that the page shows; empty where it does
 */
export function wordsFor(
  state: BridgeState,
  nowMs: number,
  retryAtMs: number,
  lostAtMs: number | undefined,
  refusal: string,
): ConnectionWords {
  const old = lostAtMs === undefined ? '' : ` What you see is of ${formatTime(lostAtMs)}.`;
  switch (state.name) {
    case 'open': {
      const may = state.role === 'command' ? 'Your token may read and send commands.' : 'Your token may only read.';
      const notice = refusal && `The gateway refuses a part of what this page shows: ${refusal}.`;
      return { short: state.role === 'command' ? 'Live' : 'Live, read only', title: may, notice };
    }
    case 'connecting': {
      const notice = lostAtMs === undefined ? '' : `Connecting to the gateway again …${old}`;
      return { short: 'Connecting', title: 'Connecting to the gateway', notice };
    }
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((retryAtMs - nowMs) / 1_000));
      const notice = `No connection to the gateway: ${state.error.message}. Trying again ${seconds > 0 ? `in ${seconds} s` : 'now'}.${old}`;
      return { short: 'Reconnecting', title: state.error.message, notice };
    }
    case 'failed':
      return { short: 'Refused', title: state.error.message, notice: state.error.message };
    case 'closed':
      return { short: 'Closed', title: 'The connection is closed', notice: '' };
  }
}

export interface ConnectionStatus {
  readonly badge: HTMLElement;
  readonly notice: HTMLElement;
  showState(state: BridgeState): void;
  showMissed(missed: number): void;
  showRefusal(why: string): void;
  /** The time goes on. */
  tick(): void;
}

export function connectionStatus(): ConnectionStatus {
  const text = el('span', { class: 'connection-text' });
  const missedText = el('span', { class: 'missed' });
  const badge = el('span', { class: 'connection', attributes: { role: 'status' } }, text);
  const notice = el('p', { class: 'notice', attributes: { role: 'status' } });
  let state: BridgeState = { name: 'connecting' };
  let retryAtMs = 0;
  let lostAtMs: number | undefined;
  let refusal = '';

  function tick(): void {
    const words = wordsFor(state, Date.now(), retryAtMs, lostAtMs, refusal);
    setText(text, words.short);
    setAttribute(badge, 'title', words.title);
    setAttribute(badge, 'data-state', state.name);
    setText(notice, words.notice);
    setClass(notice, 'is-shown', words.notice !== '');
  }

  return {
    badge: el('span', { class: 'connection-group' }, missedText, badge),
    notice,
    showState(next) {
      if (state.name === 'open' && next.name !== 'open') lostAtMs = Date.now();
      if (next.name === 'waiting') retryAtMs = Date.now() + next.delayMs;
      state = next;
      tick();
    },
    showMissed(missed) {
      setText(missedText, missed > 0 ? `${formatCount(missed)} missed` : '');
      setAttribute(
        missedText,
        'title',
        'Messages and events that the gateway passed over, since this page reads slowly',
      );
    },
    showRefusal(why) {
      refusal = why;
      tick();
    },
    tick,
  };
}

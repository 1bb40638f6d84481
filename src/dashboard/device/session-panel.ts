import type { BridgeDevice } from 'usmp-rx/bridge-client';
import { el, setText } from '../dom.js';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDateTime,
  formatRate,
  formatSpan,
  formatTime,
  formatTransport,
} from '../format.js';
import { icon } from '../icons.js';
import { confirmed } from '../page/confirm.js';

export interface SessionPanel {
  readonly element: HTMLElement;
  /** @param nowMs the gateway's time */
  draw(device: BridgeDevice | undefined, nowMs: number): void;
  /** @param obstacle why the session can't be ended now; undefined where it can */
  allow(obstacle: string | undefined): void;
}

/** What is known about the session; and its end. */
export function sessionPanel(
  deviceId: string,
  end: () => Promise<void>,
  messageOf: (error: unknown) => string,
): SessionPanel {
  const facts = el('dl', { class: 'facts' });
  const values = new Map<string, HTMLElement>();
  const fact = (name: string, value: string): void => {
    let element = values.get(name);
    if (!element) {
      element = el('dd');
      values.set(name, element);
      facts.append(el('dt', { text: name }), element);
    }
    setText(element, value);
  };
  const note = el('p', { class: 'muted note', attributes: { role: 'status' } });
  const button = el(
    'button',
    { class: 'danger', attributes: { type: 'button' }, on: { click: () => void askAndEnd() } },
    icon('end'),
    el('span', { text: 'End session' }),
  );

  async function askAndEnd(): Promise<void> {
    const question = `End the session of ${deviceId}? It is told BYE, and may connect again.`;
    if (!(await confirmed(question, 'End session'))) return;
    setText(note, '');
    await end().catch((error: unknown) => setText(note, messageOf(error)));
  }

  return {
    element: el(
      'section',
      { class: 'card session-panel', attributes: { 'aria-label': 'Session' } },
      el('div', { class: 'card-head' }, el('h2', { text: 'Session' })),
      facts,
      note,
      el('div', { class: 'actions' }, button),
    ),
    draw(device, nowMs) {
      if (!device) return;
      const { isOnline, sinceMs, lastSeenMs } = device;
      fact('State', isOnline ? `online for ${formatSpan(nowMs - sinceMs)}` : 'no session');
      fact('Since', formatDateTime(sinceMs));
      fact('Last seen', `${formatAgo(nowMs - lastSeenMs)}, at ${formatTime(lastSeenMs)}`);
      fact('Transport', formatTransport(device.transport));
      fact('Address', device.remoteAddress);
      fact('Session id', device.sessionId);
      fact('Messages', `${formatCount(device.messages)}, ${formatBytes(device.bytes)}`);
      fact('Rate', `${formatRate(device.messagesPerSecond)}/s`);
      fact('Dropped frames', formatCount(device.drops));
    },
    allow(obstacle) {
      button.disabled = obstacle !== undefined;
      setText(note, obstacle ?? '');
    },
  };
}

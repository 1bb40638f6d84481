import { afterAll, beforeAll, expect } from '@jest/globals';
import type { VirtualTime } from 'usmp-rx/testing';
import type { CloseInfo, Session } from '../../src/node.js';

export type End = 'server' | 'client';
export const ENDS: readonly End[] = ['server', 'client'];
export const opposite = (end: End): End => (end === 'server' ? 'client' : 'server');

/** Messages of one frame, of two, of four, and of the shortest. */
const MESSAGE_BYTES = [40, 700, 1_800, 0];

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

/** What both ends of a session say, and what becomes of it. */
export class Conversation {
  readonly sessions: Readonly<Record<End, Session>>;
  readonly sent: Record<End, string[]> = { server: [], client: [] };
  readonly arrived: Record<End, string[]> = { server: [], client: [] };
  readonly acknowledged: Record<End, number> = { server: 0, client: 0 };
  readonly failures: unknown[] = [];
  readonly ends: { readonly end: End; readonly info: CloseInfo }[] = [];
  readonly drops: Record<End, number> = { server: 0, client: 0 };

  constructor(sessions: Readonly<Record<End, Session>>) {
    this.sessions = sessions;
    for (const end of ENDS) this.#watch(end);
  }

  /** An end sends so many messages, which wait for their turn. */
  say(end: End, count: number): void {
    for (let n = 0; n < count; n++) {
      const number = this.sent[end].length;
      const message = `${number} of the ${end} `.padEnd(MESSAGE_BYTES[number % MESSAGE_BYTES.length]!, '.');
      this.sent[end].push(shortly(message));
      this.sessions[end].send(message).then(
        () => this.acknowledged[end]++,
        (error: unknown) => this.failures.push(error),
      );
    }
  }

  #watch(end: End): void {
    const { messages$, events$, closed } = this.sessions[end];
    messages$.subscribe({
      next: (message) => this.arrived[end].push(shortly(new TextDecoder().decode(message))),
      error: (error: unknown) => this.failures.push(error),
    });
    events$.subscribe(({ type }) => {
      if (type === 'dropped') this.drops[end]++;
    });
    void closed.then((info) => this.ends.push({ end, info }));
  }
}

const shortly = (message: string): string => `${message.replace(/\.+$/, '')}, ${message.length} bytes`;

/** Everything that was said arrives, in order and exactly once, both ways, and what is said now too. No harm was done. */
export async function expectAlive(conversation: Conversation, time: VirtualTime, withinMs = 1_000): Promise<void> {
  const { sent, arrived, acknowledged } = conversation;
  for (const end of ENDS) conversation.say(end, MESSAGE_BYTES.length);
  await time.advance(withinMs);
  expect(arrived).toEqual({ server: sent.client, client: sent.server });
  expect(acknowledged).toEqual({ server: sent.server.length, client: sent.client.length });
  expect({ failures: conversation.failures, ends: conversation.ends, unhandled }).toEqual({
    failures: [],
    ends: [],
    unhandled: [],
  });
}

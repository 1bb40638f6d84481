import { describe, expect, it } from '@jest/globals';
import { map } from 'rxjs';
import { inspect } from 'node:util';
import { encodeFrame, PacketType, utf8 } from '../../src/protocol/index.js';
import type { SessionEvent } from '../../src/session/session-event.js';
import { marbles } from './marbles.js';

const types = (event: SessionEvent): string => event.type;

function describeEvent(event: SessionEvent): string {
  switch (event.type) {
    case 'message':
    case 'sent':
      return `${event.type} ${event.bytes}`;
    case 'pong':
      return `pong ${event.roundTripMs}`;
    case 'rekeyed':
      return `rekeyed ${event.initiator}`;
    case 'closed':
      return `closed ${event.info.origin} ${event.info.error?.code ?? 'BYE'}`;
    default:
      return event.type;
  }
}

describe('events$', () => {
  it('observes and does not consume', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b------|');
      expectObservable(session.events$.pipe(map(types))).toBe('-m-m------(c|)', {
        m: 'message',
        c: 'closed',
      });
      expectObservable(session.messages$, '-----^').toBe('-----(ab)-|');
    });
  });

  it('shows messages, PINGs and their answers, and the end with its reason; and completes', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open({ latencyMs: 5 });
      expectObservable(session.events$.pipe(map(describeEvent))).toBe('a----b----c----d----e----(f|)', {
        a: 'sent 3',
        b: 'message 4',
        c: 'ping',
        d: 'pong 10',
        e: 'dropped',
        f: 'closed remote CRYPTO_NONCE',
      });
      at(0, () => {
        void session.send('abc');
        session.peer.send('defg');
      });
      at(5, () => {
        session.peer.ping();
        void session.ping();
      });
      at(15, () => session.peer.sendRaw(encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0))));
      at(20, () => session.peer.sendFrame({ type: PacketType.DATA, nonce: new Uint8Array(12).fill(1) }));
    });
  });

  it('prints no plaintext, and has it for who asks', () => {
    const seen: SessionEvent[] = [];
    marbles(({ session: open, at }) => {
      const session = open();
      session.events$.subscribe((event) => seen.push(event));
      at(1, () => session.peer.send('SECRET'));
      at(2, () => void session.send('SECRET'));
    });

    expect(seen.map(types)).toEqual(['message', 'sent']);
    for (const event of seen) {
      expect(inspect(event, { depth: 9, showHidden: true }) + JSON.stringify(event)).not.toMatch(/SECRET|83, *69/);
      expect(event).toMatchObject({ bytes: 6, data: utf8('SECRET') });
    }
  });

  it('is hot: a late subscriber gets what comes, after the end only completion', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b-|');
      expectObservable(session.events$.pipe(map(types)), '--^').toBe('---m-(c|)', { m: 'message', c: 'closed' });
      expectObservable(session.events$, '-------^').toBe('-------|');
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SendQueue } from '../../src/bridge/send-queue.js';

const MAX_BYTES = 65_536;

/** A WebSocket that nobody reads until it is told. */
function stalled() {
  const sent: { readonly bytes: number; readonly binary: boolean }[] = [];
  let corked = 0;
  let corks = 0;
  const webSocket = {
    bufferedAmount: 0,
    send: (data: Uint8Array, { binary }: { binary: boolean }) => {
      sent.push({ bytes: data.length, binary });
      webSocket.bufferedAmount += data.length + 4;
    },
  };
  const socket = {
    cork: () => {
      corked++;
      corks++;
    },
    uncork: () => {
      corked--;
    },
  };
  const queue = new SendQueue(webSocket as never, socket, MAX_BYTES);
  return { queue, sent, webSocket, corked: () => corked, corks: () => corks };
}

const kib = (n: number): Uint8Array => new Uint8Array(n * 1_024);

describe('the way out to a dashboard', () => {
  it('never holds more than its bound, whatever is offered', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('offer' as const), bytes: fc.nat(30_000) }),
      fc.record({ do: fc.constant('answer' as const), bytes: fc.nat(5_000) }),
      fc.record({ do: fc.constant('reopen' as const), bytes: fc.constant(0) }),
      fc.record({ do: fc.constant('read' as const), bytes: fc.nat(30_000) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { queue, webSocket } = stalled();
        for (const { do: what, bytes } of steps) {
          if (what === 'offer') queue.offer(new Uint8Array(bytes));
          else if (what === 'answer') {
            queue.answer({ type: 'refused', id: 1, code: 'LIMIT', message: 'x'.repeat(bytes) });
          } else if (what === 'reopen') queue.reopen();
          else webSocket.bufferedAmount = Math.max(0, webSocket.bufferedAmount - bytes);
          expect(webSocket.bufferedAmount).toBeLessThanOrEqual(MAX_BYTES);
          expect(queue.roomBytes).toBeLessThanOrEqual(MAX_BYTES - webSocket.bufferedAmount);
        }
      }),
    );
  });

  it('leaves room for answers when there is none for data', () => {
    const { queue } = stalled();
    while (queue.offer(kib(1)));

    expect(queue.answer({ type: 'result', id: 1, ok: true })).toBe(true);
  });

  it('takes no answer beyond its bound', () => {
    const { queue, webSocket } = stalled();
    while (queue.answer({ type: 'result', id: 1, ok: true }));

    expect(webSocket.bufferedAmount).toBeLessThanOrEqual(MAX_BYTES);
    expect(webSocket.bufferedAmount).toBeGreaterThan(MAX_BYTES - 100);
  });

  it('takes no data after it was full, however small, until it is opened again', () => {
    const { queue, webSocket } = stalled();
    while (queue.offer(kib(1)));
    webSocket.bufferedAmount = 0;

    expect(queue.offer('x')).toBe(false);
    expect(queue.roomBytes).toBe(0);
    queue.reopen();
    expect(queue.offer('x')).toBe(true);
  });

  it('sends text as text and bytes as bytes, and counts a text by its bytes', () => {
    const { queue, sent } = stalled();
    queue.offer('äöü');
    queue.offer(Uint8Array.of(1, 2, 3));

    expect(sent).toEqual([
      { bytes: 6, binary: false },
      { bytes: 3, binary: true },
    ]);
  });

  it('writes what one turn of the event loop sends at once', async () => {
    const { queue, sent, corked, corks } = stalled();
    for (let n = 0; n < 10; n++) queue.offer(kib(1));
    await Promise.resolve();
    queue.offer(kib(1));

    expect(sent).toHaveLength(11);
    expect([corked(), corks()]).toEqual([1, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([corked(), corks()]).toEqual([0, 1]);
  });
});

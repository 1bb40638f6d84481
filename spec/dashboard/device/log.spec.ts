import { describe, expect, it } from '@jest/globals';
import type { BridgeEvent } from '../../../src/bridge/client/index.js';
import { EMPTY_LOG, MAX_ENTRIES, noteOf, withDelivery, withEntries } from '../../../src/dashboard/device/log.js';

const payload = Uint8Array.of(1);
const deviceId = '02:00:00:00:00:01';
const received = { kind: 'received', atMs: 1, payload } as const;

describe('the log of a device', () => {
  it('numbers its lines, and lets the oldest go', () => {
    const log = withEntries(withEntries(EMPTY_LOG, [received]), new Array(MAX_ENTRIES).fill(received));

    expect(log.nextN).toBe(MAX_ENTRIES + 1);
    expect(log.entries).toHaveLength(MAX_ENTRIES);
    expect([log.entries[0]?.n, log.entries.at(-1)?.n]).toEqual([1, MAX_ENTRIES]);
  });

  it('says of a command whether it was delivered', () => {
    const sent = withEntries(EMPTY_LOG, [received, { kind: 'sent', atMs: 2, payload, delivery: 'sending' }]);

    expect(withDelivery(sent, 1, 'delivered').entries[1]).toMatchObject({ delivery: 'delivered' });
    expect(withDelivery(sent, 1, { failed: 'gone' }).entries[1]).toMatchObject({ delivery: { failed: 'gone' } });
    expect(withDelivery(sent, 0, 'delivered').entries).toEqual(sent.entries);
    expect(withDelivery(sent, 99, 'delivered').entries).toEqual(sent.entries);
  });

  it.each<[BridgeEvent, { text: string; isBad: boolean } | undefined]>([
    [
      { event: 'session-opened', atMs: 1, deviceId, transport: 'udp', remoteAddress: '10.0.0.1:4' },
      { text: 'session over UDP from 10.0.0.1:4', isBad: false },
    ],
    [
      { event: 'session-closed', atMs: 1, deviceId, origin: 'remote', code: null, message: '' },
      { text: 'the device said BYE', isBad: false },
    ],
    [
      { event: 'session-closed', atMs: 1, deviceId, origin: 'local', code: null, message: '' },
      { text: 'the gateway said BYE', isBad: false },
    ],
    [
      { event: 'session-closed', atMs: 1, deviceId, origin: 'local', code: 'TIMEOUT_IDLE', message: 'silence' },
      { text: 'session lost: TIMEOUT_IDLE, silence', isBad: true },
    ],
    [
      {
        event: 'handshake-failed',
        atMs: 1,
        deviceId,
        transport: 'tcp',
        remoteAddress: 'x',
        code: 'AUTH_HMAC',
        message: 'no',
      },
      { text: 'handshake failed: AUTH_HMAC, no', isBad: true },
    ],
    [
      { event: 'dropped', atMs: 1, deviceId, reason: 'replayed', count: 3 },
      { text: 'dropped 3: replayed', isBad: true },
    ],
    [{ event: 'refused', atMs: 1, remoteAddress: 'x', reason: 'full', count: 1 }, undefined],
  ])('says in words what happened: %j', (event, note) => {
    expect(noteOf(event)).toEqual(note && { kind: 'note', atMs: 1, ...note });
  });
});

import { describe, expect, it } from '@jest/globals';
import { catchError, EMPTY, mergeMap } from 'rxjs';
import { faultyDialer, type LineFaults, type SimulatedDevice } from 'usmp-rx/testing';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { connectedDevice, virtualBench } from './bench.js';

const HELLO_BYTES = 12 + 6 + 32;
const HANDSHAKE_BYTES = HELLO_BYTES + 12 + 32;
/** Three fragments and the last frame, all of them full. */
const MESSAGE_BYTES = 4 * 492;

type VirtualBench = ReturnType<typeof virtualBench>;

const deviceIdOf = (n: number): string => `00:00:00:00:${n.toString(16).padStart(4, '0').replace(/^../, '$&:')}`;

/** Device n of a host of its own, over a line with these faults. */
function deviceOver(bench: VirtualBench, n: number, faults: LineFaults): SimulatedDevice {
  const line = bench.network.dialer('gateway', { host: `host-${n}` });
  return bench.device({ deviceId: deviceIdOf(n), dialer: faultyDialer(line, { ...faults, scheduler: bench.time }) });
}

const numbers = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, n) => first + n);

describe('a connection that is cut', () => {
  it('in an orderly way after any byte of the handshake fails that one alone', async () => {
    const bench = virtualBench();
    const bystander = await connectedDevice(bench, { deviceId: 'aa:aa:aa:aa:aa:aa' });
    const cuts = numbers(1, HANDSHAKE_BYTES);
    for (const cut of cuts) void deviceOver(bench, cut, { cutAfterBytes: cut }).connect();
    await bench.time.advance();

    expect(bench.server.counters).toMatchObject({
      connectionsAccepted: cuts.length + 1,
      handshakeFailures: { HANDSHAKE_INTERRUPTED: cuts.length },
      sessionsOpened: 1,
    });
    const expected = cuts.map((cut) => (cut < HELLO_BYTES ? undefined : deviceIdOf(cut)));
    expect(bench.failures.map(({ deviceId }) => deviceId).sort()).toEqual(expected.sort());
    expect(bystander.state).toBe('open');
  });

  it('by a reset after any byte of the handshake fails that one alone', async () => {
    const bench = virtualBench();
    const bystander = await connectedDevice(bench, { deviceId: 'aa:aa:aa:aa:aa:aa' });
    const hello = encodeFrame(PacketType.HELLO, 0, new Uint8Array(38).fill(9));
    const helloAck = encodeFrame(PacketType.HELLO_ACK, 2, new Uint8Array(32));
    const cuts = numbers(0, HANDSHAKE_BYTES);
    const devices = cuts.map((cut) => bench.device({ host: `host-${cut}` }));
    for (const device of devices) void device.connectRaw();
    await bench.time.advance();
    for (const [cut, device] of devices.entries()) device.sendRaw(hello.subarray(0, cut));
    await bench.time.advance();
    for (const [cut, device] of devices.entries()) device.sendRaw(helloAck.subarray(0, Math.max(0, cut - HELLO_BYTES)));
    await bench.time.advance();
    for (const cut of cuts) bench.network.cut(`host-${cut}`);
    await bench.time.advance();

    expect(bench.server.counters.handshakeFailures).toEqual({ HANDSHAKE_INTERRUPTED: HANDSHAKE_BYTES });
    expect(bench.failures.map(({ error }) => error.cause)).not.toContain(undefined);
    expect(bystander.state).toBe('open');
  });

  it('before the first byte is a handshake that failed, too', async () => {
    const bench = virtualBench();
    const device = bench.device();
    void device.connectRaw();
    await bench.time.advance();
    device.end();
    await bench.time.advance();

    expect(bench.failureCodes).toEqual(['HANDSHAKE_INTERRUPTED']);
  });

  it.each(numbers(0, 16).map((n) => [(n * MESSAGE_BYTES) / 16, ((n + 1) * MESSAGE_BYTES) / 16] as const))(
    'after any byte from %i to %i of a fragmented message ends that session alone, and no part of it is received',
    async (first, end) => {
      const bench = virtualBench();
      const bystander = await connectedDevice(bench, { deviceId: 'aa:aa:aa:aa:aa:aa' });
      const received: number[] = [];
      bench.server.sessions$
        .pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY))))
        .subscribe(({ length }) => received.push(length));
      const cuts = numbers(Math.max(1, first), end);
      const devices = cuts.map((cut) => deviceOver(bench, cut, { cutAfterBytes: HANDSHAKE_BYTES + cut }));
      for (const device of devices) void device.connect();
      await bench.time.advance();
      for (const device of devices) device.send(new Uint8Array(1_808));
      await bench.time.advance();

      expect(bench.server.counters).toMatchObject({
        sessionsOpened: cuts.length + 1,
        sessionsClosed: { CLOSED_WITHOUT_BYE: cuts.length },
      });
      expect(received).toEqual([]);
      expect(bystander.state).toBe('open');
    },
  );

  it('right after a fragmented message has delivered it', async () => {
    const bench = virtualBench();
    const device = deviceOver(bench, 1, { cutAfterBytes: HANDSHAKE_BYTES + MESSAGE_BYTES });
    void device.connect();
    await bench.time.advance();
    device.send(new Uint8Array(1_808));
    await bench.time.advance();

    expect(await bench.sessions[0]?.closed).toMatchObject({ error: { code: 'CLOSED_WITHOUT_BYE' } });
    expect((await bench.sessions[0]?.recv())?.length).toBe(1_808);
  });
});

describe('a peer that dribbles one byte at a time', () => {
  it('gets its session, and its messages arrive', async () => {
    const bench = virtualBench();
    const device = deviceOver(bench, 1, { pieceBytes: 1, pieceIntervalMs: 10 });
    void device.connect();
    await bench.time.advance(HANDSHAKE_BYTES * 10);
    expect(bench.sessions).toHaveLength(1);
    device.send(new Uint8Array(453));
    await bench.time.advance((492 + 41) * 10);

    expect((await bench.sessions[0]?.recv())?.length).toBe(453);
  });

  it('and is too slow for the handshake, is closed at its limit', async () => {
    const bench = virtualBench();
    const device = deviceOver(bench, 1, { pieceBytes: 1, pieceIntervalMs: 200 });
    void device.connect();
    await bench.time.advance(9_999);
    expect(bench.failureCodes).toEqual([]);
    await bench.time.advance(1);

    expect(bench.failureCodes).toEqual(['TIMEOUT_HANDSHAKE']);
    await bench.time.advance(1);
    expect(device.state).toBe('closed');
  });

  it('and is too slow for a frame in 60 s, ends with TIMEOUT_IDLE: only authentic frames are signs of life', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    const frame = device.forge({ type: 5, plaintext: new Uint8Array(400) });
    for (let at = 0; at < 60; at++) {
      device.sendRaw(frame.subarray(at, at + 1));
      await bench.time.advance(1_000);
    }

    expect(await bench.sessions[0]?.closed).toMatchObject({ error: { code: 'TIMEOUT_IDLE' } });
  });
});

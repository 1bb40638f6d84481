import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BridgeError, type BridgeConnection } from '../../../src/bridge/client/index.js';
import { utf8 } from '../../../src/protocol/index.js';
import { outcomeOf } from '../../client/gateway.js';
import { DEVICE_ID, virtualBench } from './fake-bridge.js';

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(() => void process.on('unhandledRejection', onUnhandled));
afterEach(() => {
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

const all: [string, (connection: BridgeConnection) => Promise<unknown>][] = [
  ['send', (connection) => connection.send(DEVICE_ID, 'on')],
  ['ping', (connection) => connection.ping(DEVICE_ID)],
  ['end', (connection) => connection.end(DEVICE_ID)],
];

describe('send', () => {
  it.each([
    ['a text', 'grün', utf8('grün')],
    ['bytes', Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
    ['nothing', '', new Uint8Array()],
    ['1808 bytes', new Uint8Array(1808), new Uint8Array(1808)],
  ])('sends %s as a command and resolves with the result', async (_, data, payload) => {
    const bench = virtualBench();
    const connection = bench.connected();
    const sent = outcomeOf(connection.send(DEVICE_ID, data));
    await bench.time.advance(0);
    expect(bench.socket.take()).toEqual([{ type: 'command', id: 1, deviceId: DEVICE_ID, payload }]);
    expect(sent).toEqual({});
    bench.socket.says({ type: 'result', id: 1, ok: true });
    await bench.time.advance(0);

    expect(sent).toEqual({ value: undefined });
  });

  it('sends what the bytes were at the call', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const data = Uint8Array.of(1);
    void connection.send(DEVICE_ID, data);
    data[0] = 2;

    expect(bench.socket.take()).toMatchObject([{ payload: Uint8Array.of(1) }]);
  });

  it.each<[string, unknown, unknown, string]>([
    ['1809 bytes', DEVICE_ID, new Uint8Array(1809), 'PAYLOAD_TOO_LARGE'],
    ['what is no message', DEVICE_ID, 7, 'PAYLOAD_TYPE'],
    ['a device id that is none', 'device 1', 'on', 'CONFIG_DEVICE_ID'],
  ])('rejects %s, and sends nothing', async (_, deviceId, data, code) => {
    const bench = virtualBench();
    const connection = bench.connected();

    await expect(connection.send(deviceId as never, data as never)).rejects.toMatchObject({ code });
    expect(bench.socket.take()).toEqual([]);
  });
});

describe('ping', () => {
  it('resolves with the round trip that the bridge measured', async () => {
    const bench = virtualBench();
    const round = outcomeOf(bench.connected().ping('00:AA:22:33:44:55'));
    expect(bench.socket.take()).toEqual([{ type: 'ping', id: 1, deviceId: '00:aa:22:33:44:55' }]);
    bench.socket.says({ type: 'result', id: 1, ok: true, roundTripMs: 12.5 });
    await bench.time.advance(0);

    expect(round).toEqual({ value: 12.5 });
  });

  it('rejects with PROTOCOL where the answer does not tell it', async () => {
    const bench = virtualBench();
    const round = outcomeOf(bench.connected().ping(DEVICE_ID));
    bench.socket.says({ type: 'result', id: 1, ok: true });
    await bench.time.advance(0);

    expect(round.error).toMatchObject({ code: 'PROTOCOL' });
  });
});

describe('end', () => {
  it('asks the bridge to end the session of the device', async () => {
    const bench = virtualBench();
    const ended = outcomeOf(bench.connected().end(DEVICE_ID));
    expect(bench.socket.take()).toEqual([{ type: 'end', id: 1, deviceId: DEVICE_ID }]);
    bench.socket.says({ type: 'result', id: 1, ok: true });
    await bench.time.advance(0);

    expect(ended).toEqual({ value: undefined });
  });
});

describe.each(all)('%s', (_, request) => {
  it('rejects with the code and the message of a refusal', async () => {
    const bench = virtualBench();
    const outcome = outcomeOf(request(bench.connected()));
    bench.socket.says({ type: 'refused', id: 1, code: 'FORBIDDEN', message: 'this token may only read' });
    await bench.time.advance(0);

    expect(outcome.error).toBeInstanceOf(BridgeError);
    expect(outcome.error).toMatchObject({ code: 'FORBIDDEN', message: 'this token may only read' });
  });

  it('rejects at once with DISCONNECTED where there is no connection, and is not kept for later', async () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const outcome = outcomeOf(request(connection));
    await bench.time.advance(0);
    bench.socket.welcomes();

    expect(outcome.error).toMatchObject({ name: 'BridgeError', code: 'DISCONNECTED' });
    expect((outcome.error as Error).message).toContain('nothing was sent');
    expect(bench.socket.take()).toEqual([]);
  });

  it.each<[string, (bench: ReturnType<typeof virtualBench>, connection: BridgeConnection) => void]>([
    ['is lost', (bench) => bench.socket.ends()],
    ['is refused for good', (bench) => bench.socket.ends(4401)],
    ['is closed', (_, connection) => connection.close()],
  ])(
    'rejects with CONNECTION_LOST when the connection %s before the answer, and says what that means',
    async (_, ends) => {
      const bench = virtualBench();
      const connection = bench.connected();
      const outcome = outcomeOf(request(connection));
      ends(bench, connection);
      await bench.time.advance(0);

      expect(outcome.error).toMatchObject({ name: 'BridgeError', code: 'CONNECTION_LOST' });
      expect((outcome.error as Error).message).toContain('nobody knows whether the request reached the device');
    },
  );

  it("rejects with TIMEOUT after requestTimeoutMs; a late answer is nobody's", async () => {
    const bench = virtualBench();
    const connection = bench.connected({ requestTimeoutMs: 3_000 });
    const outcome = outcomeOf(request(connection));
    await bench.time.advance(2_999);
    expect(outcome).toEqual({});
    await bench.time.advance(1);
    expect(outcome.error).toMatchObject({ name: 'BridgeError', code: 'TIMEOUT' });
    bench.socket.says({ type: 'result', id: 1, ok: true });
    await bench.time.advance(0);

    expect(bench.socket.closedBy).toBeUndefined();
  });

  it.each(['failed', 'closed'])('rejects once the connection has %s', async (end) => {
    const bench = virtualBench();
    const connection = bench.connected();
    if (end === 'failed') bench.socket.ends(4401);
    else connection.close();

    await expect(request(connection)).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });

  it('is no unhandled rejection where nobody looks', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    void request(connection);
    bench.socket.ends();
    void request(connection);
    await bench.time.advance(0);

    // The check is in afterEach.
    expect(bench.socket.closedBy).toBeDefined();
  });
});

describe('requests that wait', () => {
  it('are told apart by their ids', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const outcomes = [connection.ping(DEVICE_ID), connection.ping(DEVICE_ID)].map(outcomeOf);
    bench.socket.says({ type: 'result', id: 2, ok: true, roundTripMs: 2 });
    bench.socket.says({ type: 'result', id: 1, ok: true, roundTripMs: 1 });
    await bench.time.advance(0);

    expect(outcomes).toEqual([{ value: 1 }, { value: 2 }]);
  });

  it('are at most 256; one more rejects with TOO_MANY_REQUESTS, until one is answered', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const outcomes = Array.from({ length: 257 }, () => outcomeOf(connection.end(DEVICE_ID)));
    await bench.time.advance(0);
    expect(bench.socket.take()).toHaveLength(256);
    expect(outcomes[256]!.error).toMatchObject({ name: 'BridgeError', code: 'TOO_MANY_REQUESTS' });
    bench.socket.says({ type: 'result', id: 1, ok: true });
    void connection.end(DEVICE_ID);

    expect(bench.socket.take()).toHaveLength(1);
  });

  it('are forgotten with their connection', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    for (let n = 0; n < 256; n++) void connection.end(DEVICE_ID);
    bench.socket.ends();
    await bench.time.advance(500);
    bench.socket.welcomes();
    const outcome = outcomeOf(connection.end(DEVICE_ID));
    bench.socket.says({ type: 'result', id: 1, ok: true });
    await bench.time.advance(0);

    expect(outcome).toEqual({ value: undefined });
  });
});

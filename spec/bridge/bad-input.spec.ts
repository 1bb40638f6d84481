import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BridgeCloseCode, parseClientMessage } from '../../src/bridge/protocol.js';
import { decodeCommandFrame } from '../../src/bridge/payload-frame.js';
import { DEVICE_ID, deviceIdOf } from '../server/bench.js';
import { bridgeBench, closeBenches } from './bench.js';

afterEach(closeBenches);

describe('a message that is not in the protocol', () => {
  it.each<[string, object | string | Uint8Array]>([
    ['no JSON', '{'],
    ['nothing', ''],
    ['no object', '7'],
    ['null', 'null'],
    ['deep', '['.repeat(30_000)],
    ['of no type', { id: 1 }],
    ['of an unknown type', { type: 'shutdown', id: 1 }],
    ['of the bridge’s own types', { type: 'welcome', role: 'command' }],
    ['without an id', { type: 'subscribe', kind: 'devices' }],
    ['with an id below 0', { type: 'unsubscribe', id: -1 }],
    ['with an id beyond 32 bits', { type: 'unsubscribe', id: 2 ** 32 }],
    ['with an id that is no whole number', { type: 'unsubscribe', id: 1.5 }],
    ['with an id that is text', { type: 'unsubscribe', id: '1' }],
    ['of an unknown kind', { type: 'subscribe', id: 1, kind: 'keys' }],
    ['sampled too often', { type: 'subscribe', id: 1, kind: 'messages', everyMs: 49 }],
    ['sampled too seldom', { type: 'subscribe', id: 1, kind: 'messages', everyMs: 60_001 }],
    ['for no device', { type: 'subscribe', id: 1, kind: 'messages', deviceIds: [] }],
    ['for a device that can not be', { type: 'ping', id: 1, deviceId: '00:11:22:33:44' }],
    [
      'for too many devices',
      { type: 'subscribe', id: 1, kind: 'messages', deviceIds: Array.from({ length: 1_001 }, () => DEVICE_ID) },
    ],
    ['binary and empty', new Uint8Array(0)],
    ['binary and too short', Uint8Array.of(2, 1, 0, 0, 0, 0, 17, 34, 51, 68)],
    ['binary, of the bridge’s own kind', new Uint8Array(30).fill(1)],
  ])('closes its sender with BAD_MESSAGE, and nobody else: %s', async (_, message) => {
    const bench = await bridgeBench();
    const other = await bench.dashboard();
    await other.subscribe(1, 'messages');
    const device = await bench.device();
    const dashboard = await bench.dashboard();
    dashboard.say(message);

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.BAD_MESSAGE);
    device.send('still here');
    await bench.time.advance();
    expect(await other.next()).toMatchObject({ type: 'message' });
    expect(bench.bridge.clients).toBe(1);
  });

  it('is answered with a reason that fits into a close, whatever stood in it', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'ü'.repeat(1_000) });
    const { code, reason } = await dashboard.closed;

    expect(code).toBe(BridgeCloseCode.BAD_MESSAGE);
    expect(reason).toMatch(/^type: /);
    expect(reason.length).toBeLessThanOrEqual(123);
  });

  it('closes before a token was shown as well', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dial();
    dashboard.say('hello');

    expect((await dashboard.closed).code).toBe(BridgeCloseCode.BAD_MESSAGE);
  });
});

describe('a message out of order', () => {
  it('is refused, and closes nothing: an id that is in use', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages');
    const duplicate = { type: 'refused', id: 1, code: 'DUPLICATE_ID' };
    for (const kind of ['messages', 'devices']) {
      dashboard.say({ type: 'subscribe', id: 1, kind });
      expect(await dashboard.next()).toMatchObject(duplicate);
    }
    dashboard.command(1, DEVICE_ID, 'x');
    expect(await dashboard.next()).toMatchObject(duplicate);
    device.send('goes on');
    await bench.time.advance();

    expect(await dashboard.heardByNow()).toMatchObject([{ type: 'message', id: 1 }]);
  });

  it('is refused, and closes nothing: the id of a command that has no answer yet', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    device.stopReading();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'ping', id: 1, deviceId: DEVICE_ID });
    dashboard.say({ type: 'subscribe', id: 1, kind: 'messages' });
    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 1, code: 'DUPLICATE_ID' });
    device.cut();
    await bench.time.advance();
    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 1, code: 'CLOSED_WITHOUT_BYE' });

    await dashboard.subscribe(1, 'messages');
  });

  it('is refused, and closes nothing: unsubscribing what is not there', async () => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages');
    for (const id of [2, 1, 1]) dashboard.say({ type: 'unsubscribe', id });
    const refused = { type: 'refused', code: 'NOT_SUBSCRIBED' };

    expect(await dashboard.heardByNow()).toMatchObject([
      { ...refused, id: 2 },
      { ...refused, id: 1 },
    ]);
  });

  it.each(['devices', 'events'])('is refused, and closes nothing: sampling %s', async (kind) => {
    const bench = await bridgeBench();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'subscribe', id: 1, kind, everyMs: 100 });

    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 1, code: 'UNSUPPORTED' });
  });
});

describe('any messages', () => {
  const id = fc.integer({ min: -1, max: 4 });
  const deviceId = fc.constantFrom(DEVICE_ID, deviceIdOf(1), 'nobody');
  const control = fc.oneof(
    fc.record({ type: fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'end', 'auth', 'x'), id, deviceId }),
    fc.record(
      {
        type: fc.constant('subscribe'),
        id,
        kind: fc.constantFrom('devices', 'messages', 'events', 'x'),
        deviceIds: fc.array(deviceId, { maxLength: 3 }),
        everyMs: fc.constantFrom(0, 50, 500, 1e9),
      },
      { requiredKeys: ['type', 'id', 'kind'] },
    ),
  );
  const json = fc.oneof(
    control.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
  );
  const command = fc
    .tuple(fc.constantFrom(0, 1, 2, 2, 2), fc.uint8Array({ maxLength: 30 }))
    .map(([kind, rest]) => Uint8Array.of(kind, ...rest));
  const message = fc.oneof({ arbitrary: json, weight: 2 }, command);

  /** Whether the schema alone makes a close of it. */
  function isInProtocol(one: string | Uint8Array): boolean {
    try {
      if (typeof one === 'string') return parseClientMessage(one).type !== 'auth';
      decodeCommandFrame(one);
      return true;
    } catch {
      return false;
    }
  }

  it('get an answer each, or close their sender with BAD_MESSAGE, and touch neither other dashboards nor devices', async () => {
    const bench = await bridgeBench({ maxClients: 500, maxCommandsPerSecond: 1_000 });
    await bench.device();
    const other = await bench.dashboard();
    await other.subscribe(1, 'messages');
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), async (messages) => {
        if (bench.bench.server.session(DEVICE_ID) === undefined) await bench.device();
        const dashboard = await bench.dashboard();
        for (const one of messages) dashboard.say(one);
        if (messages.every(isInProtocol)) await dashboard.heardByNow();
        else expect((await dashboard.closed).code).toBe(BridgeCloseCode.BAD_MESSAGE);
        await bench.time.advance(50);
        dashboard.webSocket.terminate();
        expect((await other.heardByNow()).length).toBe(0);
      }),
      { numRuns: 150 },
    );
    (await bench.device()).send('still here');
    await bench.time.advance();

    expect(await other.heardByNow()).toMatchObject([{ type: 'message', deviceId: DEVICE_ID }]);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { PacketType } from '../../src/protocol/index.js';
import { text } from 'usmp-rx/testing';
import { DEVICE_ID, deviceIdOf } from '../server/bench.js';
import { bridgeBench, closeBenches, READ_TOKEN, type BridgeBench, type Dashboard } from './bench.js';

afterEach(closeBenches);

/** What a device hears from now on. */
function heardBy(device: Awaited<ReturnType<BridgeBench['device']>>): string[] {
  const heard: string[] = [];
  device.frames$.subscribe(({ type, plaintext }) =>
    heard.push(type === PacketType.DATA ? text(plaintext) : `type ${type}`),
  );
  return heard;
}

/** Lets time pass until the dashboard hears something. */
async function nextWithTime(bench: BridgeBench, dashboard: Dashboard) {
  const next = dashboard.next();
  let settled = false;
  void next.finally(() => {
    settled = true;
  });
  const isSettled = (): boolean => settled;
  while (!isSettled()) await bench.time.advance(1);
  return next;
}

describe('a command', () => {
  it('reaches its device, and its result says so', async () => {
    const bench = await bridgeBench();
    const [one, two] = [heardBy(await bench.device(deviceIdOf(1))), heardBy(await bench.device(deviceIdOf(2)))];
    const dashboard = await bench.dashboard();
    dashboard.command(5, deviceIdOf(2), 'open the valve');

    expect(await nextWithTime(bench, dashboard)).toEqual({ type: 'result', id: 5, ok: true });
    await bench.time.advance();
    expect([one, two]).toEqual([[], ['open the valve']]);
  });

  it('for a device that has no session is refused with NOT_CONNECTED', async () => {
    const bench = await bridgeBench();
    (await bench.device(deviceIdOf(1))).cut();
    const dashboard = await bench.dashboard();
    await bench.time.advance();
    for (const deviceId of [deviceIdOf(1), deviceIdOf(9)]) {
      dashboard.command(1, deviceId, 'hello');
      expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 1, code: 'NOT_CONNECTED' });
    }
  });

  it('that is too long for a session is refused with the error of the session, which lives', async () => {
    const bench = await bridgeBench();
    const heard = heardBy(await bench.device());
    const dashboard = await bench.dashboard();
    dashboard.command(1, DEVICE_ID, 'x'.repeat(1_809));
    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 1, code: 'PAYLOAD_TOO_LARGE' });
    dashboard.command(1, DEVICE_ID, 'shorter');

    expect(await nextWithTime(bench, dashboard)).toMatchObject({ type: 'result', id: 1 });
    await bench.time.advance();
    expect(heard).toEqual(['shorter']);
  });

  it('that a device does not take in time is refused with the error of the session', async () => {
    const bench = await bridgeBench({}, { sendTimeoutMs: 2_000, maxOutboxBytes: 4_096 });
    const device = await bench.device();
    device.stopReading();
    const dashboard = await bench.dashboard();
    const codes = new Set<string>();
    for (let id = 1; id <= 50; id++) dashboard.command(id, DEVICE_ID, 'x'.repeat(1_808));
    await dashboard.heardByNow();
    await bench.time.advance(3_000);
    for (const heard of await dashboard.heardByNow()) if (heard.type === 'refused') codes.add(heard.code);

    expect([...codes]).toContain('TIMEOUT_SEND');
  });

  it('shows in events$ with its outcome and without its payload', async () => {
    const bench = await bridgeBench();
    const secret = 'the secret command';
    const device = await bench.device();
    const dashboard = await bench.dashboard();
    await dashboard.subscribe(1, 'messages');
    device.send(secret);
    dashboard.command(2, DEVICE_ID, secret);
    await nextWithTime(bench, dashboard);
    await dashboard.heardByNow();
    dashboard.command(3, deviceIdOf(9), secret);
    await dashboard.heardByNow();
    const command = { type: 'command', command: 'send', remoteAddress: expect.stringContaining('127.') };
    const printed = inspect([bench.bridge, bench.activities], { depth: 20, showHidden: true });

    expect(bench.activities.slice(1)).toEqual([
      { ...command, deviceId: DEVICE_ID, outcome: 'ok' },
      { ...command, deviceId: deviceIdOf(9), outcome: 'NOT_CONNECTED' },
    ]);
    expect(printed).not.toContain(secret);
    expect(printed).not.toContain(Buffer.from(secret).toString('hex'));
    expect(printed.replaceAll('\n', '')).not.toContain([...Buffer.from(secret.slice(0, 6))].join(', '));
  });
});

describe('ping', () => {
  it('is answered with the round trip', async () => {
    const bench = await bridgeBench();
    await bench.device();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'ping', id: 8, deviceId: DEVICE_ID });

    expect(await nextWithTime(bench, dashboard)).toEqual({
      type: 'result',
      id: 8,
      ok: true,
      roundTripMs: expect.any(Number),
    });
  });

  it('of a device that goes before it answers is refused with the error of its session', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    device.stopReading();
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'ping', id: 8, deviceId: DEVICE_ID });
    expect(await dashboard.heardByNow()).toEqual([]);
    device.cut();
    await bench.time.advance();

    expect(await dashboard.next()).toMatchObject({ type: 'refused', id: 8, code: 'CLOSED_WITHOUT_BYE' });
  });
});

describe('end', () => {
  it('ends the session with BYE, and is answered when it has ended', async () => {
    const bench = await bridgeBench();
    const heard = heardBy(await bench.device());
    const dashboard = await bench.dashboard();
    dashboard.say({ type: 'end', id: 3, deviceId: DEVICE_ID });

    expect(await nextWithTime(bench, dashboard)).toEqual({ type: 'result', id: 3, ok: true });
    expect(heard).toEqual([`type ${PacketType.BYE}`]);
    expect(bench.bench.server.sessions.size).toBe(0);
  });
});

describe('a token for reading', () => {
  it('is refused commands, PINGs and ends with FORBIDDEN, and nothing is sent', async () => {
    const bench = await bridgeBench();
    const heard = heardBy(await bench.device());
    const dashboard = await bench.dashboard(READ_TOKEN);
    dashboard.command(1, DEVICE_ID, 'open the valve');
    dashboard.say({ type: 'ping', id: 2, deviceId: DEVICE_ID });
    dashboard.say({ type: 'end', id: 3, deviceId: DEVICE_ID });
    const answers = await dashboard.heardByNow();
    await bench.time.advance(1_000);

    expect(answers).toMatchObject([1, 2, 3].map((id) => ({ type: 'refused', id, code: 'FORBIDDEN' })));
    expect(heard).toEqual([]);
    expect(bench.bench.server.sessions.size).toBe(1);
  });
});

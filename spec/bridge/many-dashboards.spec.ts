import { afterEach, describe, expect, it } from '@jest/globals';
import { text } from 'usmp-rx/testing';
import { deviceIdOf } from '../server/bench.js';
import { bridgeBench, closeBenches, READ_TOKEN } from './bench.js';

afterEach(closeBenches);

describe('many dashboards', () => {
  it('hear the same of many devices, each as it asked', async () => {
    const bench = await bridgeBench();
    const devices = await Promise.all(Array.from({ length: 20 }, (_, n) => bench.device(deviceIdOf(n))));
    const dashboards = await Promise.all(Array.from({ length: 100 }, () => bench.dashboard(READ_TOKEN)));
    expect(bench.bridge.clients).toBe(100);
    await Promise.all(
      dashboards.map((dashboard, n) =>
        dashboard.subscribe(n, 'messages', n % 2 === 0 ? {} : { deviceIds: [deviceIdOf(n % 20)] }),
      ),
    );
    for (let round = 0; round < 5; round++) {
      for (const device of devices) device.send(String(round));
      await bench.time.advance(10);
    }
    const heard = await Promise.all(dashboards.map((dashboard) => dashboard.heardByNow()));

    for (const [n, messages] of heard.entries()) {
      const from = n % 2 === 0 ? devices.map((_, at) => deviceIdOf(at)) : [deviceIdOf(n % 20)];
      const expected = from.map((deviceId) => [deviceId, '01234']);
      const rounds = new Map<string, string>();
      for (const one of messages) {
        if (one.type !== 'message') throw new Error(`heard ${one.type}`);
        expect(one.id).toBe(n);
        rounds.set(one.deviceId, `${rounds.get(one.deviceId) ?? ''}${text(one.payload)}`);
      }
      expect([...rounds].sort()).toEqual(expected.sort());
    }
  });

  it('come and go without leaving anything behind', async () => {
    const bench = await bridgeBench();
    const device = await bench.device();
    for (let n = 0; n < 30; n++) {
      const dashboard = await bench.dashboard();
      await dashboard.subscribe(1, 'messages');
      if (n % 2 === 0) dashboard.webSocket.terminate();
      else dashboard.webSocket.close();
      await dashboard.closed;
      device.send('x');
      await bench.time.advance(50);
    }
    const last = await bench.dashboard();
    while (bench.activities.filter(({ type }) => type === 'client-closed').length < 30) await last.heardByNow();

    expect(bench.bridge.clients).toBe(1);
    expect(bench.activities.every(({ type }) => type === 'client-opened' || type === 'client-closed')).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import { map, mergeMap } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { playMessages, text } from 'usmp-rx/testing';
import { Bench, connectedDevice, deviceIdOf, PSK, virtualBench } from './bench.js';

const marbles = (
  run: (bench: Bench<TestScheduler>, helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0]) => void,
) => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run((helpers) => run(new Bench({ scheduler }), helpers));
};

/** Devices 1 and 2 as the values of a marble diagram. */
const ids = { a: deviceIdOf(1), b: deviceIdOf(2), x: deviceIdOf(9) };

describe('sessions$', () => {
  it('emits each session when it is authenticated, and completes when the server is closed', () => {
    marbles((bench, { cold, expectObservable }) => {
      cold('--a--b', ids).subscribe((deviceId) => void bench.device({ deviceId }).connect());
      cold('--------c').subscribe(() => void bench.server.close());

      expectObservable(bench.server.sessions$.pipe(map(({ deviceId }) => deviceId))).toBe('--a--b--|', ids);
    });
  });

  it('is hot: who subscribes late sees later sessions', () => {
    marbles((bench, { cold, expectObservable }) => {
      cold('--a--b', ids).subscribe((deviceId) => void bench.device({ deviceId }).connect());

      const ids$ = bench.server.sessions$.pipe(map(({ deviceId }) => deviceId));
      expectObservable(ids$, '---^---!').toBe('-----b', ids);
    });
  });

  it('completes at once for who subscribes after the end', () => {
    marbles((bench, { cold, expectObservable }) => {
      cold('-c').subscribe(() => void bench.server.close());

      expectObservable(bench.server.sessions$, '---^').toBe('---|');
      expectObservable(bench.server.handshakeFailures$, '---^').toBe('---|');
      expectObservable(bench.server.events$, '---^').toBe('---|');
    });
  });

  it('goes on after sessions that fail, and after handshakes that fail', () => {
    marbles((bench, { cold, expectObservable }) => {
      cold('x-a--b', ids).subscribe((deviceId) => {
        const device = bench.device({ deviceId, psk: deviceId === ids.x ? 'another pre-shared key' : PSK });
        void device.connect();
        playMessages(device, cold('-#'));
      });
      cold('--------c').subscribe(() => void bench.server.close());

      expectObservable(bench.server.sessions$.pipe(map(({ deviceId }) => deviceId))).toBe('--a--b--|', ids);
      expectObservable(bench.server.handshakeFailures$.pipe(map(({ error }) => error.code))).toBe('x-------|', {
        x: 'AUTH_HMAC',
      });
      expectObservable(bench.server.sessions$.pipe(mergeMap(({ messages$ }) => messages$))).toBe(
        '---#',
        undefined,
        expect.objectContaining({ name: 'ConnectionClosedError', code: 'CLOSED_WITHOUT_BYE' }),
      );
    });
  });

  it('gives each session to its subscribers before it reads its first frame', () => {
    marbles((bench, { cold, expectObservable }) => {
      const device = bench.device();
      void device.connect();
      // They leave as soon as the device has its session.
      playMessages(device, cold('(abc|)'));

      const messages$ = bench.server.sessions$.pipe(mergeMap((session) => session.messages$.pipe(map(text))));
      expectObservable(messages$, '^--!').toBe('(abc)');
    });
  });

  it('is served by a chain of operators that outlives every session in it', () => {
    marbles((bench, { cold, expectObservable }) => {
      for (const [deviceId, messages] of [
        [ids.a, '--1-2-|'],
        [ids.b, '---3---4|'],
      ] as const) {
        const device = bench.device({ deviceId });
        void device.connect();
        playMessages(device, cold(messages));
      }
      cold('----------c').subscribe(() => void bench.server.close());

      const messages$ = bench.server.sessions$.pipe(
        mergeMap(({ deviceId, messages$ }) => messages$.pipe(map((message) => `${deviceId.at(-1)}: ${text(message)}`))),
      );
      expectObservable(messages$).toBe('--pq r--s--|'.replace(' ', ''), { p: '1: 1', q: '2: 3', r: '1: 2', s: '2: 4' });
    });
  });
});

describe('sessions, as a snapshot', () => {
  it('holds the sessions that are not closed by session id, and does not change later', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    const { sessions } = bench.server;

    expect([...sessions.keys()]).toEqual([device.sessionId]);
    expect(sessions.get(device.sessionId)).toBe(bench.sessions[0]);

    device.bye();
    await bench.time.advance();
    expect(sessions.size).toBe(1);
    expect(bench.server.sessions.size).toBe(0);
  });

  it('finds the newest open session of a device, however its id is written', async () => {
    const bench = virtualBench({ sessionPolicy: 'allow' });
    const deviceId = 'aa:bb:cc:dd:ee:ff';
    await connectedDevice(bench, { deviceId });
    const second = await connectedDevice(bench, { deviceId });

    expect(bench.server.session('AA:BB:CC:DD:EE:FF')?.sessionId).toBe(second.sessionId);
    second.bye();
    await bench.time.advance();
    expect(bench.server.session(deviceId)).toBe(bench.sessions[0]);
    expect(bench.server.session(deviceIdOf(1))).toBeUndefined();
    expect(() => bench.server.session('somebody')).toThrow(expect.objectContaining({ code: 'CONFIG_DEVICE_ID' }));
  });
});

describe('an idle session', () => {
  it('ends with TIMEOUT_IDLE when nothing authentic came for 60 s, and nobody else does', async () => {
    const bench = virtualBench();
    await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    const pinging = await connectedDevice(bench, { deviceId: deviceIdOf(2) });
    await bench.time.advance(30_000);
    pinging.ping();
    await bench.time.advance(29_999);
    expect(bench.server.sessions.size).toBe(2);

    await bench.time.advance(1);
    expect(bench.server.session(deviceIdOf(1))).toBeUndefined();
    expect(await bench.sessions[0]?.closed).toMatchObject({ origin: 'remote', error: { code: 'TIMEOUT_IDLE' } });
    expect(bench.server.session(deviceIdOf(2))).toBe(bench.sessions[1]);
    expect(bench.server.counters.sessionsClosed).toEqual({ TIMEOUT_IDLE: 1 });
  });

  it('is sent no PING by the server of its own accord', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    const heard: unknown[] = [];
    device.frames$.subscribe((frame) => heard.push(frame));
    await bench.time.advance(59_000);

    expect(heard).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { PacketType } from '../../src/protocol/index.js';
import { Bench, connectedDevice, deviceIdOf, PSK, virtualBench } from './bench.js';

/** Whether a promise has settled by now, without waiting for it. */
function settled(promise: Promise<unknown>): () => boolean {
  let done = false;
  const settle = (): void => {
    done = true;
  };
  promise.then(settle, settle);
  return () => done;
}

describe('close()', () => {
  it('says BYE to every session, and resolves and completes the observables when the last one is closed', async () => {
    const bench = virtualBench();
    const devices = [
      await connectedDevice(bench, { deviceId: deviceIdOf(1) }),
      await connectedDevice(bench, { deviceId: deviceIdOf(2) }),
    ];
    const heard: PacketType[] = [];
    for (const device of devices) device.frames$.subscribe(({ type }) => heard.push(type));
    const ended: string[] = [];
    bench.server.sessions$.subscribe({ complete: () => ended.push('sessions$') });
    bench.server.handshakeFailures$.subscribe({ complete: () => ended.push('handshakeFailures$') });
    bench.server.events$.subscribe({ complete: () => ended.push('events$') });
    const closed = bench.server.close();
    await bench.time.advance();

    expect(heard).toEqual([PacketType.BYE, PacketType.BYE]);
    expect(ended.sort()).toEqual(['events$', 'handshakeFailures$', 'sessions$']);
    expect(bench.eventTypes.slice(-2)).toEqual(['session-closed', 'session-closed']);
    expect(bench.server.counters.sessionsClosed).toEqual({ BYE: 2 });
    await expect(closed).resolves.toBeUndefined();
  });

  it('lets sessions send what waits before BYE', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    const heard: PacketType[] = [];
    device.frames$.subscribe(({ type }) => heard.push(type));
    void bench.sessions[0]?.send('the last word');
    void bench.server.close();
    await bench.time.advance();

    expect(heard).toEqual([PacketType.DATA, PacketType.BYE]);
  });

  it.each([
    ['graceMs', { graceMs: 700 }, 700],
    ['closeTimeoutMs by default', {}, 5_000],
    ['nothing for graceMs 0', { graceMs: 0 }, 0],
  ])('waits for a peer that does not read no longer than %s', async (_, options, limitMs) => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    device.stopReading();
    const isClosed = settled(bench.server.close(options));
    if (limitMs > 0) {
      await bench.time.advance(limitMs - 1);
      expect(isClosed()).toBe(false);
    }
    await bench.time.advance(1);

    expect(isClosed()).toBe(true);
    expect(bench.server.sessions.size).toBe(0);
  });

  it('completes sessions$ when the grace is over, to the millisecond', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const bench = new Bench({ scheduler });
      const device = bench.device();
      void device.connect();
      cold('--s').subscribe(() => device.stopReading());
      cold('----c').subscribe(() => void bench.server.close({ graceMs: 100 }));

      const ids$ = bench.server.sessions$.pipe(map(({ deviceId }) => deviceId.at(-1)));
      expectObservable(ids$).toBe('5--- 100ms |');
    });
  });

  it('abandons handshakes, by a broken connection and not by an orderly end that means a wrong PSK', async () => {
    const bench = virtualBench({ psk: () => new Promise(() => {}) });
    const device = bench.device();
    const connected = device.connect();
    await bench.time.advance(1);
    const isClosed = settled(bench.server.close());
    await bench.time.advance();

    expect(isClosed()).toBe(true);
    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED', cause: expect.anything() });
    expect(bench.failures).toEqual([]);
  });

  it('accepts nobody any more', async () => {
    const bench = virtualBench();
    const early = bench.device();
    void early.connectRaw();
    await bench.time.advance();
    void bench.server.close();
    const late = bench.device().connect();
    await bench.time.advance();

    await expect(late).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(early.state).toBe('closed');
    expect(bench.sessions).toEqual([]);
  });

  it('breaks a connection that comes while listening is being stopped', async () => {
    const bench = virtualBench();
    const connected = bench.device().connect();
    void bench.server.close();
    bench.time.flush();

    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED' });
    expect(bench.server.counters.connectionsAccepted).toBe(0);
  });

  it('is done once: all calls resolve together', async () => {
    const bench = virtualBench();
    const device = await connectedDevice(bench);
    device.stopReading();
    const first = bench.server.close();
    const second = bench.server.close({ graceMs: 1 });
    const third = bench.server[Symbol.asyncDispose]();
    const isClosed = settled(second);
    await bench.time.advance(4_999);
    expect(isClosed()).toBe(false);
    await bench.time.advance(1);

    await expect(Promise.all([first, second, third])).resolves.toHaveLength(3);
    await expect(bench.server.close()).resolves.toBeUndefined();
  });

  it('ends a server that never listened', async () => {
    const bench = virtualBench();
    await expect(bench.server.close()).resolves.toBeUndefined();
  });

  it('refuses a grace that is no time at once, and goes on serving', async () => {
    const bench = virtualBench();
    expect(() => bench.server.close({ graceMs: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringContaining('graceMs') }),
    );

    await connectedDevice(bench);
    expect(bench.sessions).toHaveLength(1);
  });

  it('may be called by whoever is given a session, which then still ends with BYE', async () => {
    const bench = virtualBench();
    bench.server.sessions$.subscribe(() => void bench.server.close());
    const device = bench.device();
    const heard: PacketType[] = [];
    device.frames$.subscribe(({ type }) => heard.push(type));
    void device.connect();
    await bench.time.advance();

    expect(heard).toEqual([PacketType.BYE]);
    expect(await bench.sessions[0]?.closed).toEqual({ origin: 'local' });
    await expect(bench.server.close()).resolves.toBeUndefined();
  });

  it('may be called by whoever observes that a connection was accepted', async () => {
    const bench = virtualBench();
    bench.server.events$.subscribe(({ type }) => {
      if (type === 'connection-accepted') void bench.server.close();
    });
    const connected = bench.device().connect();
    await bench.time.advance();

    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED' });
    expect(bench.eventTypes).toEqual(['connection-accepted']);
  });

  it('cuts off at the end of the grace what was being closed before, too', async () => {
    const bench = virtualBench();
    (await connectedDevice(bench)).stopReading();
    await connectedDevice(bench);
    expect(bench.server.sessions.size).toBe(2);
    const isClosed = settled(bench.server.close({ graceMs: 100 }));
    await bench.time.advance(99);
    expect(isClosed()).toBe(false);
    await bench.time.advance(1);

    expect(isClosed()).toBe(true);
  });

  it('waits for sessions that were rejected, too, and not for longer than they need', async () => {
    const bench = virtualBench({ sessionPolicy: 'reject' });
    const device = await connectedDevice(bench);
    const newcomer = bench.device({ psk: PSK });
    newcomer.state$.subscribe((state) => {
      if (state === 'open') newcomer.stopReading();
    });
    void newcomer.connect();
    await bench.time.advance();
    expect(bench.eventTypes).toContain('session-rejected');
    device.bye();
    const isClosed = settled(bench.server.close({ graceMs: 700 }));
    await bench.time.advance(699);
    expect(isClosed()).toBe(false);

    await bench.time.advance(1);
    expect(isClosed()).toBe(true);
  });

  it('leaves nothing scheduled', async () => {
    const bench = virtualBench();
    await connectedDevice(bench);
    bench
      .device({ psk: 'another pre-shared key' })
      .connect()
      .catch(() => {});
    await bench.time.advance(1_000);
    void bench.server.close();
    await bench.time.advance(1);

    expect(bench.time.actions).toEqual([]);
  });
});

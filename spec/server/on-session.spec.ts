import { describe, expect, it } from '@jest/globals';
import { type SimulatedDevice, text } from 'usmp-rx/testing';
import { ConnectionClosedError, PacketType } from '../../src/protocol/index.js';
import type { Session } from '../../src/session/session.js';
import { connectedDevice, deviceIdOf, virtualBench } from './bench.js';

const heardBy = (device: SimulatedDevice): PacketType[] => {
  const heard: PacketType[] = [];
  device.frames$.subscribe(({ type }) => heard.push(type));
  return heard;
};

const echo = async (session: Session): Promise<void> => {
  for await (const message of session) await session.send(message);
};

describe('onSession(handler)', () => {
  it('serves each session with a call of its own', async () => {
    const bench = virtualBench();
    bench.server.onSession(echo);
    const answers: string[] = [];
    for (const n of [1, 2]) {
      const device = await connectedDevice(bench, { deviceId: deviceIdOf(n) });
      device.messages$.subscribe((message) => answers.push(`${n}: ${text(message)}`));
      device.send('hello');
      device.send('again');
    }
    await bench.time.advance();

    expect(answers.sort()).toEqual(['1: again', '1: hello', '2: again', '2: hello']);
  });

  it('ends the session with BYE when the handler is done', async () => {
    const bench = virtualBench();
    bench.server.onSession(async (session) => session.send(await session.recv()));
    const device = await connectedDevice(bench);
    const heard = heardBy(device);
    device.send('one');
    await bench.time.advance();

    expect(heard).toEqual([PacketType.DATA, PacketType.BYE]);
    expect(bench.server.counters).toMatchObject({ sessionsClosed: { BYE: 1 }, handlersFailed: 0 });
  });

  it('ends the session and reports the error when the handler rejects', async () => {
    const bench = virtualBench();
    const error = new Error('a mistake of the handler');
    bench.server.onSession(async (session) => {
      await session.recv();
      throw error;
    });
    const device = await connectedDevice(bench);
    const heard = heardBy(device);
    device.send('one');
    await bench.time.advance();

    expect(heard).toEqual([PacketType.BYE]);
    expect(bench.events).toContainEqual({ type: 'handler-failed', session: bench.sessions[0], error });
    expect(bench.server.counters.handlersFailed).toBe(1);
  });

  it('does the same when the handler throws within the call, and other sessions live on', async () => {
    const bench = virtualBench();
    const error = new Error('a mistake of the handler');
    const bystander = await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    bench.server.onSession(() => {
      throw error;
    });
    const device = bench.device();
    void device.connect();
    await bench.time.advance();

    expect(device.state).toBe('closed');
    expect(bystander.state).toBe('open');
    expect(bench.events).toContainEqual({ type: 'handler-failed', session: bench.sessions[1], error });
  });

  it.each<[string, (device: SimulatedDevice) => void]>([
    ['BYE', (device) => device.bye()],
    ['a broken connection', (device) => device.cut()],
    ['a violation', (device) => device.sendRaw(new Uint8Array(12))],
  ])('reports nothing when the handler only passes the end of its session on: %s', async (_, end) => {
    const bench = virtualBench();
    let passedOn: unknown;
    bench.server.onSession(async (session) => {
      try {
        for (;;) await session.recv({ timeoutMs: 60_000 });
      } catch (error) {
        passedOn = error;
        throw error;
      }
    });
    end(await connectedDevice(bench));
    await bench.time.advance();

    expect(passedOn).toBeInstanceOf(Error);
    expect(bench.eventTypes.at(-1)).toBe('session-closed');
    expect(bench.server.counters.handlersFailed).toBe(0);
  });

  it('reports the end of another session that the handler passes on', async () => {
    const bench = virtualBench();
    const error = new ConnectionClosedError('CLOSED', 'the session of somebody else is over');
    bench.server.onSession(() => Promise.reject(error));
    void bench.device().connect();
    await bench.time.advance();

    expect(bench.events).toContainEqual(expect.objectContaining({ type: 'handler-failed', error }));
  });

  it('reports a limit on silence that the handler passes on, and ends the session', async () => {
    const bench = virtualBench();
    bench.server.onSession((session) => session.recv({ timeoutMs: 500 }));
    const device = await connectedDevice(bench);
    await bench.time.advance(500);

    expect(device.state).toBe('closed');
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: 'handler-failed', error: expect.objectContaining({ code: 'TIMEOUT_RECV' }) }),
    );
  });

  it('serves no later session after it was taken back', async () => {
    const bench = virtualBench();
    const served: string[] = [];
    const stop = bench.server.onSession(async ({ deviceId, closed }) => {
      served.push(deviceId);
      await closed;
    });
    const first = await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    stop();
    await connectedDevice(bench, { deviceId: deviceIdOf(2) });

    expect(served).toEqual([deviceIdOf(1)]);
    expect(first.state).toBe('open');
  });
});

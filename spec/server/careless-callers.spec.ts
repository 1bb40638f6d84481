import { describe, expect, it } from '@jest/globals';
import { tcpDialer, tcpListener, UsmpClient, UsmpServer } from '../../src/node.js';
import { connectedDevice, virtualBench } from './bench.js';

const refused = expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_OPTION' });

describe('a careless caller from plain JavaScript', () => {
  it('gets a ConfigError for options that are no object', async () => {
    for (const options of [undefined, null, 5, 'x'] as never[]) {
      expect(() => new UsmpServer(options)).toThrow(refused);
      expect(() => new UsmpClient(options)).toThrow(refused);
      expect(() => tcpDialer(options)).toThrow(refused);
      await expect(virtualBench().server.listen(options)).rejects.toEqual(refused);
    }
  });

  it('never listens on all addresses because a host is empty', () => {
    for (const host of ['', null, 0, Number.NaN] as never[]) {
      expect(() => tcpListener({ host, port: 0 })).toThrow(refused);
    }
  });

  it('gets a ConfigError for a handler that is no function, and an event for one that returns no promise', async () => {
    const bench = virtualBench();
    expect(() => bench.server.onSession(undefined as never)).toThrow(refused);
    bench.server.onSession((() => 'done') as never);
    void bench.device().connect();
    await bench.time.advance(1);

    expect(bench.events).toContainEqual(expect.objectContaining({ type: 'handler-failed', error: refused }));
  });

  it('is told by events$ of a send that was refused and nobody awaited', async () => {
    const bench = virtualBench();
    await connectedDevice(bench);
    void bench.sessions[0]?.send(new Uint8Array(1_809));

    expect(bench.events.at(-1)).toMatchObject({
      type: 'session',
      event: { type: 'send-refused', error: { code: 'PAYLOAD_TOO_LARGE' } },
    });
  });

  it('may print sessions, events and errors as JSON', async () => {
    const bench = virtualBench();
    await connectedDevice(bench);
    void bench.sessions[0]?.send(new Uint8Array(1_809));
    const printed = JSON.stringify(bench.events);

    expect(printed).toContain(bench.sessions[0]?.sessionId);
    expect(printed).toContain('at most 1808 fit');
  });

  it('gets a ConfigError for a signal that is none', async () => {
    const bench = virtualBench();
    await connectedDevice(bench);
    await expect(bench.sessions[0]?.recv({ signal: 'x' as never })).rejects.toEqual(refused);
  });
});

import { describe, expect, it } from '@jest/globals';
import { UsmpServer } from '../../src/server/server.js';
import type { Listener } from '../../src/transport/transport.js';
import { connectedDevice, PSK, virtualBench } from './bench.js';

/** A listener that can be watched, and that opens when told. */
function scriptedListener(listening: Promise<string>): Listener & { readonly closes: () => number } {
  let closes = 0;
  return {
    kind: 'memory',
    listen: () => listening,
    close: async () => {
      closes++;
    },
    closes: () => closes,
  };
}

const cause = new Error('no such device');

describe('listen()', () => {
  it('resolves with the addresses of the listeners in their order', async () => {
    const { network, server } = virtualBench();

    await expect(server.listen({ listeners: [network.listener('one'), network.listener('two')] })).resolves.toEqual({
      listeners: ['one', 'two'],
    });
  });

  it('may be called again for more addresses, and close() stops all', async () => {
    const bench = virtualBench();
    const [first, second] = [scriptedListener(Promise.resolve('1')), scriptedListener(Promise.resolve('2'))];
    await bench.server.listen({ listeners: [first] });
    await bench.server.listen({ listeners: [second] });
    await connectedDevice(bench);
    const closed = bench.server.close();
    await bench.time.advance();
    await closed;

    expect([first.closes(), second.closes()]).toEqual([1, 1]);
  });

  it('closes what it opened when one address can not be had, and rejects with CONFIG_ADDRESS', async () => {
    const { server } = virtualBench();
    const good = scriptedListener(Promise.resolve('1'));
    const bad = scriptedListener(Promise.reject(cause));

    await expect(server.listen({ listeners: [good, bad] })).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'CONFIG_ADDRESS',
      cause,
    });
    expect([good.closes(), bad.closes()]).toEqual([1, 0]);
  });

  it('does the same for a listener that throws', async () => {
    const { server } = virtualBench();
    const good = scriptedListener(Promise.resolve('1'));
    const listen = (): never => {
      throw cause;
    };

    await expect(server.listen({ listeners: [good, { ...good, listen }] })).rejects.toMatchObject({
      code: 'CONFIG_ADDRESS',
      cause,
    });
    expect(good.closes()).toBe(1);
  });

  it("passes a listener's own ConfigError on, and what listened before goes on", async () => {
    const bench = virtualBench();

    await expect(bench.server.listen({ listeners: [bench.network.listener('gateway')] })).rejects.toMatchObject({
      code: 'CONFIG_ADDRESS',
      message: expect.stringContaining('gateway'),
    });
    expect((await connectedDevice(bench)).state).toBe('open');
  });

  it('refuses to listen on nothing', async () => {
    const { server } = virtualBench();

    await expect(server.listen({})).rejects.toMatchObject({ code: 'CONFIG_OPTION' });
    await expect(server.listen({ listeners: [] })).rejects.toMatchObject({ code: 'CONFIG_OPTION' });
    await expect(server.listen({ tcp: { port: 65_536 } })).rejects.toMatchObject({ code: 'CONFIG_OPTION' });
  });

  it('rejects with WRONG_STATE after close(), and opens nothing', async () => {
    const { network } = virtualBench();
    const server = new UsmpServer({ psk: PSK });
    await server.close();

    await expect(server.listen({ listeners: [network.listener('another')] })).rejects.toMatchObject({
      name: 'InvalidStateError',
      code: 'WRONG_STATE',
    });
    await expect(network.listener('another').listen(() => {})).resolves.toBe('another');
  });

  it('rejects with WRONG_STATE when close() comes before it is done, and close() waits to close what it opened', async () => {
    const { server } = virtualBench();
    let open: (address: string) => void = () => {};
    const late = scriptedListener(
      new Promise((resolve) => {
        open = resolve;
      }),
    );
    const listening = server.listen({ listeners: [late] });
    const closed = server.close();
    open('1');

    await expect(listening).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await closed;
    expect(late.closes()).toBe(1);
  });

  it('leaves close() resolving when a listener can not be closed', async () => {
    const { server } = virtualBench();
    const stuck: Listener = { kind: 'memory', listen: async () => '1', close: () => Promise.reject(cause) };
    await server.listen({ listeners: [stuck] });

    await expect(server.close()).resolves.toBeUndefined();
  });
});

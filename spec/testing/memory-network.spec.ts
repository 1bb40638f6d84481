import { describe, expect, it } from '@jest/globals';
import { TestScheduler } from 'rxjs/testing';
import { map, type Observable } from 'rxjs';
import { comparable, memoryNetwork, VirtualTime, type MemoryNetwork } from 'usmp-rx/testing';
import type { Transport } from '../../src/transport/transport.js';
import { dialingContract } from '../transport/dialing-contract.js';
import { probe } from '../transport/probe.js';

describe('a memory network', () => {
  const network = memoryNetwork();
  let names = 0;
  dialingContract((name = `server-${++names}`) => ({
    listener: network.listener(name),
    dialer: (address) => network.dialer(address),
  }));
});

describe('a memory network in virtual time', () => {
  function outcome(network: MemoryNetwork, name: string): Observable<string> {
    const dialed$ = network.dialer(name).dial();
    return dialed$.pipe(map(() => 'connected'));
  }

  function run(
    latencyMs: number,
    test: (
      network: MemoryNetwork,
      helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0],
      scheduler: TestScheduler,
    ) => void,
  ): void {
    const scheduler = new TestScheduler((actual, expected) => expect(comparable(actual)).toEqual(comparable(expected)));
    scheduler.run((helpers) => test(memoryNetwork({ scheduler, latencyMs }), helpers, scheduler));
  }

  it('connects after one round trip', () => {
    run(10, (network, { expectObservable }) => {
      void network.listener('gateway').listen(() => {});
      expectObservable(outcome(network, 'gateway')).toBe('20ms (c|)', { c: 'connected' });
    });
  });

  it('connects in the same frame without latency', () => {
    run(0, (network, { expectObservable }) => {
      void network.listener('gateway').listen(() => {});
      expectObservable(outcome(network, 'gateway'), '---^').toBe('---(c|)', { c: 'connected' });
    });
  });

  it('refuses where nobody listens at that time', () => {
    run(10, (network, { expectObservable }, scheduler) => {
      expectObservable(outcome(network, 'gateway')).toBe('20ms #', undefined, 'CONNECT_FAILED');
      scheduler.schedule(() => void network.listener('gateway').listen(() => {}), 15);
      expectObservable(outcome(network, 'gateway'), '15ms ^').toBe('35ms (c|)', { c: 'connected' });
    });
  });

  it('breaks and refuses everything while it is down', () => {
    run(1, (network, { expectObservable }, scheduler) => {
      void network.listener('gateway').listen(() => {});
      scheduler.schedule(() => network.goDown(), 5);
      scheduler.schedule(() => network.comeUp(), 15);
      expectObservable(outcome(network, 'gateway'), '10ms ^').toBe('12ms #', undefined, 'CONNECT_FAILED');
      expectObservable(outcome(network, 'gateway'), '20ms ^').toBe('22ms (c|)', { c: 'connected' });
    });
  });
});

describe('the addresses of a memory network', () => {
  async function connected(hosts: readonly (string | undefined)[]) {
    const time = new VirtualTime();
    const network = memoryNetwork({ scheduler: time });
    const accepted: Transport[] = [];
    const dialed: Transport[] = [];
    void network.listener('gateway').listen((transport) => accepted.push(transport));
    for (const host of hosts) {
      network
        .dialer('gateway', host === undefined ? {} : { host })
        .dial()
        .subscribe((transport) => dialed.push(transport));
      await time.advance();
    }
    return { network, time, accepted, dialed, heard: dialed.map(probe) };
  }

  it('are a host of its own for each dialer, and a port for each connection', async () => {
    const { accepted } = await connected([undefined, undefined, 'nat', 'nat']);

    expect(accepted.map(({ remoteAddress }) => remoteAddress)).toEqual(['client-1:1', 'client-2:1', 'nat:1', 'nat:2']);
  });

  it('tell which connections to cut: one, those of a host, those of a server, or all', async () => {
    const hosts = ['a', 'a', 'aa', 'b'];
    for (const [cut, ends] of [
      [(network: MemoryNetwork) => network.cut('a:2'), [0, 1, 0, 0]],
      [(network: MemoryNetwork) => network.cut('a'), [1, 1, 0, 0]],
      [(network: MemoryNetwork) => network.cut('gateway'), [1, 1, 1, 1]],
      [(network: MemoryNetwork) => network.cutAll(new Error('a storm')), [1, 1, 1, 1]],
      [(network: MemoryNetwork) => network.goDown(), [1, 1, 1, 1]],
    ] as const) {
      const { network, time, heard } = await connected(hosts);
      cut(network);
      await time.advance();

      expect(heard.map((sink) => sink.ends)).toEqual(ends);
      expect(heard.filter((sink) => sink.ends > 0).every(({ cause }) => cause instanceof Error)).toBe(true);
    }
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { ConfigError, ConnectionClosedError } from '../../src/protocol/index.js';
import type { Dialer, Listener, Transport } from '../../src/transport/transport.js';
import { probe, type Probe } from './probe.js';

/** A place where one may listen and that may be dialed. */
export interface Place {
  readonly listener: Listener;
  /** Dials the address that `listen` gave. */
  readonly dialer: (address: string) => Dialer;
}

/** What every way to reach a server has to do; `newPlace` makes a place of its own, or a second one at an address. */
export function dialingContract(newPlace: (address?: string) => Place): void {
  const transports: Transport[] = [];
  const places: Place[] = [];

  function open(address?: string): Place {
    const place = newPlace(address);
    places.push(place);
    return place;
  }

  async function dial(dialer: Dialer): Promise<Transport> {
    const transport = await firstValueFrom(dialer.dial());
    transports.push(transport);
    return transport;
  }

  const dialError = (dialer: Dialer): Promise<unknown> =>
    new Promise((resolve, reject) =>
      dialer.dial().subscribe({ next: () => reject(new Error('it connected')), error: resolve }),
    );

  afterEach(async () => {
    for (const transport of transports.splice(0)) transport.destroy();
    for (const { listener } of places.splice(0)) await listener.close();
  });

  /** Listens and collects what is accepted. */
  async function listen({ listener }: Place): Promise<{ address: string; accepted: Transport[] }> {
    const accepted: Transport[] = [];
    const address = await listener.listen((transport) => {
      accepted.push(transport);
      transports.push(transport);
    });
    return { address, accepted };
  }

  const echo = async (to: Transport, from: Probe): Promise<void> => {
    const before = from.length;
    to.write(Uint8Array.of(1));
    await from.received(before + 1);
  };

  describe('dialing', () => {
    it('gives one open transport for each subscription and completes', async () => {
      const place = open();
      const { address, accepted } = await listen(place);
      const dialed$ = place.dialer(address).dial();
      const events: string[] = [];
      const one = await new Promise<Transport>((resolve) => {
        let dialed: Transport | undefined;
        dialed$.subscribe({
          next: (transport) => {
            events.push('next');
            dialed = transport;
          },
          complete: () => {
            events.push('complete');
            resolve(dialed!);
          },
        });
      });
      transports.push(one);
      const other = await dial(place.dialer(address));
      const heard = probe(other);
      await echo(one, probe(accepted[0]!));
      await echo(accepted[1]!, heard);

      expect(events).toEqual(['next', 'complete']);
      expect(accepted).toHaveLength(2);
    });

    it('where nobody listens any more errors with ConnectionClosedError CONNECT_FAILED', async () => {
      const place = open();
      const { address } = await listen(place);
      await place.listener.close();
      const error = await dialError(place.dialer(address));

      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
    });

    it('that is unsubscribed from at once gives nothing, and keeps no connection', async () => {
      const place = open();
      const { address, accepted } = await listen(place);
      const events: string[] = [];
      const attempt = place
        .dialer(address)
        .dial()
        .subscribe({ next: () => events.push('next'), error: () => events.push('error') });
      attempt.unsubscribe();
      const transport = await dial(place.dialer(address));
      await probe(transport).until(() => true);

      expect(events).toEqual([]);
      // A connection that was given up may have been accepted, but then it ends.
      for (const given of accepted.slice(0, -1)) await probe(given).ended();
    });

    it('shows the server who came: address and port, another for each connection', async () => {
      const place = open();
      const { address, accepted } = await listen(place);
      const [a, b] = [await dial(place.dialer(address)), await dial(place.dialer(address))];
      await Promise.all([echo(a, probe(accepted[0]!)), echo(b, probe(accepted[1]!))]);

      expect(accepted[0]?.remoteAddress).toMatch(/^.+:\d+$/);
      expect(accepted[0]?.remoteAddress).not.toBe(accepted[1]?.remoteAddress);
      expect([a.remoteAddress, b.remoteAddress]).toEqual([address, address]);
    });
  });

  describe('listening', () => {
    it('where somebody listens already is rejected with ConfigError CONFIG_ADDRESS', async () => {
      const { address } = await listen(open());
      const error = await open(address)
        .listener.listen(() => {})
        .catch((cause: unknown) => cause);

      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ code: 'CONFIG_ADDRESS' });
    });

    it('may stop and begin again; what was accepted lives on', async () => {
      const place = open();
      const { address, accepted } = await listen(place);
      const transport = await dial(place.dialer(address));
      const heard = probe(transport);
      await place.listener.close();
      await place.listener.close();
      await echo(accepted[0]!, heard);
      const again = await listen(place);
      await dial(place.dialer(again.address));

      expect(again.accepted.length + accepted.length).toBe(2);
    });
  });
}

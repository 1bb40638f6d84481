import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, Observable, take, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { bytes, datagramNetwork, text, VirtualTime, type PathOptions, type SentDatagram } from 'usmp-rx/testing';
import { formatPeerAddress, type DatagramSocket, type DatagramTransport } from '../../src/transport/datagram.js';
import { datagramContract } from '../transport/datagram-contract.js';
import { probe } from '../transport/probe.js';

const GATEWAY = { address: 'gateway', port: 1 };

/** A network with a server that writes down what it hears, and says it again if it is an echo. */
async function open(options: PathOptions = {}, isEcho = false) {
  const time = new VirtualTime();
  const network = datagramNetwork({ scheduler: time, ...options });
  const heard: string[] = [];
  const bind = (): Promise<DatagramSocket> =>
    network.listener('gateway').bind((datagram, from) => {
      heard.push(`${formatPeerAddress(from)} ${text(datagram)}`);
      if (isEcho) socket.send(datagram, from);
    });
  const socket = await bind();
  const dial = async (host?: string): Promise<DatagramTransport> => {
    const dialed = firstValueFrom(network.dialer('gateway', host === undefined ? {} : { host }).dial());
    await time.advance();
    return dialed;
  };
  return { time, network, heard, socket, bind, dial };
}

describe('a datagram network in real time', () => {
  const network = datagramNetwork();
  let names = 0;
  datagramContract((address = `server-${++names}:1`) => ({
    listener: network.listener(nameOf(address)),
    dialer: (bound) => network.dialer(nameOf(bound)),
  }));
});

/** What comes before the port. */
const nameOf = (address: string): string => address.split(':')[0]!;

const textsOf = ({ chunks }: { chunks: readonly Uint8Array[] }): string[] => chunks.map(text);

describe('a datagram network', () => {
  it('carries datagrams both ways', async () => {
    const { time, heard, socket, dial } = await open({}, true);
    const client = await dial('device');
    const answers = probe(client);
    client.send(bytes('a'));
    client.send(new Uint8Array());
    await time.advance();

    expect([socket.address, client.remoteAddress]).toEqual(['gateway:1', 'gateway:1']);
    expect(heard).toEqual(['device:1 a', 'device:1 ']);
    expect(textsOf(answers)).toEqual(['a', '']);
  });

  it('delivers in the same virtual moment without delay, and still not within the call', async () => {
    const { time, network, heard, socket, dial } = await open();
    const client = await dial('device');
    const answers = probe(client);
    client.send(bytes('a'));
    network.inject(bytes('b'), { from: { address: 'elsewhere', port: 9 }, to: GATEWAY });
    socket.send(bytes('c'), { address: 'device', port: 1 });
    expect([heard, answers.chunks]).toEqual([[], []]);
    await time.advance();

    expect([heard, textsOf(answers)]).toEqual([['device:1 a', 'elsewhere:9 b'], ['c']]);
    expect(time.now()).toBe(0);
  });

  it('delivers after the delay of the direction', async () => {
    const { time, heard, dial } = await open({ toServer: { delayMs: 20 }, toClient: { delayMs: 5 } }, true);
    const client = await dial();
    const answers = probe(client);
    const arrivedAfter = async (ms: number): Promise<number[]> => {
      await time.advance(ms);
      return [time.now(), heard.length, answers.chunks.length];
    };
    client.send(bytes('a'));

    expect(await arrivedAfter(19)).toEqual([19, 0, 0]);
    expect(await arrivedAfter(1)).toEqual([20, 1, 0]);
    expect(await arrivedAfter(4)).toEqual([24, 1, 0]);
    expect(await arrivedAfter(1)).toEqual([25, 1, 1]);
  });

  it('runs in marble tests', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ expectObservable }) => {
      const network = datagramNetwork({ scheduler, toServer: { delayMs: 20 } });
      const arrived$ = new Observable<string>((subscriber) => {
        void network.listener('gateway').bind((datagram) => subscriber.next(text(datagram)));
        return network
          .dialer('gateway')
          .dial()
          .subscribe((client) => client.send(bytes('a')));
      });
      expectObservable(arrived$).toBe('20ms a');
    });
  });

  it('takes each name once, until its socket closes', async () => {
    const { network, socket, bind } = await open();
    await expect(bind()).rejects.toMatchObject({ name: 'ConfigError', code: 'CONFIG_ADDRESS' });
    await network.listener('another').bind(() => {});
    socket.close();
    const second = await bind();
    socket.close();

    await expect(bind()).rejects.toMatchObject({ code: 'CONFIG_ADDRESS' });
    second.close();
  });

  it('gives each dialer a host of its own unless told, and each dial a port', async () => {
    const { time, heard, dial } = await open();
    for (const host of [undefined, undefined, 'nat', 'nat']) (await dial(host)).send(bytes('a'));
    await time.advance();

    expect(heard).toEqual(['client-1:1 a', 'client-2:1 a', 'nat:1 a', 'nat:2 a']);
  });

  it('loses what goes to nobody, and a server that comes later hears what is sent then', async () => {
    const { time, heard, socket, bind, dial } = await open();
    const client = await dial();
    socket.close();
    client.send(bytes('lost'));
    await time.advance();
    await bind();
    client.send(bytes('heard'));
    await time.advance();

    expect(heard).toEqual(['client-1:1 heard']);
  });

  it('carries nothing from or to what is closed or destroyed', async () => {
    const { time, network, heard, socket, dial } = await open();
    const [stays, goes] = [await dial('stays'), await dial('goes')];
    const [hears, deaf] = [probe(stays), probe(goes)];
    const sent: SentDatagram[] = [];
    network.sent$.subscribe((one) => sent.push(one));
    goes.destroy();
    goes.destroy();
    goes.send(bytes('a'));
    socket.send(bytes('b'), { address: 'goes', port: 1 });
    socket.send(bytes('c'), { address: 'stays', port: 1 });
    socket.close();
    socket.send(bytes('d'), { address: 'stays', port: 1 });
    await time.advance();

    expect([heard, textsOf(hears), deaf.log]).toEqual([[], ['c'], []]);
    expect(sent.map(({ datagram }) => text(datagram))).toEqual(['b', 'c']);
  });

  it('lets a client that retired answer repetitions of the last datagram, and nothing else, for 10 seconds', async () => {
    const { time, heard, socket, dial } = await open();
    const client = await dial();
    const hears = probe(client);
    client.retire(bytes('last'), bytes('answer'));
    client.send(bytes('sent after'));
    client.attach(hears);
    const say = async (datagram: string): Promise<void> => {
      socket.send(bytes(datagram), { address: 'client-1', port: 1 });
      await time.advance();
    };
    for (const datagram of ['last', 'another', 'last']) await say(datagram);
    client.destroy();
    await time.advance(9_999);
    await say('last');
    expect(heard).toHaveLength(3);
    await time.advance(1);
    await say('last');

    expect(heard).toEqual(['client-1:1 answer', 'client-1:1 answer', 'client-1:1 answer']);
    expect(hears.log).toEqual([]);
  });

  it('dials nobody who unsubscribed before', async () => {
    const { time, network } = await open();
    const emitted: DatagramTransport[] = [];
    const dialer = network.dialer('gateway');
    dialer
      .dial()
      .subscribe((client) => emitted.push(client))
      .unsubscribe();
    await time.advance();

    expect(emitted).toEqual([]);
  });

  it('shows each datagram that is sent, before any fault', async () => {
    const { time, network, dial } = await open({ toClient: { loss: 1 } }, true);
    const client = await dial('device');
    const sent = firstValueFrom(network.sent$.pipe(take(2), toArray()));
    client.send(bytes('a'));
    await time.advance();
    const device = { address: 'device', port: 1 };

    expect(await sent).toEqual([
      { direction: 'toServer', datagram: bytes('a'), from: device, to: GATEWAY },
      { direction: 'toClient', datagram: bytes('a'), from: GATEWAY, to: device },
    ]);
    expect(network.counters).toMatchObject({ toServer: { sent: 1, lost: 0 }, toClient: { sent: 1, lost: 1 } });
  });
});

describe('the faults of a datagram network', () => {
  const bad = { loss: 0.2, duplication: 0.1, reordering: 0.2, corruption: 0.1, delayMs: 10, jitterMs: 20 };

  async function transcript(seed: string): Promise<unknown[]> {
    const { time, heard, network, dial } = await open({ seed, toServer: bad, toClient: bad }, true);
    const clients = [await dial(), await dial()];
    const probes = clients.map(probe);
    for (let n = 0; n < 200; n++) {
      clients[n % 2]!.send(bytes(`${n}`));
      await time.advance(3);
    }
    await time.advance(1000);
    return [heard, probes.map(({ chunks }) => chunks), network.counters];
  }

  it('are the same with the same seed, and others with another one', async () => {
    const first = await transcript('a seed');

    expect(await transcript('a seed')).toEqual(first);
    expect(await transcript('another seed')).not.toEqual(first);
  });

  it('are not the same in both directions', async () => {
    const { time, heard, socket, dial } = await open({ toServer: { loss: 0.5 }, toClient: { loss: 0.5 } });
    const client = await dial();
    const answers = probe(client);
    for (let n = 0; n < 1000; n++) {
      client.send(bytes(`${n}`));
      socket.send(bytes(`${n}`), { address: 'client-1', port: 1 });
    }
    await time.advance();
    const answered = new Set(textsOf(answers));
    const arrivedBothWays = heard.filter((line) => answered.has(line.split(' ')[1]!)).length;

    // 250 are expected, with a standard deviation of 14.
    expect(arrivedBothWays).toBeGreaterThan(250 - 5 * 14);
    expect(arrivedBothWays).toBeLessThan(250 + 5 * 14);
  });

  it('let later datagrams overtake one that is held back', async () => {
    const { time, network, heard, dial } = await open({ toServer: { reordering: 1, reorderingMs: 50 } });
    const client = await dial();
    client.send(bytes('first'));
    network.setConditions({ toServer: {} });
    client.send(bytes('second'));
    await time.advance(50);

    expect(heard).toEqual(['client-1:1 second', 'client-1:1 first']);
  });

  it('may be changed in one direction alone', async () => {
    const { time, network, heard, dial } = await open({ toServer: { loss: 1 }, toClient: { loss: 1 } }, true);
    const client = await dial();
    const answers = probe(client);
    network.setConditions({ toServer: { duplication: 1 } });
    client.send(bytes('a'));
    await time.advance();

    expect([heard, answers.chunks]).toEqual([['client-1:1 a', 'client-1:1 a'], []]);
    expect(() => network.setConditions({ toClient: { loss: 2 } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringContaining('toClient.loss:') }),
    );
  });

  it('are blackouts on its own clock, or on demand; what is under way then arrives', async () => {
    const later = new VirtualTime();
    await later.advance(5000);
    const blackouts = [{ fromMs: 100, toMs: 200 }];
    const { time, network, heard, dial } = await open({ scheduler: later, toServer: { blackouts, delayMs: 10 } });
    const dialing = dial();
    await later.advance();
    const client = await dialing;
    for (let ms = 0; ms < 400; ms += 50) {
      if (ms === 300) network.goDown();
      if (ms === 350) network.comeUp();
      client.send(bytes(`${ms}`));
      await later.advance(50);
    }

    expect(time.now()).toBe(0);
    expect(heard.map((line) => Number(line.split(' ')[1]))).toEqual([0, 50, 200, 250, 350]);
    expect(network.counters.toServer).toMatchObject({ sent: 8, blackedOut: 3 });
  });
});

describe('rebinding', () => {
  it('moves a client to another port: its server sees the new one, and nobody is at the old one', async () => {
    const { time, network, heard, socket, dial } = await open();
    const [moved, other] = [await dial('nat'), await dial('nat')];
    const [hears] = [probe(moved), probe(other)];
    network.rebind('nat:1');
    moved.send(bytes('a'));
    other.send(bytes('b'));
    socket.send(bytes('old'), { address: 'nat', port: 1 });
    socket.send(bytes('new'), { address: 'nat', port: 3 });
    await time.advance();

    expect(heard).toEqual(['nat:3 a', 'nat:2 b']);
    expect(textsOf(hears)).toEqual(['new']);
  });

  it('moves all clients of a host, and leaves other hosts alone', async () => {
    const { time, network, heard, dial } = await open();
    const clients = [await dial('nat'), await dial('nat'), await dial('natural')];
    network.rebind('nat');
    for (const client of clients) client.send(bytes('a'));
    await time.advance();

    expect(heard).toEqual(['nat:3 a', 'nat:4 a', 'natural:1 a']);
  });

  it('is no way for a destroyed client to come back', async () => {
    const { time, network, socket, dial } = await open();
    const client = await dial('nat');
    const hears = probe(client);
    client.destroy();
    network.rebind('nat');
    for (const port of [1, 2]) socket.send(bytes('a'), { address: 'nat', port });
    await time.advance();

    expect(hears.log).toEqual([]);
  });
});

describe('an outsider in a datagram network', () => {
  it('can forge any source address, whatever the faults, and is neither counted nor shown', async () => {
    const { time, network, heard, dial } = await open({ toServer: { loss: 1 }, toClient: { loss: 1 } });
    const client = await dial('device');
    const hears = probe(client);
    const sent: SentDatagram[] = [];
    network.sent$.subscribe((one) => sent.push(one));
    const forged = bytes('forged');
    network.inject(forged, { from: { address: 'device', port: 1 }, to: GATEWAY });
    network.inject(forged, { from: GATEWAY, to: { address: 'device', port: 1 } });
    forged.fill(0);
    await time.advance();

    expect([heard, textsOf(hears)]).toEqual([['device:1 forged'], ['forged']]);
    expect(sent).toEqual([]);
    expect(network.counters).toMatchObject({ toServer: { sent: 0 }, toClient: { sent: 0 } });
  });

  it('is not heard by a client in anybody’s name but its server’s', async () => {
    const { time, network, dial } = await open();
    const hears = probe(await dial('device'));
    for (const from of [
      { address: 'gateway', port: 2 },
      { address: 'another', port: 1 },
    ]) {
      network.inject(bytes('forged'), { from, to: { address: 'device', port: 1 } });
    }
    await time.advance();

    expect(hears.log).toEqual([]);
  });
});

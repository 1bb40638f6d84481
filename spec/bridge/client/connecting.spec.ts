import { describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { BridgeError, type BridgeConnection, type BridgeState } from '../../../src/bridge/client/index.js';
import { encodeMessageFrame } from '../../../src/bridge/payload-frame.js';
import { BridgeCloseCode } from '../../../src/bridge/protocol.js';
import { Bench, DEVICE_ID, TOKEN, virtualBench, type FakeWebSocket } from './fake-bridge.js';

const nameOf = (state: BridgeState): string => ('error' in state ? `${state.name} ${state.error.code}` : state.name);

/** From now on; `|` is completion. */
function statesOf({ connection$ }: BridgeConnection): string[] {
  const states: string[] = [];
  connection$.pipe(map(nameOf)).subscribe({ next: (name) => states.push(name), complete: () => states.push('|') });
  return states;
}

function last<T extends BridgeState['name']>(connection: BridgeConnection, name: T): BridgeState & { name: T } {
  let present: BridgeState | undefined;
  connection.connection$.subscribe((state) => (present = state)).unsubscribe();
  expect(present?.name).toBe(name);
  return present as BridgeState & { name: T };
}

describe('connectBridge', () => {
  it('connects at once, with the token in a subprotocol as base64url of its UTF-8 and not in the URL', () => {
    const bench = virtualBench();
    bench.connect({ token: 'ключ?>~ÿ' });
    const { url, protocols, binaryType } = bench.socket;

    expect(url).toBe('ws://gateway/bridge');
    expect(protocols).toEqual(['usmp-bridge.v1', `usmp-token.${Buffer.from('ключ?>~ÿ').toString('base64url')}`]);
    expect(binaryType).toBe('arraybuffer');
  });

  it('goes from connecting to open with the role of the token', () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const states = statesOf(connection);
    bench.socket.opens();
    expect(states).toEqual(['connecting']);
    bench.socket.says({ type: 'welcome', role: 'read' });

    expect(states).toEqual(['connecting', 'open']);
    expect(last(connection, 'open').role).toBe('read');
  });

  it('shows the token nowhere', async () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const [, offered = ''] = bench.socket.protocols;
    bench.socket.ends(4401, 'no');
    const shown = inspect([connection, last(connection, 'failed')], { depth: 12, showHidden: true });

    expect(shown).not.toContain(TOKEN);
    expect(shown).not.toContain(offered.slice('usmp-token.'.length));
  });
});

describe('a connection to the bridge that ends', () => {
  it('waits and connects again, for ever', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const bench = new Bench(scheduler);
      const connection = bench.connect({ random: () => 0 });
      const script: Record<string, () => void> = {
        w: () => bench.socket.welcomes(),
        x: () => bench.socket.ends(),
        g: () => bench.socket.ends(BridgeCloseCode.GOING_AWAY, 'stopping'),
        q: () => connection.close(),
      };
      cold('               --w-----x-----x-----w-----g-----w-----q').subscribe((name) => script[name]!());
      const statesAsTold = 'c-o-----(lc)--(fc)--o-----(gc)--o-----(z|)';
      expectObservable(connection.connection$.pipe(map(nameOf))).toBe(statesAsTold, {
        c: 'connecting',
        o: 'open',
        l: 'waiting CONNECTION_LOST',
        f: 'waiting CONNECT_FAILED',
        g: 'waiting GOING_AWAY',
        z: 'closed',
      });
    });
  });

  it.each([
    [BridgeCloseCode.GOING_AWAY, 'GOING_AWAY'],
    [BridgeCloseCode.BAD_MESSAGE, 'BAD_MESSAGE'],
    [BridgeCloseCode.AUTH_TIMEOUT, 'AUTH_TIMEOUT'],
    [BridgeCloseCode.LIMIT, 'LIMIT'],
    [BridgeCloseCode.TOO_SLOW, 'TOO_SLOW'],
    [1000, 'CONNECTION_LOST'],
  ])('by close code %i is waiting with the error %s and the reason of the bridge', (closeCode, code) => {
    const bench = virtualBench();
    const connection = bench.connected();
    bench.socket.ends(closeCode, 'for a reason');
    const { error } = last(connection, 'waiting');

    expect(error).toBeInstanceOf(BridgeError);
    expect(error.code).toBe(code);
    expect(error.message).toContain('for a reason');
  });

  it('has full jitter: delays from 0 to a bound that doubles from 500 ms to 10 s', async () => {
    const bench = virtualBench();
    const draws = [0, 0.999_999, 0.5];
    let drawn = 0;
    const connection = bench.connect({ random: () => draws[drawn++ % draws.length]! });
    const delays: number[] = [];
    connection.connection$.subscribe((state) => state.name === 'waiting' && delays.push(state.delayMs));
    for (let n = 0; n < 9; n++) {
      bench.socket.ends();
      await bench.time.advance(delays.at(-1));
    }

    expect(delays).toEqual([0, 1_000, 1_000, 0, 8_000, 5_000, 0, 10_000, 5_000]);
    expect(bench.sockets).toHaveLength(10);
  });

  it('draws its jitter from the runtime where no other source is given', () => {
    const bench = virtualBench();
    const delays = Array.from({ length: 20 }, () => {
      const connection = bench.connect({
        random: undefined as never,
        backoff: { minDelayMs: 10_000 },
      });
      bench.socket.ends();
      return last(connection, 'waiting').delayMs;
    });

    expect(new Set(delays).size).toBeGreaterThan(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
  });

  it('keeps the back-off growing while connections end at once, and starts anew after one that stood for 10 s', async () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const delays: number[] = [];
    connection.connection$.subscribe((state) => state.name === 'waiting' && delays.push(state.delayMs));
    for (const stoodMs of [9_999, 9_999, 10_000, 0]) {
      bench.socket.welcomes();
      await bench.time.advance(stoodMs);
      bench.socket.ends();
      await bench.time.advance(delays.at(-1));
    }

    expect(delays).toEqual([250, 500, 250, 500]);
  });
});

describe('a connection to the bridge that can never be', () => {
  it('fails with UNAUTHORIZED for a wrong token, and does not try again', async () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const states = statesOf(connection);
    bench.socket.opens();
    bench.socket.ends(BridgeCloseCode.UNAUTHORIZED, 'wrong token');
    await bench.time.advance(3_600_000);

    expect(states).toEqual(['connecting', 'failed UNAUTHORIZED', '|']);
    expect(last(connection, 'failed').error.message).toBe('the bridge does not accept this token: wrong token');
    expect(bench.sockets).toHaveLength(1);
  });

  it('fails with SUBPROTOCOL where the server takes another one, and does not try again', async () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const states = statesOf(connection);
    bench.socket.opens('usmp-bridge.v2');
    await bench.time.advance(3_600_000);

    expect(states).toEqual(['connecting', 'failed SUBPROTOCOL', '|']);
    expect(bench.socket.closedBy).toBeDefined();
    expect(bench.sockets).toHaveLength(1);
  });

  it('also fails when it was open before and the token is withdrawn', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    bench.socket.ends(BridgeCloseCode.UNAUTHORIZED);

    expect(last(connection, 'failed').error.code).toBe('UNAUTHORIZED');
  });

  it('tells its state to who subscribes later, and ends all else', () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const ends: string[] = [];
    connection.devices$.subscribe({ complete: () => ends.push('devices') });
    bench.socket.ends(BridgeCloseCode.UNAUTHORIZED);
    connection.messages$().subscribe({ complete: () => ends.push('messages') });
    connection.events$.subscribe({ complete: () => ends.push('events') });
    connection.missed$.subscribe({ complete: () => ends.push('missed') });

    expect(statesOf(connection)).toEqual(['failed UNAUTHORIZED', '|']);
    expect(ends).toEqual(['devices', 'messages', 'events', 'missed']);
  });
});

describe('a server that does not keep to the protocol', () => {
  it.each<[string, (socket: FakeWebSocket) => void]>([
    ['no JSON', (socket) => socket.delivers('{')],
    ['another first message than welcome', (socket) => socket.says({ type: 'missed', id: 1, count: 1 })],
    ['a binary frame first', (socket) => socket.passesOn(1, '00:11:22:33:44:55', 'x')],
    ['a role that is none', (socket) => socket.delivers('{"type":"welcome","role":"admin"}')],
  ])('gets its WebSocket closed for %s before its welcome; the client tries again', async (_, speaks) => {
    const bench = virtualBench();
    const connection = bench.connect();
    bench.socket.opens();
    speaks(bench.socket);

    expect(last(connection, 'waiting').error.code).toBe('PROTOCOL');
    expect(bench.socket.closedBy).toEqual({ code: BridgeCloseCode.BAD_MESSAGE, reason: 'not in the protocol' });
    await bench.time.advance(500);
    bench.socket.welcomes();
    expect(last(connection, 'open').role).toBe('command');
  });

  it.each<[string, (socket: FakeWebSocket) => void]>([
    ['a second welcome', (socket) => socket.says({ type: 'welcome', role: 'command' })],
    [
      'a list of what are no devices',
      (socket) => socket.delivers(`{"type":"devices","id":1,"devices":[${'{},'.repeat(9)}{}]}`),
    ],
    ['a type that is none', (socket) => socket.delivers('{"type":"hello"}')],
    ['a binary frame that is too short', (socket) => socket.delivers(new ArrayBuffer(5))],
    ['an id that was never used', (socket) => socket.says({ type: 'result', id: 2, ok: true })],
    ['an answer of another kind', (socket) => socket.says({ type: 'devices', id: 1, devices: [] })],
    ['a message for a subscription of events', (socket) => socket.passesOn(1, '00:11:22:33:44:55', 'x')],
  ])('gets its WebSocket closed for %s; what was subscribed is subscribed again', async (_, speaks) => {
    const bench = virtualBench();
    const connection = bench.connected();
    connection.events$.subscribe();
    speaks(bench.socket);

    expect(last(connection, 'waiting').error.code).toBe('PROTOCOL');
    expect(bench.socket.closedBy?.code).toBe(BridgeCloseCode.BAD_MESSAGE);
    await bench.time.advance(500);
    bench.socket.welcomes();
    expect(bench.socket.take()).toMatchObject([{ type: 'subscribe', kind: 'events' }]);
  });

  it.each([NaN, Infinity, -1, 8.64e15 + 1])('gets its WebSocket closed for a message at the time %d', (atMs) => {
    const bench = virtualBench();
    const connection = bench.connected();
    connection.messages$().subscribe();
    bench.socket.delivers(encodeMessageFrame({ id: 1, deviceId: DEVICE_ID, atMs, payload: new Uint8Array() }).buffer);

    expect(last(connection, 'waiting').error.message).toContain(`${atMs} is no time`);
  });

  it('is told about in bounded length, whatever it said', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    bench.socket.delivers(JSON.stringify({ type: 'x'.repeat(100_000) }));

    expect(last(connection, 'waiting').error.message.length).toBeLessThan(300);
  });

  it('is sent nothing any more, not even that its subscriptions are over', () => {
    const bench = virtualBench();
    bench.connected().events$.subscribe();
    bench.socket.take();
    const send = jest.spyOn(bench.socket, 'send');
    bench.socket.delivers('{');

    expect(send).not.toHaveBeenCalled();
  });

  it('is not heard any more after that', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const events: unknown[] = [];
    connection.events$.subscribe((event) => events.push(event));
    bench.socket.delivers('{');
    bench.socket.says({
      type: 'event',
      id: 1,
      event: { event: 'dropped', atMs: 1, deviceId: null, reason: 'x', count: 1 },
    });
    bench.socket.ends(1000);
    await bench.time.advance(0);

    expect(events).toEqual([]);
    expect(last(connection, 'waiting').error.code).toBe('PROTOCOL');
  });
});

describe('a server that says nothing', () => {
  it.each<[string, (socket: FakeWebSocket) => void]>([
    ['a handshake', () => {}],
    ['a welcome', (socket) => socket.opens()],
  ])('is given 10 s for %s; then the client tries again', async (_, begin) => {
    const bench = virtualBench();
    const connection = bench.connect();
    begin(bench.socket);
    await bench.time.advance(9_999);
    last(connection, 'connecting');
    await bench.time.advance(1);

    expect(last(connection, 'waiting').error.code).toBe('TIMEOUT');
    expect(bench.socket.closedBy).toBeDefined();
  });

  it('is asked for a sign of life after 20 s, and left after 30 s', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    await bench.time.advance(20_000);
    expect(bench.socket.take()).toEqual([{ type: 'unsubscribe', id: 0 }]);
    await bench.time.advance(9_999);
    last(connection, 'open');
    await bench.time.advance(1);

    expect(last(connection, 'waiting').error.code).toBe('TIMEOUT');
    expect(bench.socket.closedBy).toBeDefined();
  });

  it('is not left when it answers that there is no such subscription', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    for (let asked = 0; asked < 5; asked++) {
      await bench.time.advance(20_000);
      expect(bench.socket.take()).toHaveLength(1);
      bench.socket.says({ type: 'refused', id: 0, code: 'NOT_SUBSCRIBED', message: 'there is none' });
    }

    last(connection, 'open');
  });

  it('is not asked while anything else comes', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    connection.messages$().subscribe();
    bench.socket.take();
    for (let second = 0; second < 60; second += 10) {
      await bench.time.advance(10_000);
      bench.socket.passesOn(1, '00:11:22:33:44:55', 'x');
    }

    expect(bench.socket.take()).toEqual([]);
    last(connection, 'open');
  });
});

describe('close', () => {
  it.each<[string, (bench: Bench) => void]>([
    ['connecting', () => {}],
    ['open', (bench) => bench.socket.welcomes()],
    ['waiting', (bench) => bench.socket.ends()],
  ])('while %s closes the WebSocket, says closed, completes, and leaves nothing to do', async (name, begin) => {
    const bench = virtualBench();
    const connection = bench.connect();
    begin(bench);
    const ends: string[] = [];
    connection.devices$.subscribe({ complete: () => ends.push('devices') });
    connection.messages$().subscribe({ complete: () => ends.push('messages') });
    connection.events$.subscribe({ complete: () => ends.push('events') });
    connection.missed$.subscribe({ complete: () => ends.push('missed') });
    const states = statesOf(connection);
    connection.close();
    connection.close();
    const doneMs = bench.time.now();
    bench.time.flush();

    expect(states.map((state) => state.split(' ')[0])).toEqual([name, 'closed', '|']);
    expect(ends.sort()).toEqual(['devices', 'events', 'messages', 'missed']);
    expect(bench.sockets).toHaveLength(1);
    expect(bench.socket.closedBy).toBeDefined();
    expect(bench.time.now()).toBe(doneMs);
    expect(statesOf(connection)).toEqual(['closed', '|']);
  });

  it.each(['connecting', 'open', 'waiting'])('may be called by who is told of %s', async (name) => {
    const bench = virtualBench();
    const connection = bench.connected();
    const states = statesOf(connection);
    bench.socket.ends();
    connection.connection$.subscribe((state) => state.name === name && connection.close());
    await bench.time.advance(250);
    const [, second] = bench.sockets;
    if (name === 'open') second!.welcomes();
    await bench.time.advance(60_000);

    expect(states.slice(-2)).toEqual(['closed', '|']);
    // While it is told that an attempt begins, none is begun.
    expect(bench.sockets).toHaveLength(name === 'open' ? 2 : 1);
  });

  it('after a failure changes nothing', () => {
    const bench = virtualBench();
    const connection = bench.connect();
    bench.socket.ends(BridgeCloseCode.UNAUTHORIZED);
    connection.close();

    expect(statesOf(connection)).toEqual(['failed UNAUTHORIZED', '|']);
  });
});

describe('a WebSocket that cannot be made', () => {
  it('is tried again, and its error does not quote what it was made with', () => {
    const bench = virtualBench();
    const unwilling = function (_: string, protocols: string[]): never {
      throw new SyntaxError(protocols.join());
    };
    const connection = bench.connect({ WebSocket: unwilling as never });
    const { error } = last(connection, 'waiting');

    expect(error.message).toBe('the WebSocket could not be made: SyntaxError');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('usmp-token');
  });
});

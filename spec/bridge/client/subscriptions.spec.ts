import { describe, expect, it } from '@jest/globals';
import type { BridgeConnection, BridgeDevice, BridgeEvent, MessagesOptions } from '../../../src/bridge/client/index.js';
import { text } from '../../../src/testing/text.js';
import { DEVICE_ID, device, virtualBench, type Bench } from './fake-bridge.js';

const OTHER_ID = '00:11:22:33:44:66';

/** Loses the connection and has it back. */
async function reconnect(bench: Bench): Promise<void> {
  bench.socket.ends();
  await bench.time.advance(500);
  bench.socket.welcomes();
}

function listsOf({ devices$ }: BridgeConnection): (readonly BridgeDevice[])[] {
  const lists: (readonly BridgeDevice[])[] = [];
  devices$.subscribe((list) => lists.push(list));
  return lists;
}

function textsOf(connection: BridgeConnection, ...choice: Parameters<BridgeConnection['messages$']>): string[] {
  const texts: string[] = [];
  connection.messages$(...choice).subscribe(({ deviceId, payload }) => texts.push(`${deviceId} ${text(payload)}`));
  return texts;
}

describe('devices$', () => {
  it('is the present list once it is known, and again with each change', () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 1, kind: 'devices' }]);
    bench.socket.says({ type: 'result', id: 1, ok: true });
    expect(lists).toEqual([]);
    const [one, other] = [device(DEVICE_ID), device(OTHER_ID)];
    bench.socket.says({ type: 'devices', id: 1, devices: [one, other] });
    bench.socket.says({ type: 'devices-changed', id: 1, devices: [{ ...other, isOnline: false }] });
    bench.socket.says({ type: 'devices-changed', id: 1, devices: [], forgotten: [DEVICE_ID] });

    expect(lists).toEqual([[one, other], [one, { ...other, isOnline: false }], [{ ...other, isOnline: false }]]);
  });

  it('keeps devices that did not change the same objects', () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID), device(OTHER_ID)] });
    bench.socket.says({ type: 'devices-changed', id: 1, devices: [device(DEVICE_ID), device(OTHER_ID, { drops: 1 })] });

    expect(lists[1]![0]).toBe(lists[0]![0]);
    expect(lists[1]![1]).not.toBe(lists[0]![1]);
  });

  it('does not emit where nothing changed', () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });
    bench.socket.says({ type: 'devices-changed', id: 1, devices: [device(DEVICE_ID)] });

    expect(lists).toHaveLength(1);
  });

  it('is an empty list where there is no device', () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    bench.socket.says({ type: 'devices', id: 1, devices: [] });

    expect(lists).toEqual([[]]);
  });

  it('is one subscription on the wire for all, and gives the latest list to who comes late', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const first = listsOf(connection);
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });
    bench.socket.take();
    const late = listsOf(connection);

    expect(late).toEqual([first[0]]);
    expect(late[0]).toBe(first[0]);
    expect(bench.socket.take()).toEqual([]);
  });

  it('is unsubscribed when nobody is left, and asked for anew by the next', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const [first, second] = [connection.devices$.subscribe(), connection.devices$.subscribe()];
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });
    bench.socket.take();
    first.unsubscribe();
    expect(bench.socket.take()).toEqual([]);
    second.unsubscribe();
    expect(bench.socket.take()).toEqual([{ type: 'unsubscribe', id: 1 }]);
    const lists = listsOf(connection);

    expect(lists).toEqual([]);
    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 2, kind: 'devices' }]);
    // What was under way for the old one is nobody's.
    bench.socket.says({ type: 'devices-changed', id: 1, devices: [device(OTHER_ID)] });
    expect(lists).toEqual([]);
  });

  it('stays through a reconnect: the list of then takes the place of the old, with the same objects where nothing changed', async () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    bench.socket.says({ type: 'devices', id: 1, devices: [device('00:00:00:00:00:01'), device(DEVICE_ID)] });
    await reconnect(bench);
    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 1, kind: 'devices' }]);
    expect(lists).toHaveLength(1);
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID), device(OTHER_ID)] });

    expect(lists[1]).toEqual([device(DEVICE_ID), device(OTHER_ID)]);
    expect(lists[1]![0]).toBe(lists[0]![1]);
  });

  it('does not emit after a reconnect where nothing changed meanwhile', async () => {
    const bench = virtualBench();
    const lists = listsOf(bench.connected());
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });
    await reconnect(bench);
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });

    expect(lists).toHaveLength(1);
  });

  it('may be subscribed before there is a connection', () => {
    const bench = virtualBench();
    const connection = bench.connect();
    const lists = listsOf(connection);
    bench.socket.welcomes();
    bench.socket.says({ type: 'devices', id: 1, devices: [device(DEVICE_ID)] });

    expect(lists).toEqual([[device(DEVICE_ID)]]);
  });
});

describe('messages$', () => {
  it('are those of a device, or of all, with the time at which they came', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const messages: unknown[] = [];
    connection.messages$(DEVICE_ID).subscribe((message) => messages.push(message));
    const texts = textsOf(connection);
    expect(bench.socket.take()).toEqual([
      { type: 'subscribe', id: 1, kind: 'messages', deviceIds: [DEVICE_ID] },
      { type: 'subscribe', id: 2, kind: 'messages' },
    ]);
    bench.socket.passesOn(1, DEVICE_ID, 'hi');
    bench.socket.passesOn(2, DEVICE_ID, 'hi');
    bench.socket.passesOn(2, OTHER_ID, '');

    expect(messages).toEqual([{ deviceId: DEVICE_ID, atMs: 1_000, payload: Uint8Array.of(104, 105) }]);
    expect(texts).toEqual([`${DEVICE_ID} hi`, `${OTHER_ID} `]);
  });

  it('with everyMs are sampled by the bridge', () => {
    const bench = virtualBench();
    textsOf(bench.connected(), undefined, { everyMs: 250 });

    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 1, kind: 'messages', everyMs: 250 }]);
  });

  it('of the same choice are one subscription on the wire, until the last of them leaves', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const same = [
      connection.messages$('00:AA:22:33:44:55', { everyMs: 250 }).subscribe(),
      connection.messages$('00:aa:22:33:44:55', { everyMs: 250 }).subscribe(),
    ];
    const others = [
      connection.messages$('00:aa:22:33:44:55').subscribe(),
      connection.messages$('00:aa:22:33:44:55', { everyMs: 251 }).subscribe(),
    ];
    expect(bench.socket.take().map((sent) => 'id' in sent && sent.id)).toEqual([1, 2, 3]);
    same[0]!.unsubscribe();
    others[0]!.unsubscribe();
    expect(bench.socket.take()).toEqual([{ type: 'unsubscribe', id: 2 }]);
    same[1]!.unsubscribe();

    expect(bench.socket.take()).toEqual([{ type: 'unsubscribe', id: 1 }]);
  });

  it('as one observable may be subscribed again after everybody left', () => {
    const bench = virtualBench();
    const messages$ = bench.connected().messages$();
    messages$.subscribe().unsubscribe();
    messages$.subscribe();

    expect(bench.socket.take()).toMatchObject([{ id: 1 }, { type: 'unsubscribe', id: 1 }, { id: 2 }]);
  });

  it('come to every subscriber of the same choice', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const [first, second] = [textsOf(connection), textsOf(connection)];
    bench.socket.passesOn(1, DEVICE_ID, 'a');

    expect([first, second]).toEqual([[`${DEVICE_ID} a`], [`${DEVICE_ID} a`]]);
  });

  it('stay through reconnects; only what is still wanted is subscribed again', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const texts = textsOf(connection, DEVICE_ID);
    const given = connection.messages$().subscribe();
    bench.socket.passesOn(1, DEVICE_ID, 'a');
    bench.socket.ends();
    given.unsubscribe();
    await bench.time.advance(500);
    bench.socket.welcomes();
    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 1, kind: 'messages', deviceIds: [DEVICE_ID] }]);
    bench.socket.passesOn(1, DEVICE_ID, 'b');

    expect(texts).toEqual([`${DEVICE_ID} a`, `${DEVICE_ID} b`]);
  });

  it('error with the BridgeError of a bridge that refuses them, for that choice alone', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const errors: unknown[] = [];
    connection.messages$(DEVICE_ID).subscribe({ error: (error: unknown) => errors.push(error) });
    const texts = textsOf(connection);
    bench.socket.take();
    bench.socket.says({ type: 'refused', id: 1, code: 'LIMIT', message: 'too many' });
    bench.socket.passesOn(2, OTHER_ID, 'a');

    expect(errors).toMatchObject([{ name: 'BridgeError', code: 'LIMIT', message: 'too many' }]);
    expect(texts).toEqual([`${OTHER_ID} a`]);
    // There is nothing to unsubscribe.
    expect(bench.socket.take()).toEqual([]);
    connection.messages$(DEVICE_ID).subscribe();
    expect(bench.socket.take()).toMatchObject([{ type: 'subscribe', id: 3 }]);
  });

  it.each<Parameters<BridgeConnection['messages$']>>([
    ['device 1'],
    [''],
    [DEVICE_ID, 250 as unknown as MessagesOptions],
    [DEVICE_ID, null as unknown as MessagesOptions],
    [DEVICE_ID, { everyMs: 49 }],
    [DEVICE_ID, { everyMs: 60_001 }],
    [undefined, { everyMs: 50.5 }],
  ])('throw ConfigError for what the bridge would not take: %s %j', (...choice) => {
    const bench = virtualBench();
    const connection = bench.connected();

    expect(() => connection.messages$(...choice)).toThrow(expect.objectContaining({ name: 'ConfigError' }));
  });

  it('come to the others where one subscriber throws', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const thrown: unknown[] = [];
    const { config } = await import('rxjs');
    config.onUnhandledError = (error) => thrown.push(error);
    try {
      connection.messages$().subscribe(() => {
        throw new Error('of the page');
      });
      const texts = textsOf(connection);
      bench.socket.passesOn(1, DEVICE_ID, 'a');
      bench.socket.passesOn(1, DEVICE_ID, 'b');
      await bench.time.advance(0);

      expect(texts).toEqual([`${DEVICE_ID} a`, `${DEVICE_ID} b`]);
      expect(thrown).toHaveLength(2);
    } finally {
      config.onUnhandledError = null;
    }
  });
});

describe('events$', () => {
  it('are what the bridge tells, in one subscription on the wire, through reconnects', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const events: BridgeEvent[] = [];
    connection.events$.subscribe((event) => events.push(event));
    connection.events$.subscribe();
    expect(bench.socket.take()).toEqual([{ type: 'subscribe', id: 1, kind: 'events' }]);
    const event: BridgeEvent = { event: 'refused', atMs: 1, remoteAddress: '::1', reason: 'rate', count: 3 };
    bench.socket.says({ type: 'event', id: 1, event });
    await reconnect(bench);
    bench.socket.says({ type: 'event', id: 1, event: { ...event, atMs: 2 } });

    expect(events.map(({ atMs }) => atMs)).toEqual([1, 2]);
  });
});

describe('events$ of a bridge that tells its last events first', () => {
  const event = (atMs: number, reason = 'rate'): BridgeEvent => ({
    event: 'refused',
    atMs,
    remoteAddress: '::1',
    reason,
    count: 3,
  });

  it('are each told once, after a reconnect too, be they of the same time', async () => {
    const bench = virtualBench();
    const events: BridgeEvent[] = [];
    bench.connected().events$.subscribe((one) => events.push(one));
    for (const one of [event(1), event(2)]) bench.socket.says({ type: 'event', id: 1, event: one });
    await reconnect(bench);
    for (const one of [event(1), event(2), event(2, 'full'), event(3)]) {
      bench.socket.says({ type: 'event', id: 1, event: one });
    }

    expect(events).toEqual([event(1), event(2), event(2, 'full'), event(3)]);
  });

  it('are the last 100 for who subscribes later, in the same subscription on the wire', () => {
    const bench = virtualBench();
    const connection = bench.connected();
    connection.events$.subscribe();
    for (let n = 1; n <= 150; n++) bench.socket.says({ type: 'event', id: 1, event: event(n) });
    const late: number[] = [];
    connection.events$.subscribe(({ atMs }) => late.push(atMs));

    expect(late).toEqual(Array.from({ length: 100 }, (_, n) => 51 + n));
    expect(bench.socket.take()).toHaveLength(1);
  });

  it('are compared with the last 100 alone, so that they take no more memory', async () => {
    const bench = virtualBench();
    const times: number[] = [];
    bench.connected().events$.subscribe(({ atMs }) => times.push(atMs));
    for (let n = 1; n <= 101; n++) bench.socket.says({ type: 'event', id: 1, event: event(n) });
    await reconnect(bench);
    for (const n of [2, 101, 1]) bench.socket.says({ type: 'event', id: 1, event: event(n) });

    expect(times.slice(100)).toEqual([101, 1]);
  });
});

describe('missed$', () => {
  it('counts what all subscriptions missed, through reconnects; the present number first', async () => {
    const bench = virtualBench();
    const connection = bench.connected();
    const counts: number[] = [];
    connection.missed$.subscribe((count) => counts.push(count));
    connection.events$.subscribe();
    connection.messages$().subscribe();
    bench.socket.says({ type: 'missed', id: 1, count: 2 });
    bench.socket.says({ type: 'missed', id: 2, count: 3 });
    await reconnect(bench);
    bench.socket.says({ type: 'missed', id: 2, count: 4 });
    const late: number[] = [];
    connection.missed$.subscribe((count) => late.push(count));

    expect(counts).toEqual([0, 2, 5, 9]);
    expect(late).toEqual([9]);
  });
});

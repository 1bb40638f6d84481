import { describe, expect, it } from '@jest/globals';
import { Subject, throwError } from 'rxjs';
import { ConfigError, HandshakeError, utf8, type PskInput, type UsmpError } from '../../src/protocol/index.js';
import type { PskOption, PskStoreEvent } from '../../src/server/psk-source.js';
import { UsmpServer } from '../../src/server/server.js';
import { connectedDevice, DEVICE_ID, deviceIdOf, PSK, virtualBench } from './bench.js';

const OTHER = 'another pre-shared key';
const LATEST = 'a third pre-shared key';

/** Whether a device with this PSK gets a session, and otherwise the server's reason. */
async function outcome(psk: PskOption, devicePsk: PskInput = PSK, deviceId = DEVICE_ID): Promise<string> {
  const bench = virtualBench({ psk });
  void bench.device({ psk: devicePsk, deviceId }).connect();
  await bench.time.advance();
  return bench.failureCodes[0] ?? (bench.sessions.length === 1 ? 'connected' : 'nothing');
}

const errorOf = (psk: unknown): unknown => {
  try {
    return new UsmpServer({ psk: psk as PskOption });
  } catch (error) {
    return error;
  }
};

describe('the option psk', () => {
  it.each<[string, PskOption]>([
    ['a text', PSK],
    ['bytes', utf8(PSK)],
    ['a Buffer', Buffer.from(PSK)],
    ['two for all, while one is rotated in', [OTHER, PSK]],
    ['a record', { [DEVICE_ID]: PSK, default: OTHER }],
    ['a record with the default alone', { default: utf8(PSK) }],
    ['a record without a prototype', Object.assign(Object.create(null), { [DEVICE_ID]: PSK })],
    ['a Map', new Map([[DEVICE_ID, PSK]])],
    ['a Map with a default', new Map([['default', PSK]])],
    ['a function', () => PSK],
    ['a function that gives two', () => [OTHER, PSK]],
    ['an async function', async () => PSK],
    ['a store', { lookUp: () => PSK }],
    ['a store that is asynchronous', { lookUp: async () => [utf8(PSK)] }],
  ])('may be %s', async (_, psk) => {
    expect(await outcome(psk)).toBe('connected');
    expect(await outcome(psk, LATEST)).toBe('AUTH_HMAC');
  });

  it('has one form of device ids: upper case in a table means the same', async () => {
    expect(await outcome({ 'AA:BB:CC:DD:EE:FF': PSK }, PSK, 'aa:bb:cc:dd:ee:ff')).toBe('connected');
  });

  it('gives a function device ids in that form', async () => {
    const asked: string[] = [];
    await outcome((deviceId) => void asked.push(deviceId), PSK, 'AA:BB:CC:DD:EE:FF');

    expect(asked).toEqual(['aa:bb:cc:dd:ee:ff']);
  });

  it('prefers what a table has for a device to its default', async () => {
    const psk = { [DEVICE_ID]: OTHER, default: PSK };

    expect(await outcome(psk, PSK)).toBe('AUTH_HMAC');
    expect(await outcome(psk, OTHER)).toBe('connected');
    expect(await outcome(psk, PSK, deviceIdOf(1))).toBe('connected');
  });

  it('accepts both PSKs of a device while one is rotated in', async () => {
    const psk = { [DEVICE_ID]: [OTHER, PSK] };

    expect(await outcome(psk, OTHER)).toBe('connected');
    expect(await outcome(psk, PSK)).toBe('connected');
    expect(await outcome(psk, LATEST)).toBe('AUTH_HMAC');
  });

  it.each<[string, PskOption]>([
    ['a table', { [deviceIdOf(1)]: PSK }],
    ['an empty table', new Map()],
    ['a function that gives undefined', () => undefined],
    ['an async function that gives undefined', async () => undefined],
    ['a database that gives null', () => null as never],
    ['a store', { lookUp: () => undefined }],
  ])('knows no other devices: %s', async (_, psk) => {
    expect(await outcome(psk)).toBe('AUTH_UNKNOWN_DEVICE');
  });

  it('is not copied by reference: bytes may be wiped after', async () => {
    const bytes = utf8(PSK);
    const bench = virtualBench({ psk: bytes });
    bytes.fill(0);

    expect((await connectedDevice(bench)).state).toBe('open');
  });

  it.each<[string, unknown, RegExp]>([
    ['missing', undefined, /^psk: expected/],
    ['null', null, /^psk: expected/],
    ['a number', 1234567890123456, /^psk: expected .* got number/],
    ['15 bytes', new Uint8Array(15), /^psk: got 15 bytes, at least 16 .*generatePsk/],
    ['a short text', 'password', /^psk: got 8 bytes/],
    ['a list of none', [], /^psk: .*list of 0/],
    ['a list of three', [PSK, OTHER, LATEST], /^psk: .*list of 3/],
    ['a list with a short one', [PSK, 'short'], /^psk: got 5 bytes/],
    ['short in a record', { [DEVICE_ID]: 'short' }, /^psk of 00:11:22:33:44:55: got 5 bytes/],
    ['short as the default', { default: 'short' }, /^psk of default: got 5 bytes/],
    ['of the wrong type in a Map', new Map([[DEVICE_ID, 7]]), /^psk of 00:11:22:33:44:55: expected/],
    ['a list of three in a Map', new Map([[DEVICE_ID, [PSK, OTHER, LATEST]]]), /^psk of 00:.*list of 3/],
  ])('is refused at construction with CONFIG_PSK where it is %s', (_, psk, message) => {
    const error = errorOf(psk) as ConfigError;

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'CONFIG_PSK', message: expect.stringMatching(message) });
    expect(error.advice).toContain('generatePsk');
  });

  it.each<[string, unknown]>([
    ['no device id', { 'device 7': PSK }],
    ['a PSK in the place of a device id', { [PSK]: DEVICE_ID }],
    ['one device id twice', { 'aa:bb:cc:dd:ee:ff': PSK, 'AA:BB:CC:DD:EE:FF': OTHER }],
  ])('is refused at construction with CONFIG_DEVICE_ID where a table has %s', (_, psk) => {
    const error = errorOf(psk) as ConfigError;

    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG_DEVICE_ID' });
    expect(error.message).not.toContain(PSK);
  });
});

describe('a PSK function', () => {
  const mistake = new Error('the database is away');

  it.each<[string, () => never | Promise<never>, unknown]>([
    [
      'throws',
      () => {
        throw mistake;
      },
      mistake,
    ],
    ['rejects', () => Promise.reject(mistake), mistake],
    ['gives a short PSK', () => 'short' as never, expect.objectContaining({ code: 'CONFIG_PSK' })],
    ['gives a short PSK later', async () => 'short' as never, expect.objectContaining({ code: 'CONFIG_PSK' })],
    ['gives a PSK of the wrong type', () => 7 as never, expect.objectContaining({ code: 'CONFIG_PSK' })],
    ['gives three', () => [PSK, OTHER, LATEST] as never, expect.objectContaining({ code: 'CONFIG_PSK' })],
  ])('that %s fails that handshake with PSK_LOOKUP_FAILED, and nothing else', async (_, lookUp, cause) => {
    const bench = virtualBench({ psk: (deviceId) => (deviceId === DEVICE_ID ? lookUp() : PSK) });
    const bystander = await connectedDevice(bench, { deviceId: deviceIdOf(1) });
    const connected = bench.device().connect();
    await bench.time.advance();

    expect(bench.failures.map(({ error }) => error)).toEqual([
      expect.objectContaining({ name: 'HandshakeError', code: 'PSK_LOOKUP_FAILED', origin: 'local', cause }),
    ]);
    await expect(connected).rejects.toMatchObject({ code: 'HANDSHAKE_INTERRUPTED' });
    expect(bystander.state).toBe('open');
  });

  it('that answers after the connection is gone changes nothing', async () => {
    let answer: (psk: string) => void = () => {};
    const bench = virtualBench({
      psk: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const device = bench.device();
    void device.connect();
    await bench.time.advance();
    device.cut();
    await bench.time.advance();
    answer(PSK);
    await bench.time.advance();

    expect(bench.failureCodes).toEqual(['HANDSHAKE_INTERRUPTED']);
    expect(bench.sessions).toEqual([]);
  });

  it('that is synchronous stays so: no promise is waited for between HELLO and the session', () => {
    const bench = virtualBench({ psk: () => PSK });
    void bench.device().connect();
    bench.time.flush();

    expect(bench.sessions).toHaveLength(1);
  });
});

describe('an unknown device', () => {
  it('gets the same answers as one with a wrong PSK, up to the same orderly end', async () => {
    const heard = async (psk: PskOption): Promise<unknown> => {
      const bench = virtualBench({ psk });
      const rejection = bench
        .device({ psk: OTHER })
        .connect()
        .catch((error: unknown) => error);
      await bench.time.advance();
      const { code, message, cause } = (await rejection) as UsmpError;
      return { code, message, cause };
    };

    expect(await heard({ default: PSK })).toEqual(await heard({}));
    expect(await heard({})).toMatchObject({ code: 'AUTH_REJECTED' });
  });
});

describe('a PSK that can be guessed', () => {
  const weak = 'aaaabbbbaaaabbbb';
  const warnings = (bench: ReturnType<typeof virtualBench>): string[] =>
    bench.events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

  it('is warned of once, when the server begins to listen', async () => {
    const bench = virtualBench({ psk: { [deviceIdOf(1)]: weak, [deviceIdOf(2)]: PSK } });
    await bench.server.listen({ listeners: [bench.network.listener('another')] });

    expect(warnings(bench)).toEqual([expect.stringContaining(deviceIdOf(1))]);
    expect(warnings(bench)[0]).not.toContain(deviceIdOf(2));
    expect(warnings(bench)[0]).not.toContain(weak);
  });

  it('is warned of with three names and a number where there are many', async () => {
    const psk = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [deviceIdOf(n), weak]));
    const bench = virtualBench({ psk });
    await bench.time.advance();

    expect(warnings(bench)).toEqual([expect.stringMatching(/:02 and 7 more$/)]);
  });

  it('is warned of once where a function gives it, when it first does', async () => {
    const bench = virtualBench({ psk: () => weak });
    expect(warnings(bench)).toEqual([]);
    for (const n of [1, 2]) await connectedDevice(bench, { deviceId: deviceIdOf(n), psk: weak });

    expect(warnings(bench)).toEqual([expect.stringContaining(deviceIdOf(1))]);
  });

  it('is not what generatePsk makes, nor a random one', async () => {
    const bench = virtualBench({ psk: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b' });
    await bench.time.advance();

    expect(warnings(bench)).toEqual([]);
  });
});

describe('a PSK store', () => {
  it('is observed from the first listen to the end of close, and what it tells is told', async () => {
    const events$ = new Subject<PskStoreEvent>();
    const bench = virtualBench({ psk: { lookUp: () => PSK, events$ } });
    const error = new ConfigError('CONFIG_OPTION', 'the store is not right');
    await bench.server.listen({ listeners: [bench.network.listener('another')] });
    events$.next({ type: 'psk-store-reloaded' });
    events$.next({ type: 'psk-store-failed', error });

    expect(bench.events).toEqual([{ type: 'psk-store-reloaded' }, { type: 'psk-store-failed', error }]);
    expect(bench.server.counters.pskStoreFailures).toBe(1);
    await bench.server.close();
    expect(events$.observed).toBe(false);
  });

  it('is not observed by a server that does not listen', () => {
    const events$ = new Subject<PskStoreEvent>();
    new UsmpServer({ psk: { lookUp: () => PSK, events$ } });

    expect(events$.observed).toBe(false);
  });

  it('whose events$ errors is reported, and still used', async () => {
    const mistake = new Error('a mistake of the store');
    const bench = virtualBench({ psk: { lookUp: () => PSK, events$: throwError(() => mistake) } });
    await connectedDevice(bench);

    expect(bench.events[0]).toMatchObject({ type: 'psk-store-failed', error: { cause: mistake } });
    expect(bench.events[0]).toHaveProperty('error', expect.any(HandshakeError));
  });
});

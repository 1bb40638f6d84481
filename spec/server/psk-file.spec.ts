import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, Subject, takeUntil, type Observable } from 'rxjs';
import { ConfigError, toHex, utf8 } from '../../src/protocol/index.js';
import { pskFile } from '../../src/server/psk-file.js';
import type { PskStore, PskStoreEvent } from '../../src/server/psk-source.js';
import { connectedDevice, DEVICE_ID, deviceIdOf, PSK, virtualBench } from './bench.js';

const OTHER = 'another pre-shared key';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usmp-psk-'));
  path = join(directory, 'psks.json');
});
const over$ = new Subject<void>();
afterEach(async () => {
  over$.next();
  await rm(directory, { recursive: true });
});

const write = (content: unknown): Promise<void> =>
  writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));

/** Watches until the test is over; the result resolves with the next thing the store tells. */
function watched(store: PskStore): () => Promise<PskStoreEvent> {
  const events$ = store.events$ as Observable<PskStoreEvent>;
  const seen: PskStoreEvent[] = [];
  const more$ = new Subject<void>();
  events$.pipe(takeUntil(over$)).subscribe((event) => {
    seen.push(event);
    more$.next();
  });
  return async () => {
    if (seen.length === 0) await firstValueFrom(more$);
    return seen.shift() as PskStoreEvent;
  };
}

/** A store that only reads when the system tells of a change, or else only from time to time. */
const told = (): PskStore => pskFile(path, { pollIntervalMs: 3_600_000 });

const psksOf = (store: PskStore, deviceId = DEVICE_ID): string[] =>
  ((store.lookUp(deviceId) as Uint8Array[] | undefined) ?? []).map((psk) => Buffer.from(psk).toString());

describe('pskFile', () => {
  it('reads PSKs by device id, as text or as bytes after hex:, one or two, and a default', async () => {
    await write({
      '00:11:22:33:44:55': PSK,
      'AA:BB:CC:DD:EE:FF': [OTHER, `hex:${toHex(utf8(PSK)).toUpperCase()}`],
      default: 'the pre-shared key of the others',
    });
    const store = told();

    expect(psksOf(store)).toEqual([PSK]);
    expect(psksOf(store, 'aa:bb:cc:dd:ee:ff')).toEqual([OTHER, PSK]);
    expect(psksOf(store, deviceIdOf(1))).toEqual(['the pre-shared key of the others']);
  });

  it('knows no other devices where there is no default', async () => {
    await write({});
    expect(told().lookUp(DEVICE_ID)).toBeUndefined();
  });

  it.each<[string, unknown, string, RegExp]>([
    ['is no JSON', `{ "default": "${PSK}", }`, 'CONFIG_OPTION', /psks\.json: expected JSON/],
    ['is empty', '', 'CONFIG_OPTION', /expected JSON/],
    ['holds no object', [PSK], 'CONFIG_OPTION', /expected a JSON object/],
    ['holds null', 'null', 'CONFIG_OPTION', /expected a JSON object/],
    ['has a short PSK', { default: 'short' }, 'CONFIG_PSK', /psk of default: got 5 bytes/],
    ['has a short PSK in hex', { default: 'hex:0011' }, 'CONFIG_PSK', /psk of default: got 2 bytes/],
    ['has a number', { default: 7 }, 'CONFIG_PSK', /psk of default: expected/],
    ['has three PSKs', { default: [PSK, PSK, PSK] }, 'CONFIG_PSK', /list of 3/],
    ['has no digits after hex:', { default: `hex:${PSK}` }, 'CONFIG_PSK', /psk of default: .*hexadecimal/],
    ['has a wrong device id', { [PSK]: OTHER }, 'CONFIG_DEVICE_ID', /device id: expected/],
    ['has an id twice', { 'aa:bb:cc:dd:ee:ff': PSK, 'AA:BB:CC:DD:EE:FF': PSK }, 'CONFIG_DEVICE_ID', /twice/],
    ['tries its luck with prototypes', '{ "__proto__": "0123456789abcdef" }', 'CONFIG_DEVICE_ID', /device id/],
  ])('refuses a file that %s, and shows no PSK', async (_, content, code, message) => {
    await write(content);
    let error: unknown;
    try {
      told();
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error).not.toHaveProperty('cause');
    expect((error as Error).message).not.toContain(PSK);
  });

  it('refuses a file that is not there', () => {
    expect(told).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        code: 'CONFIG_OPTION',
        message: expect.stringContaining(path),
        cause: expect.objectContaining({ code: 'ENOENT' }),
      }),
    );
  });

  it('refuses a poll interval that is no time', async () => {
    await write({});
    expect(() => pskFile(path, { pollIntervalMs: 0 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringContaining('pollIntervalMs') }),
    );
  });
});

describe('a PSK file that is in use', () => {
  it('is read again when it is written in place', async () => {
    await write({ [DEVICE_ID]: PSK });
    const store = told();
    const next = watched(store);
    await write({ [DEVICE_ID]: [OTHER, PSK] });

    expect(await next()).toEqual({ type: 'psk-store-reloaded' });
    expect(psksOf(store)).toEqual([OTHER, PSK]);
  });

  it('is read again when it is replaced, as editors do, and again after that', async () => {
    await write({ [DEVICE_ID]: PSK });
    const store = told();
    const next = watched(store);
    for (const psk of [OTHER, PSK]) {
      await writeFile(`${path}.tmp`, JSON.stringify({ [DEVICE_ID]: psk }));
      await rename(`${path}.tmp`, path);

      expect(await next()).toEqual({ type: 'psk-store-reloaded' });
      expect(psksOf(store)).toEqual([psk]);
    }
  });

  it('is read again when it is a link to what is replaced', async () => {
    for (const [version, psk] of Object.entries({ v1: PSK, v2: OTHER })) {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, 'psks.json'), JSON.stringify({ [DEVICE_ID]: psk }));
    }
    await symlink('v1', join(directory, 'current'));
    await symlink(join('current', 'psks.json'), path);
    const store = told();
    const next = watched(store);
    await symlink('v2', join(directory, 'next'));
    await rename(join(directory, 'next'), join(directory, 'current'));

    expect(await next()).toEqual({ type: 'psk-store-reloaded' });
    expect(psksOf(store)).toEqual([OTHER]);
  });

  it('is read from time to time where the system tells nothing', async () => {
    await mkdir(join(directory, 'elsewhere'));
    const target = join(directory, 'elsewhere', 'psks.json');
    await writeFile(target, JSON.stringify({ [DEVICE_ID]: PSK }));
    await symlink(target, path);
    const store = pskFile(path, { pollIntervalMs: 20 });
    const next = watched(store);
    for (const psk of [OTHER, PSK]) {
      await writeFile(target, JSON.stringify({ [DEVICE_ID]: psk }));

      expect(await next()).toEqual({ type: 'psk-store-reloaded' });
      expect(psksOf(store)).toEqual([psk]);
    }
  });

  it('that changed before it was watched is noticed', async () => {
    await write({ [DEVICE_ID]: PSK });
    const store = told();
    await write({ [DEVICE_ID]: OTHER });
    const next = watched(store);

    expect(await next()).toEqual({ type: 'psk-store-reloaded' });
    expect(psksOf(store)).toEqual([OTHER]);
  });

  it('keeps its last good content while it is bad or away, and tells why once each time', async () => {
    await write({ [DEVICE_ID]: PSK });
    const store = pskFile(path, { pollIntervalMs: 20 });
    const next = watched(store);
    const failures: unknown[] = [];
    for (const spoil of [
      () => write(`{ "${DEVICE_ID}": "${OTHER}`),
      () => rm(path),
      () => write({ default: 'short' }),
    ]) {
      await spoil();
      const event = await next();
      failures.push(event.type === 'psk-store-failed' && event.error);
      expect(psksOf(store)).toEqual([PSK]);
    }
    await write({ [DEVICE_ID]: OTHER });

    expect(await next()).toEqual({ type: 'psk-store-reloaded' });
    expect(psksOf(store)).toEqual([OTHER]);
    expect(failures).toEqual([
      expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_OPTION', message: expect.stringContaining('JSON') }),
      expect.objectContaining({
        name: 'ConfigError',
        code: 'CONFIG_OPTION',
        message: expect.stringContaining('ENOENT'),
      }),
      expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_PSK' }),
    ]);
    expect(failures.map(String).join()).not.toContain(OTHER);
  });

  it('lets a device in with its new PSK, and tells of it in events$ of the server', async () => {
    await write({ [DEVICE_ID]: PSK });
    const bench = virtualBench({ psk: told() });
    await connectedDevice(bench);
    const reloaded = firstValueFrom(bench.server.events$);
    await write({ [DEVICE_ID]: OTHER });
    expect(await reloaded).toEqual({ type: 'psk-store-reloaded' });
    await connectedDevice(bench, { psk: OTHER });

    expect(bench.sessions).toHaveLength(2);
    const closed = bench.server.close();
    await bench.time.advance();
    await closed;
  });
});

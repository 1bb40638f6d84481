import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsmpClient } from '../../src/node.js';
import { startGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.js';

let directory: string;
let lines: string[];
let gateway: Gateway | undefined;
let waiting: { readonly pattern: RegExp; readonly resolve: () => void }[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'usmp-gateway-'));
  lines = [];
  waiting = [];
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  rmSync(directory, { recursive: true });
});

const pskFile = (): string => join(directory, 'psk');
const psk = (): string => readFileSync(pskFile(), 'utf8').trim();

function print(text: string): void {
  lines.push(...text.split('\n'));
  for (const { pattern, resolve } of waiting) if (lines.some((line) => pattern.test(line))) resolve();
}

/** Resolves when such a line is printed. */
const printed = (pattern: RegExp): Promise<void> =>
  new Promise((resolve) => {
    waiting.push({ pattern, resolve });
    if (lines.some((line) => pattern.test(line))) resolve();
  });

const start = async (options: Partial<GatewayOptions> & { devices: boolean }): Promise<Gateway> =>
  (gateway = await startGateway({ host: '127.0.0.1', port: 0, pskFile: pskFile(), print, ...options }));

describe('the gateway', () => {
  it('shows simulated devices of every kind over real TCP and UDP, refuses the stranger, and sums up at the end', async () => {
    await start({ devices: true });
    await Promise.all([
      printed(/ {3}thermometer .* session [0-9a-f]{8} over TCP from 127\.0\.0\.1:\d+$/),
      printed(/power meter .* message, 64 bytes$/),
      printed(/camera .* message, 1808 bytes in 4 frames$/),
      printed(/door sensor .* PING, answered$/),
      printed(/soil probe .* BYE$/),
      printed(/ {3}weather mast .* session [0-9a-f]{8} over UDP from 127\.0\.0\.1:\d+$/),
      printed(/water meter .* message, 512 bytes in 2 frames$/),
      printed(/water meter .* BYE$/),
      printed(/ ! stranger .* refused, AUTH_HMAC: /),
    ]);
    await gateway?.stop();
    gateway = undefined;

    expect(lines).toContainEqual(expect.stringMatching(/^soil probe +02:00:00:00:00:05 +1 +[34] +\d+ +0 +0 +0$/));
    expect(lines).toContainEqual(expect.stringMatching(/^stranger +02:00:00:00:00:06 +0 +0 +0 +0 +0 +1$/));
    expect(lines.join('\n')).not.toContain(psk());
    expect(lines.join('\n')).not.toContain('celsius');
  }, 20_000);

  it('without devices prints host, port and PSK for the firmware, and takes a real one', async () => {
    const { addresses } = await start({ devices: false });
    const { port } = addresses.tcp;
    const settings = ['  host  127.0.0.1', `  port  ${port}, TCP or UDP`, `  PSK   ${psk()}`];
    expect(lines).toEqual(expect.arrayContaining(settings));
    expect(addresses.udp.port).toBe(port);

    for (const transport of ['tcp', 'udp'] as const) {
      const deviceId = transport === 'tcp' ? '00:11:22:33:44:55' : '00:11:22:33:44:66';
      const client = new UsmpClient({ transport, port, deviceId, psk: psk() });
      await client.connect();
      await client.send('hello');
      await printed(new RegExp(`${deviceId} +message, 5 bytes$`));
      await client.close();
      await printed(new RegExp(`${deviceId} +BYE$`));
    }
  });

  it('serves a dashboard, and keeps the token of its login link from run to run', async () => {
    const page = mkdtempSync(join(directory, 'page-'));
    writeFileSync(join(page, 'index.html'), '<!doctype html>');
    const loginLinks: (string | undefined)[] = [];
    for (let run = 0; run < 2; run++) {
      const { loginLink } = await start({ devices: false, dashboard: { port: 0, directory: page } });
      loginLinks.push(loginLink);
      const answer = await fetch(loginLink ?? '');
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(lines).toContain(`dashboard: ${loginLink}`);
      await gateway?.stop();
      gateway = undefined;
    }
    const [first, second] = loginLinks.map((link = '') => new URL(link).hash);

    expect(first).toMatch(/^#token=[0-9a-f]{64}$/);
    expect(second).toBe(first);
  });

  it.each([
    ['a token that is too short', (page: string) => writeFileSync(join(page, '../dashboard-token'), 'short'), 0],
    ['an address that it may not use', () => {}, -1],
  ])('whose dashboard can not start, with %s, leaves nothing behind that listens', async (_, spoil, port) => {
    const page = mkdtempSync(join(directory, 'page-'));
    writeFileSync(join(page, 'index.html'), '<!doctype html>');
    spoil(page);
    const other = await occupiedPort();
    const { port: free } = other.address() as AddressInfo;
    await new Promise((resolve) => other.close(resolve));
    await expect(start({ port: free, devices: false, dashboard: { port, directory: page } })).rejects.toThrow();

    const again = createServer().listen(free, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });

  it('that listens on all addresses names those at which devices reach it', async () => {
    await start({ host: '0.0.0.0', devices: false });

    expect(lines).not.toContain('  host  127.0.0.1');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}host {2}\d+\.\d+\.\d+\.\d+/));
  });

  it('takes another port where the wanted one is taken, and says so', async () => {
    const other = await occupiedPort();
    const { port } = other.address() as AddressInfo;
    const { addresses } = await start({ port, devices: false });
    other.close();

    expect(addresses.tcp.port).not.toBe(port);
    expect(lines).toContain(`port ${port} is taken, so another one is used`);
    expect(lines).toContain(`listening on ${String(addresses.tcp)} (TCP) and ${String(addresses.udp)} (UDP)`);
  });

  it('refuses an address that is not of this machine', async () => {
    await expect(start({ host: '192.0.2.1', devices: false })).rejects.toMatchObject({ code: 'CONFIG_ADDRESS' });
  });

  it('that nobody came to says so', async () => {
    await start({ devices: false });
    await gateway?.stop();
    gateway = undefined;

    expect(lines.at(-1)).toBe('nobody came');
  });
});

const occupiedPort = (): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });

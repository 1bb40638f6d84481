import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { refuse, takeUpgrades, type UpgradeHandler } from '../../src/transport/websocket-port.js';
import { lastWords, Opened, upgrade } from './websocket-ends.js';

const opened = new Opened();

afterEach(() => opened.close());

async function program(body = 'the program'): Promise<{ server: Server; address: string }> {
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const says =
  (text: string): UpgradeHandler =>
  (_, socket) =>
    socket.end(text);

const answerTo = async (address: string, path: string): Promise<string> =>
  lastWords(await opened.rawSocket(address, ...upgrade(path)));

describe('the upgrades to a path of a server', () => {
  it('go to who took it, whatever the query, and nobody’s get 404 that says so, while several are taken too', async () => {
    const { server, address } = await program();
    takeUpgrades(server, '/one', says('1'));
    takeUpgrades(server, '/two', says('2'));

    expect(await Promise.all(['/one', '/two?x=/one'].map((path) => answerTo(address, path)))).toEqual(['1', '2']);
    for (const path of ['/', '/one/', '/On%65', '//one', `http://${address}/one`]) {
      expect(await answerTo(address, path)).toMatch(
        /^HTTP\/1.1 404 Not Found\r\n.*There is no WebSocket at this path\.\n$/s,
      );
    }
  });

  it('are left to another listener for upgrades as long as there is one', async () => {
    const { server, address } = await program();
    takeUpgrades(server, '/one', says('1'));
    takeUpgrades(server, '/two', says('2'));
    const foreign: UpgradeHandler = ({ url }, socket) => {
      // Later, as one does that looks something up first.
      if (url === '/three') setImmediate(() => socket.end('3'));
    };
    server.on('upgrade', foreign);
    expect(await Promise.all(['/one', '/two', '/three'].map((path) => answerTo(address, path)))).toEqual([
      '1',
      '2',
      '3',
    ]);
    server.off('upgrade', foreign);

    expect(await answerTo(address, '/three')).toContain('404');
  });

  it('are taken once: CONFIG_ADDRESS for another, until the path was given back', async () => {
    const { server, address } = await program();
    const giveBack = takeUpgrades(server, '/one', says('1'));
    const giveOtherBack = takeUpgrades(server, '/two', says('2'));
    expect(() => takeUpgrades(server, '/one', says('x'))).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        code: 'CONFIG_ADDRESS',
        message: expect.stringContaining('/one'),
      }),
    );
    giveBack();
    expect(await answerTo(address, '/one')).toContain('404');
    takeUpgrades(server, '/one', says('again'))();
    giveOtherBack();

    expect(server.listenerCount('upgrade')).toBe(0);
    takeUpgrades(server, '/one', says('last'));
    expect(await answerTo(address, '/one')).toBe('last');
  });
});

describe('an upgrade that is refused', () => {
  it('is over after a second, also where its peer reads nothing', async () => {
    const { server, address } = await program('x'.repeat(8_000_000));
    takeUpgrades(server, '/', (request) => refuse(request, 404, 'no'));
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const peer = await opened.rawSocket(address);
    peer.pause();
    const [socket] = await connected;
    const ended = once(socket, 'close');
    peer.write(`GET /page HTTP/1.1\r\nHost: x\r\n\r\n${upgrade('/').join('\r\n')}\r\n`);
    await ended;

    expect(socket.writableFinished).toBe(false);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dashboardServer } from '../../src/gateway/dashboard-server.js';

let directory: string;
let server: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'usmp-dashboard-server-'));
  const built = join(directory, 'built');
  mkdirSync(join(built, 'assets'), { recursive: true });
  writeFileSync(join(directory, 'secret.html'), 'not for you');
  writeFileSync(join(built, 'index.html'), '<!doctype html>');
  writeFileSync(join(built, 'assets/index-x1.js'), 'script();');
  writeFileSync(join(built, 'assets/index-x1.css'), 'p{}');
  server = dashboardServer(built).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

/** Sends the path as it is, which `fetch` would not. */
async function ask(
  path: string,
  { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ readonly response: IncomingMessage; readonly body: string }> {
  const { port } = server.address() as AddressInfo;
  const asked = request({ host: '127.0.0.1', port, path, method, headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { response, body };
}

describe('the server of the dashboard', () => {
  it.each([
    ['/', '<!doctype html>', 'text/html; charset=utf-8', 'no-cache'],
    ['/?from=somewhere', '<!doctype html>', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/index-x1.js', 'script();', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/index-x1.css', 'p{}', 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
  ])('serves %s', async (path, expected, type, caching) => {
    const { response, body } = await ask(path);

    expect([response.statusCode, body]).toEqual([200, expected]);
    expect(response.headers).toMatchObject({ 'content-type': type, 'cache-control': caching });
  });

  it.each(['/', '/nothing'])('forbids everything from elsewhere and everything inline, at %s too', async (path) => {
    const { headers } = (await ask(path)).response;
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((directive): [string, string] => {
          const [name = '', ...sources] = directive.split(' ');
          return [name, sources.join(' ')];
        }),
    );

    expect(Object.fromEntries(policy)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': "'self'",
      'img-src': "'self' data:",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  it.each([
    '/index.html/..',
    '/../secret.html',
    '/assets/../../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e/secret.html',
    '//secret.html',
    '/assets',
    '/assets/',
    '/nothing',
    '/__proto__',
    '/bridge',
  ])('has nothing at %s', async (path) => {
    const { response, body } = await ask(path);

    expect(response.statusCode).toBe(404);
    expect(body).not.toContain('not for you');
  });

  it('answers HEAD without a body', async () => {
    const { response, body } = await ask('/', { method: 'HEAD' });

    expect([response.statusCode, response.headers['content-length'], body]).toEqual([200, '15', '']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { response } = await ask('/', { method });

    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('upgrades nothing by itself', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };

    expect((await ask('/bridge', { headers: upgrade })).response.statusCode).toBe(404);
  });

  it('outlives a connection that could not be accepted', async () => {
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));

    expect((await ask('/')).response.statusCode).toBe(200);
  });

  it('is not made where the build is missing', () => {
    expect(() => dashboardServer(join(directory, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

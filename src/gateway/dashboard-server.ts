import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.md': 'text/plain; charset=utf-8',
};

/** Nothing from elsewhere, nothing inline, no text that becomes markup, and no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The build writes a hash of their content into the names of the files there. */
const HASHED = '/assets/';
const FOR_GOOD = 'public, max-age=31536000, immutable';

interface Asset {
  readonly body: Buffer;
  readonly type: string;
  readonly caching: string;
}

/**
 * Serves the built dashboard, and nothing besides: its files are read once, so that no request ever becomes a path. The page
 * expects the bridge on the same server, at its default path. It does not listen yet.
 * @param directory what `npm run build` made
 * @throws the error of the file system where it is not there
 */
export function dashboardServer(directory: string): Server {
  const assets = readAssets(directory);
  const server = createServer((request, response) => respond(assets, request, response));
  // A failed accept (no file descriptors left) hurts the newcomer alone.
  return server.on('error', () => {});
}

function readAssets(directory: string): ReadonlyMap<string, Asset> {
  const files = readdirSync(directory, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const assets = files.map(({ parentPath, name }): [string, Asset] => {
    const file = join(parentPath, name);
    const path = `/${relative(directory, file).split(sep).join('/')}`;
    const type = CONTENT_TYPES[extname(name)] ?? 'application/octet-stream';
    const caching = path.startsWith(HASHED) ? FOR_GOOD : 'no-cache';
    return [path === '/index.html' ? '/' : path, { body: readFileSync(file), type, caching }];
  });
  return new Map(assets);
}

function respond(
  assets: ReadonlyMap<string, Asset>,
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  const asset = assets.get(pathOf(url));
  if (method !== 'GET' && method !== 'HEAD') {
    end(response, 405, { Allow: 'GET, HEAD' }, 'Only GET and HEAD are answered here.\n');
  } else if (!asset) {
    end(response, 404, {}, 'There is nothing here. The dashboard is at /\n');
  } else {
    const { body, type, caching } = asset;
    response
      .writeHead(200, { ...HEADERS, 'Content-Type': type, 'Content-Length': body.length, 'Cache-Control': caching })
      // Node leaves the body out of the answer to HEAD.
      .end(body);
  }
}

function end(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, text: string): void {
  response
    .writeHead(status, { ...HEADERS, ...headers, 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' })
    .end(text);
}

const pathOf = (url: string): string => url.split('?', 1)[0]!;

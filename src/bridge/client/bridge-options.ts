import type { SchedulerLike } from 'rxjs';
import { utf8 } from '../../protocol/bytes.js';
import { checkDurationMs, checkFunction, checkOptions, checkText } from '../../protocol/check-option.js';
import { ConfigError } from '../../protocol/errors.js';
import { defaultScheduler } from '../../session/default-scheduler.js';
import { BRIDGE_SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from '../protocol.js';
import { Backoff, type BackoffOptions } from '../../session/backoff.js';
import type { WebSocketConstructor } from './web-socket.js';

export interface BridgeOptions {
  /** Where the bridge is: `wss://gateway.example/bridge`. `https:` stands for `wss:`; in a page `/bridge` will do. */
  readonly url: string;
  /** One of the bridge's tokens. It travels in a header of the handshake, not in the URL. */
  readonly token: string;
  readonly backoff?: BackoffOptions;
  /** How long `send`, `ping` and `end` wait for their answer; the default is 10 s. */
  readonly requestTimeoutMs?: number;
  readonly scheduler?: SchedulerLike;
  /** Numbers from 0 up to, but not including, 1, for the jitter of the back-off. */
  readonly random?: () => number;
  /** The default is the global one. */
  readonly WebSocket?: WebSocketConstructor;
}

/** Checked options with the defaults filled in. */
export interface BridgeSettings {
  readonly url: string;
  /** What the WebSocket offers; the token is in it. */
  readonly protocols: readonly string[];
  readonly backoff: Backoff;
  readonly requestTimeoutMs: number;
  readonly scheduler: SchedulerLike;
  readonly WebSocket: WebSocketConstructor;
}

/** Somebody is watching. */
const MAX_DELAY_MS = 10_000;

/** @throws ConfigError `CONFIG_OPTION` that names the option */
export function bridgeSettings(options: BridgeOptions): BridgeSettings {
  const { url, token, backoff = {}, requestTimeoutMs = 10_000, scheduler, random } = checkOptions('options', options);
  return {
    url: webSocketUrl(checkText('url', url)),
    protocols: [BRIDGE_SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX + base64url(utf8(checkText('token', token)))],
    backoff: new Backoff(
      checkFunction('random', random ?? cryptoRandom),
      MAX_DELAY_MS,
      checkOptions('backoff', backoff),
    ),
    requestTimeoutMs: checkDurationMs('requestTimeoutMs', requestTimeoutMs, 1),
    scheduler: scheduler ?? defaultScheduler,
    WebSocket: checkFunction('WebSocket', options.WebSocket ?? globalThis.WebSocket),
  };
}

function webSocketUrl(input: string): string {
  const page = typeof location === 'undefined' ? undefined : location.href;
  try {
    const url = new URL(input, page);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    url.hash = '';
    if (/^wss?:$/.test(url.protocol)) return url.href;
  } catch {
    // Said below. The text stays unsaid: it may hold a token that was put in the wrong place.
  }
  throw new ConfigError('CONFIG_OPTION', 'url: expected ws:, wss:, http: or https: and the address of a bridge');
}

/** Without padding, as the names of subprotocols need it. */
const base64url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const cryptoRandom = (): number => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;

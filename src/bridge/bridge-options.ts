import type { Server as HttpServer } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import { checkDurationMs, checkInteger, checkOptions } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import { checkSocketAddress } from '../transport/socket-address.js';
import { checkPath } from '../transport/websocket-port.js';
import { OriginPolicy } from './origin.js';
import { Tokens, type BridgeToken } from './tokens.js';

export interface BridgeLimits {
  /** Dashboards at most; the default is 200. As many again may be about to show a token. */
  readonly maxClients?: number;
  /** Subscriptions of one dashboard; the default is 64. In all they name 4,000 devices at most. */
  readonly maxSubscriptions?: number;
  /** Commands, PINGs and ends of one dashboard in a second; the default is 50. */
  readonly maxCommandsPerSecond?: number;
  /** What waits for one dashboard, WebSocket's own buffer included; the default is 1 MiB, the least 64 KiB. */
  readonly maxBufferedBytes?: number;
  /** One message of a dashboard; the default is 64 KiB, the least 2 KiB. */
  readonly maxPayloadBytes?: number;
  /** From the connection to a token; the default is 5 s. */
  readonly authTimeoutMs?: number;
  /** How long the latest message of a device may wait for a dashboard to read; the default is 30 s. */
  readonly drainTimeoutMs?: number;
  /** Devices that are remembered, here or gone; the default is 10,000. Those that are here are never forgotten. */
  readonly maxDevices?: number;
}

/** Either a port of the bridge's own, or an existing server. */
export interface BridgeOptions extends BridgeLimits {
  /** At least one. Make them with `generatePsk(nodeCrypto)` or the like. */
  readonly tokens: readonly BridgeToken[];
  /** 0 takes a free one. */
  readonly port?: number;
  /** The default is this machine's loopback; `0.0.0.0` is every IPv4 address of it. Only with `port`. */
  readonly host?: string;
  /** An HTTP or HTTPS server, which the bridge neither starts nor closes. Its other upgrade handlers go on. */
  readonly server?: HttpServer;
  /** The default is `/bridge`. */
  readonly path?: string;
  /** Web pages that may connect, as in `https://dashboard.example`, beside those from the same host and port. */
  readonly allowedOrigins?: readonly string[];
  /** Where time passes; the default is real time. */
  readonly scheduler?: SchedulerLike;
}

/** Where dashboards come in. */
export type Place = { readonly host: string; readonly port: number } | HttpServer;

/** The options of a bridge, checked and complete. */
export interface BridgeSettings extends Required<BridgeLimits> {
  readonly tokens: Tokens;
  readonly place: Place;
  readonly path: string;
  readonly origins: OriginPolicy;
  readonly scheduler: SchedulerLike;
}

/** @throws ConfigError `CONFIG_OPTION` that names the option */
export function bridgeSettings(options: BridgeOptions): BridgeSettings {
  const { path = '/bridge', allowedOrigins = [], scheduler = defaultScheduler } = checkOptions('options', options);
  return {
    tokens: new Tokens(options.tokens),
    place: placeOf(options),
    path: checkPath(path),
    origins: new OriginPolicy(allowedOrigins),
    scheduler,
    maxClients: checkInteger('maxClients', options.maxClients ?? 200, 1),
    maxSubscriptions: checkInteger('maxSubscriptions', options.maxSubscriptions ?? 64, 1),
    maxCommandsPerSecond: checkInteger('maxCommandsPerSecond', options.maxCommandsPerSecond ?? 50, 1),
    maxBufferedBytes: checkInteger('maxBufferedBytes', options.maxBufferedBytes ?? 1_048_576, 65_536),
    maxPayloadBytes: checkInteger('maxPayloadBytes', options.maxPayloadBytes ?? 65_536, 2_048, 2 ** 30),
    authTimeoutMs: checkDurationMs('authTimeoutMs', options.authTimeoutMs ?? 5_000, 1),
    drainTimeoutMs: checkDurationMs('drainTimeoutMs', options.drainTimeoutMs ?? 30_000, 1),
    maxDevices: checkInteger('maxDevices', options.maxDevices ?? 10_000, 1),
  };
}

function placeOf({ server, host, port }: BridgeOptions): Place {
  if (server !== undefined && port === undefined && host === undefined) {
    if (typeof checkOptions('server', server).on === 'function') return server;
    throw new ConfigError('CONFIG_OPTION', 'server: expected a server of node:http or node:https');
  }
  if (server !== undefined || port === undefined) {
    throw new ConfigError('CONFIG_OPTION', 'expected either port, with or without host, or server');
  }
  return checkSocketAddress({ port, ...(host !== undefined && { host }) });
}

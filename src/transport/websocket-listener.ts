import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { WebSocketServer } from 'ws';
import { checkDurationMs, checkInteger, checkOptions } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';
import { checkSocketAddress, formatSocketAddress, type SocketAddress } from './socket-address.js';
import type { Listener, Transport } from './transport.js';
import { WebSocketConnection } from './websocket-connection.js';
import { checkPath, openPort, PIECES, refuse, takeUpgrades, type Port, type UpgradeHandler } from './websocket-port.js';
import { USMP_SUBPROTOCOL } from './websocket-protocol.js';

export interface WebSocketLimits {
  /** The default is `/`. */
  readonly path?: string;
  /** A longer message ends its connection; the default is 256 KiB. */
  readonly maxMessageBytes?: number;
  /** How long a connection to a port of our own may take to become a WebSocket; the default is 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** A peer that is silent so long is sent a ping of WebSocket, and is dead when it is silent as long again; the default is 30 s. */
  readonly pingIntervalMs?: number;
  /** Where time passes; the default is real time. */
  readonly scheduler?: SchedulerLike;
}

/** A server of a program, which has to listen already. */
interface ServerOption {
  /**
   * Of this only the upgrades to `path` are taken. The others are left to whoever else takes upgrades, and refused where nobody
   * does.
   */
  readonly server: HttpServer | HttpsServer;
}

/** Where a server is reached by WebSocket: at a port of its own, or through the server of a program. */
export type WebSocketListenOptions = WebSocketLimits & (SocketAddress | ServerOption);

type Settings = Required<WebSocketLimits>;

/**
 * Listens for USMP over WebSocket: a byte stream in binary messages, subprotocol `usmp.v2`. `listen` rejects with ConfigError
 * `CONFIG_ADDRESS` where it can't. `close` frees a port of its own, and leaves the server of a program alone.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function webSocketListener(options: WebSocketListenOptions): Listener {
  const settings = checkSettings(options);
  let stop = (): void => {};
  return {
    kind: 'websocket',
    listen: async (accept) => {
      const take = upgradeTaker(settings, accept);
      const opened = 'server' in settings ? joinServer(settings, take) : await openPort(settings, take);
      stop = opened.close;
      return opened.address;
    },
    close: () => {
      stop();
      return Promise.resolve();
    },
  };
}

/** @throws ConfigError `CONFIG_ADDRESS` */
function joinServer({ server, path }: Settings & ServerOption, take: UpgradeHandler): Port {
  const bound = server.address();
  if (bound === null) {
    throw new ConfigError('CONFIG_ADDRESS', 'websocket.server does not listen yet: call its listen() first');
  }
  return {
    address: typeof bound === 'string' ? bound : formatSocketAddress({ host: bound.address, port: bound.port }),
    close: takeUpgrades(server, path, take),
  };
}

function upgradeTaker(settings: Settings, accept: (transport: Transport) => void): UpgradeHandler {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: settings.maxMessageBytes,
    ...PIECES,
    handleProtocols: () => USMP_SUBPROTOCOL,
  });
  return (request, socket, head) => {
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
    if (!offered?.includes(USMP_SUBPROTOCOL)) {
      return refuse(request, 400, `Expected the WebSocket subprotocol ${USMP_SUBPROTOCOL}.`);
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      accept(new WebSocketConnection(webSocket, socket, settings)),
    );
  };
}

/** @throws ConfigError `CONFIG_OPTION` that names the option */
function checkSettings(options: WebSocketListenOptions): Settings & (Required<SocketAddress> | ServerOption) {
  const { path = '/', scheduler = asyncScheduler } = checkOptions('websocket', options);
  return {
    path: checkPath(path),
    maxMessageBytes: checkInteger('maxMessageBytes', options.maxMessageBytes ?? 256 * 1024, 1, 2 ** 30),
    handshakeTimeoutMs: checkDurationMs('handshakeTimeoutMs', options.handshakeTimeoutMs ?? 10_000, 1),
    pingIntervalMs: checkDurationMs('pingIntervalMs', options.pingIntervalMs ?? 30_000, 1),
    scheduler,
    ...('server' in options ? { server: checkServer(options) } : checkSocketAddress(options)),
  };
}

function checkServer(options: ServerOption & Partial<SocketAddress>): HttpServer | HttpsServer {
  const { server, port } = options;
  if (typeof (server as Partial<HttpServer> | undefined)?.address !== 'function' || port !== undefined) {
    throw new ConfigError('CONFIG_OPTION', 'websocket: expected either a port or a server of node:http or node:https');
  }
  return server;
}

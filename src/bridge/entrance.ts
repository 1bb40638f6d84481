import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { BoundAddress } from '../server/listening.js';
import { formatSocketAddress } from '../transport/socket-address.js';
import { openPort, PIECES, refuse, takeUpgrades, type UpgradeHandler } from '../transport/websocket-port.js';
import type { BridgeSettings } from './bridge-options.js';
import { BRIDGE_SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from './protocol.js';

/** A WebSocket that is open, and nothing has been said on it. */
export interface Arrival {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  /** `address:port` */
  readonly remoteAddress: string;
  /** What stood in the subprotocol header. */
  readonly token: Uint8Array | undefined;
}

/** Why a request became no WebSocket. */
export type EntranceRefusal =
  /** The page comes from another origin. */
  | 'origin'
  /** It does not offer the subprotocol of the bridge. */
  | 'subprotocol'
  /** There are too many connections. */
  | 'full';

interface EntranceOptions {
  readonly settings: BridgeSettings;
  readonly isFull: () => boolean;
  readonly onArrival: (arrival: Arrival) => void;
  readonly onRefused: (reason: EntranceRefusal, remoteAddress: string) => void;
}

const REFUSALS: Readonly<Record<EntranceRefusal, readonly [status: 400 | 403 | 503, text: string]>> = {
  origin: [403, 'Pages of this origin may not connect.'],
  subprotocol: [400, `Expected the WebSocket subprotocol ${BRIDGE_SUBPROTOCOL}.`],
  full: [503, 'There are too many connections.'],
};
/** A dashboard that vanished without a word is noticed by probes from this much silence on. */
const TCP_KEEPALIVE_MS = 30_000;

/** Where WebSockets come in: at a path of a server that is there already, or of one of its own. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #webSockets: WebSocketServer;
  #shut = (): void => {};

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.settings.maxPayloadBytes,
      ...PIECES,
      handleProtocols: () => BRIDGE_SUBPROTOCOL,
    });
  }

  /** Resolves with the bound address, if it is one of its own. @throws ConfigError `CONFIG_ADDRESS` */
  async listen(): Promise<BoundAddress | undefined> {
    const { place, path, authTimeoutMs, scheduler } = this.#options.settings;
    const take: UpgradeHandler = (...upgrade) => this.#upgrade(...upgrade);
    if (!('port' in place)) {
      this.#shut = takeUpgrades(place, path, take);
      return undefined;
    }
    const { address, close } = await openPort({ ...place, path, handshakeTimeoutMs: authTimeoutMs, scheduler }, take);
    this.#shut = close;
    return new BoundAddress(address);
  }

  /** Lets nobody in from now on. */
  close(): void {
    this.#shut();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { settings, isFull, onArrival, onRefused } = this.#options;
    const { remoteAddress: host = '?', remotePort: port = 0 } = request.socket;
    const remoteAddress = formatSocketAddress({ host, port });
    const turnAway = (reason: EntranceRefusal): void => {
      refuse(request, ...REFUSALS[reason]);
      onRefused(reason, remoteAddress);
    };
    if (!settings.origins.admits(request.headers.origin, request.headers.host)) return turnAway('origin');
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!offered.includes(BRIDGE_SUBPROTOCOL)) return turnAway('subprotocol');
    if (isFull()) return turnAway('full');
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      request.socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      onArrival({ webSocket, socket, remoteAddress, token: tokenOf(offered) });
    });
  }
}

function tokenOf(offered: readonly string[]): Uint8Array | undefined {
  const name = offered.find((one) => one.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return name === undefined ? undefined : Buffer.from(name.slice(TOKEN_SUBPROTOCOL_PREFIX.length), 'base64url');
}

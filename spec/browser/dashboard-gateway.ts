import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from 'rxjs';
import { catchError, EMPTY, mergeMap } from 'rxjs';
import { bridge, type Bridge } from '../../src/bridge/index.js';
import { dashboardServer } from '../../src/gateway/dashboard-server.js';
import { UsmpServer } from '../../src/node.js';

export const READ_TOKEN = 'a token that may read';
export const COMMAND_TOKEN = 'a token that may send';
export const PSK = 'the PSK of the browser tests';

/** Builds the page into that directory. */
export function buildDashboard(directory: string): void {
  const vite = ['node_modules/vite/bin/vite.js', 'build', '--outDir', directory, '--logLevel', 'error'];
  execFileSync(process.execPath, vite, { stdio: 'inherit' });
}

/** A server, its bridge, and the dashboard on real sockets. */
export class DashboardGateway {
  readonly port: number;
  readonly httpPort: number;
  readonly #server: UsmpServer;
  readonly #bridge: Bridge;
  readonly #http: Server;
  readonly #reading: Subscription;

  private constructor(server: UsmpServer, port: number, http: Server, bridged: Bridge, reading: Subscription) {
    this.#server = server;
    this.port = port;
    this.#http = http;
    this.httpPort = (http.address() as AddressInfo).port;
    this.#bridge = bridged;
    this.#reading = reading;
  }

  /** At free ports, or at those of an earlier one. */
  static async start(
    directory: string,
    { port = 0, httpPort = 0 }: { readonly port?: number; readonly httpPort?: number } = {},
  ): Promise<DashboardGateway> {
    const server = new UsmpServer({ psk: PSK });
    const reading = server.sessions$
      .pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY))))
      .subscribe();
    const { tcp } = await server.listen({ tcp: { port } });
    const http = dashboardServer(directory).listen(httpPort, '127.0.0.1');
    await once(http, 'listening');
    const bridged = bridge(server, {
      server: http,
      tokens: [
        { token: READ_TOKEN, role: 'read' },
        { token: COMMAND_TOKEN, role: 'command' },
      ],
    });
    await bridged.listen();
    return new DashboardGateway(server, tcp.port, http, bridged, reading);
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}/`;
  }

  async stop(): Promise<void> {
    await this.#bridge.close();
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
    await this.#server.close({ graceMs: 500 });
    this.#reading.unsubscribe();
  }
}

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bridge } from '../bridge/index.js';
import { ConfigError } from '../protocol/index.js';
import type { UsmpServer } from '../server/server.js';
import { dashboardServer } from './dashboard-server.js';

/** Never beyond this machine: whoever has the link can command devices, and it travels in the clear. */
const HOST = '127.0.0.1';

export interface DashboardPlace {
  /** 0 takes a free one; where it is taken a free one is used. */
  readonly port: number;
  /** The built page. */
  readonly directory: string;
  /** Opens the bridge for everything. It is kept from run to run, so that an open page goes on after a restart. */
  readonly token: string;
}

export interface Dashboard {
  readonly loginLink: string;
  close(): Promise<void>;
}

/**
 * Serves the dashboard and its bridge.
 * @throws ConfigError `CONFIG_ADDRESS` where it can't listen
 */
export async function startDashboard(
  server: UsmpServer,
  { port, directory, token }: DashboardPlace,
): Promise<Dashboard> {
  const http = dashboardServer(directory);
  await listenSomewhere(http, port);
  const bridged = bridge(server, { server: http, tokens: [{ token, role: 'command' }] });
  await bridged.listen();
  return {
    loginLink: `http://${HOST}:${(http.address() as AddressInfo).port}/#token=${token}`,
    async close() {
      await bridged.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

async function listenSomewhere(http: Server, port: number): Promise<void> {
  try {
    await listen(http, port);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') return listen(http, 0);
    throw new ConfigError('CONFIG_ADDRESS', `could not listen on ${HOST}:${port}: ${String(cause)}`, { cause });
  }
}

const listen = (http: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, HOST, () => {
      http.off('error', reject);
      resolve();
    });
  });

import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { catchError, EMPTY, mergeMap, Subscription } from 'rxjs';
import { ConfigError } from '../protocol/errors.js';
import type { BoundAddress } from '../server/listening.js';
import { UsmpServer } from '../server/server.js';
import { tcpDialer } from '../transport/tcp.js';
import { udpDialer } from '../transport/udp.js';
import { startDashboard, type DashboardPlace } from './dashboard.js';
import { FLEET_NAMES, runFleet } from './fleet.js';
import { liveLines } from './live-lines.js';
import { readOrMakePsk, readOrMakeToken } from './own-secrets.js';
import { Summary } from './summary.js';

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  /** Where the PSK is kept. */
  readonly pskFile: string;
  /** Where the dashboard listens, on loopback; none without. */
  readonly dashboard?: Omit<DashboardPlace, 'token'> | undefined;
  /** Whether simulated devices connect. */
  readonly devices: boolean;
  /** Where lines go. */
  readonly print: (line: string) => void;
}

export interface Gateway {
  /** Under one port number, unless that was not to be had. */
  readonly addresses: Addresses;
  /** The dashboard's address with its token in the fragment, which no server sees and no log. */
  readonly loginLink?: string;
  /** Says BYE to every session and prints the summary. */
  stop(): Promise<void>;
}

interface Addresses {
  readonly tcp: BoundAddress;
  readonly udp: BoundAddress;
}

/** How long sessions may take to end. */
const GRACE_MS = 2_000;

/**
 * Starts the gateway, on another port where the wanted one is taken.
 * @throws ConfigError where the PSK file, that of the dashboard's token beside it or an address can't be used
 */
export async function startGateway({
  host,
  port,
  pskFile,
  devices,
  dashboard,
  print,
}: GatewayOptions): Promise<Gateway> {
  const { psk, isNew } = readOrMakePsk(pskFile);
  print(`PSK: ${isNew ? 'a new one, kept' : 'the one'} in ${pskFile}`);
  const pagePlace = dashboard && { ...dashboard, token: dashboardToken(pskFile) };

  const server = new UsmpServer({ psk });
  const summary = new Summary();
  const running = new Subscription();
  running.add(liveLines(server.events$, FLEET_NAMES).subscribe(print));
  running.add(server.events$.subscribe((event) => summary.record(event)));
  // Somebody has to consume: an inbox that is full stops its device.
  const messages$ = server.sessions$.pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY))));
  running.add(messages$.subscribe());

  const addresses = await listenSomewhere(server, host, port, print);
  print(`listening on ${addresses.tcp} (TCP) and ${addresses.udp} (UDP)`);
  const page = pagePlace && (await startDashboard(server, pagePlace).catch((error: unknown) => abandon(server, error)));
  if (page) print(`dashboard: ${page.loginLink}`);
  if (devices) {
    const dialers = { tcp: tcpDialer(reachable(addresses.tcp)), udp: udpDialer(reachable(addresses.udp)) };
    running.add(runFleet(dialers, psk).subscribe());
    print(`${FLEET_NAMES.size} simulated devices connect; Ctrl-C ends it`);
  } else {
    print(`waiting for devices; Ctrl-C ends it. Their firmware needs:\n${firmwareSettings(addresses, psk)}`);
  }

  return {
    addresses,
    ...(page && { loginLink: page.loginLink }),
    async stop() {
      await page?.close();
      await server.close({ graceMs: GRACE_MS });
      running.unsubscribe();
      print(`\n${summary.format(FLEET_NAMES)}`);
    },
  };
}

async function listenSomewhere(
  server: UsmpServer,
  host: string,
  port: number,
  print: GatewayOptions['print'],
): Promise<Addresses> {
  try {
    if (port !== 0) return await server.listen({ tcp: { host, port }, udp: { host, port } });
  } catch (error) {
    if (!isTaken(error)) throw error;
    print(`port ${port} is taken, so another one is used`);
  }
  const { tcp } = await server.listen({ tcp: { host, port: 0 } });
  try {
    return { tcp, ...(await server.listen({ udp: { host, port: tcp.port } })) };
  } catch (error) {
    if (!isTaken(error)) throw error;
    return { tcp, ...(await server.listen({ udp: { host, port: 0 } })) };
  }
}

function isTaken(error: unknown): boolean {
  const cause = error instanceof ConfigError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === 'EADDRINUSE';
}

/** Beside the PSK, and like it nobody else's to read. */
const dashboardToken = (pskFile: string): string => readOrMakeToken(join(dirname(pskFile), 'dashboard-token'));

/** What listens would keep a process going that could not start. */
async function abandon(server: UsmpServer, error: unknown): Promise<never> {
  await server.close({ graceMs: 0 });
  throw error;
}

/** Where this machine itself reaches a server that may listen on all of its addresses. */
function reachable({ host, port }: BoundAddress): { readonly host: string; readonly port: number } {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}

/** The one place where the PSK is printed, since somebody has to type it into the firmware. */
function firmwareSettings({ tcp, udp }: Addresses, psk: string): string {
  const { host, port } = tcp;
  const ports = udp.port === port ? `${port}, TCP or UDP` : `${port} for TCP, ${udp.port} for UDP`;
  const everywhere = host === '0.0.0.0' || host === '::';
  const hosts = everywhere ? ownAddresses() : [host];
  return `  host  ${hosts.join(' or ') || host}\n  port  ${ports}\n  PSK   ${psk}\n        (this text itself, not bytes that its digits might spell)`;
}

/** The IPv4 addresses at which other machines may reach this one. */
const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);

#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { UsmpError } from '../protocol/errors.js';
import { startGateway } from './gateway.js';

const DEFAULT_PORT = 9000;
const DEFAULT_DASHBOARD_PORT = 8080;
const LOOPBACK = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';

interface Arguments {
  readonly host?: string;
  readonly port: number;
  readonly pskFile: string;
  readonly devices: boolean;
  readonly dashboard: boolean;
  readonly dashboardPort: number;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a whole number from 0 to 65535');
}

const { host, devices, dashboard, dashboardPort, ...rest } = new Command('usmp-rx')
  .description('A USMP gateway: shows what devices do, live, and a summary at Ctrl-C.')
  .option('--port <number>', 'port for TCP and UDP; another one is used where it is taken', parsePort, DEFAULT_PORT)
  .option('--host <address>', `address to listen on; ${LOOPBACK} with simulated devices, all addresses without`)
  .option('--psk-file <path>', 'where the PSK is kept', '.usmp/psk')
  .option(
    '--dashboard-port <number>',
    'port of the dashboard, on this machine alone',
    parsePort,
    DEFAULT_DASHBOARD_PORT,
  )
  .option('--no-dashboard', 'serve no dashboard')
  .option('--no-devices', 'start no simulated devices; wait for real ones and print what their firmware needs')
  .parse()
  .opts<Arguments>();

// Who reads the output has seen enough, as in `npm start | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  const gateway = await startGateway({
    ...rest,
    devices,
    dashboard: dashboard
      ? { port: dashboardPort, directory: fileURLToPath(new URL('dashboard/', import.meta.url)) }
      : undefined,
    host: host ?? (devices ? LOOPBACK : EVERYWHERE),
    print: (line) => console.log(line),
  });
  // More than once: what a terminal sends to all of its processes, npm hands on as well.
  let stopped: Promise<void> | undefined;
  const stop = (): void => {
    stopped ??= gateway.stop();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
} catch (error) {
  if (!(error instanceof UsmpError)) throw error;
  console.error(`${error.message}. ${error.advice}`);
  process.exitCode = 1;
}

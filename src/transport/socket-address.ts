import { checkInteger, checkOptions, checkText } from '../protocol/check-option.js';
import { ConfigError, ConnectionClosedError } from '../protocol/errors.js';
import { formatPeerAddress } from './datagram.js';

/** Where a socket listens, or is reached. */
export interface SocketAddress {
  /** A name or an IP address; the default is this machine's loopback, `127.0.0.1`. */
  readonly host?: string;
  readonly port: number;
}

/**
 * An empty host would mean all addresses of the machine, and nobody asks for that by leaving a variable empty.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function checkSocketAddress(address: SocketAddress, minPort = 0): Required<SocketAddress> {
  const { host = '127.0.0.1', port } = checkOptions('address', address);
  return { host: checkText('host', host), port: checkInteger('port', port, minPort, 65_535) };
}

/** `host:port`, with an IPv6 address in brackets. */
export const formatSocketAddress = ({ host, port }: Required<SocketAddress>): string =>
  formatPeerAddress({ address: host, port });

/** @param where what was to be listened on */
export function listenError(where: string, cause: NodeJS.ErrnoException): ConfigError {
  const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
  return new ConfigError('CONFIG_ADDRESS', `could not listen on ${where}: ${reason}`, { cause });
}

/** @param where what was dialed */
export const connectError = (where: string, cause: Error): ConnectionClosedError =>
  new ConnectionClosedError('CONNECT_FAILED', `could not connect to ${where}: ${cause.message}`, { cause });

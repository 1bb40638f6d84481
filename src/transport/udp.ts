import type { Socket } from 'node:dgram';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { catchError, defer, Observable, switchMap, throwError } from 'rxjs';
import {
  formatPeerAddress,
  type DatagramDialer,
  type DatagramListener,
  type DatagramReceiver,
  type DatagramSocket,
  type DatagramTransport,
  type PeerAddress,
} from './datagram.js';
import {
  checkSocketAddress,
  connectError,
  formatSocketAddress,
  listenError,
  type SocketAddress,
} from './socket-address.js';
import { closeSocket, ignore, openSocket, plainBytes } from './udp-socket.js';
import { UdpTransport } from './udp-transport.js';

/** All peers of a server share its buffer, and while the program is busy it holds what they send. */
const SERVER_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export type UdpAddress = SocketAddress;

/**
 * Binds UDP sockets; port 0 takes a free one. `::` takes IPv4 too, and shows its peers as `::ffff:192.0.2.7`.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function udpListener(address: UdpAddress): DatagramListener {
  const { host, port } = checkSocketAddress(address);
  return {
    kind: 'udp',
    bind: async (receive) => {
      try {
        return new BoundSocket(await bound(await lookup(host), port), receive);
      } catch (cause) {
        throw listenError(`UDP ${formatSocketAddress({ host, port })}`, cause as Error);
      }
    },
  };
}

/**
 * Dials UDP. `CONNECT_FAILED` has Node's error as cause. A name with several addresses is dialed at each of them in turn, since
 * only a handshake shows which one answers.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function udpDialer(address: UdpAddress): DatagramDialer {
  const { host, port } = checkSocketAddress(address, 1);
  let dials = 0;
  return {
    kind: 'udp',
    dial: () =>
      defer(() => lookup(host, { all: true })).pipe(
        switchMap((addresses) => connected(addresses[dials++ % addresses.length]!, port)),
        catchError((cause: unknown) =>
          throwError(() => connectError(`UDP ${formatSocketAddress({ host, port })}`, cause as Error)),
        ),
      ),
  };
}

async function bound({ address, family }: LookupAddress, port: number): Promise<Socket> {
  const socket = openSocket(family);
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
    return socket;
  } catch (cause) {
    closeSocket(socket);
    throw cause;
  }
}

/** A socket that the kernel gives nothing but the datagrams of one peer. */
function connected({ address, family }: LookupAddress, port: number): Observable<DatagramTransport> {
  return new Observable((subscriber) => {
    const socket = openSocket(family);
    let handedOver = false;
    const onError = (cause: Error): void => subscriber.error(cause);
    socket.once('error', onError);
    socket.once('connect', () => {
      if (subscriber.closed) return;
      socket.off('error', onError);
      handedOver = true;
      subscriber.next(new UdpTransport(socket));
      subscriber.complete();
    });
    socket.connect(port, address);
    return () => {
      if (!handedOver) closeSocket(socket);
    };
  });
}

class BoundSocket implements DatagramSocket {
  readonly address: string;
  readonly #socket: Socket;

  constructor(socket: Socket, receive: DatagramReceiver) {
    this.#socket = socket;
    this.address = formatPeerAddress(socket.address());
    // One peer's trouble, or the network's, does not end the service for all.
    socket.on('error', ignore);
    socket.on('message', (message, { address, port }) => receive(plainBytes(message), { address, port }));
    try {
      socket.setRecvBufferSize(SERVER_RECEIVE_BUFFER_BYTES);
    } catch {
      // Linux gives as much as it may, some systems refuse what is above their limit.
    }
  }

  send(datagram: Uint8Array, { address, port }: PeerAddress): void {
    try {
      this.#socket.send(datagram, port, address, ignore);
    } catch {
      // The socket is closed, or the port is 0: a forged datagram may say that it comes from there.
    }
  }

  close(): void {
    closeSocket(this.#socket);
  }
}

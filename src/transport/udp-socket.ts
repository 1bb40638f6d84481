import { createSocket, type Socket } from 'node:dgram';

export const ignore = (): void => {};

/** A socket that takes IP addresses as they are, without a name server and the wait for one. */
export function openSocket(family: number): Socket {
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (address, _options, callback) => callback(null, address, family),
  });
}

/** May be called again. */
export function closeSocket(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It was closed before.
  }
}

/**
 * A Buffer is no plain Uint8Array: its slice() would not copy. Its memory may be kept, as Node allocates it for this datagram
 * alone and cuts it to size, unlike that of a Buffer of its pool.
 */
export const plainBytes = (message: Buffer): Uint8Array =>
  new Uint8Array(message.buffer, message.byteOffset, message.length);

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { deframer, frame } from './framing.mjs';
import { selfSigned } from './self-signed.mjs';

const HOST = '127.0.0.1';

/** Messages over a stream of node:net or node:tls. */
function connectionOn(socket, onMessage) {
  socket.setNoDelay(true);
  socket.on('data', deframer(onMessage));
  // A peer that breaks off shows as a message that does not come.
  socket.on('error', () => {});
  return {
    send: (message) => (socket.write(frame(message)) ? undefined : once(socket, 'drain')),
    async close() {
      socket.end();
      if (!socket.closed) await once(socket, 'close');
    },
  };
}

function accept(onMessage) {
  return (socket) => {
    const { send } = connectionOn(socket, (message) => onMessage(socket, send, message));
  };
}

async function listening(server) {
  server.on('tlsClientError', () => {});
  server.listen(0, HOST);
  await once(server, 'listening');
  return server.address().port;
}

/** @type {import('./index.mjs').Peer} */
export const tcp = {
  serve: async (onMessage) => ({ port: await listening(net.createServer(accept(onMessage))) }),
  async connect({ port }, { onMessage }) {
    const socket = net.connect({ host: HOST, port });
    await once(socket, 'connect');
    return connectionOn(socket, onMessage);
  },
};

/** @type {import('./index.mjs').Peer} */
export const tls13 = {
  async serve(onMessage) {
    const { key, cert } = selfSigned();
    const options = { key, cert, minVersion: 'TLSv1.3', handshakeTimeout: 120_000 };
    return { port: await listening(tls.createServer(options, accept(onMessage))), certificate: cert };
  },
  connect: ({ port, certificate }, options) =>
    connectTls({ port, ca: certificate, minVersion: 'TLSv1.3', checkServerIdentity: () => undefined }, options),
};

const psk = Buffer.from('a pre-shared key for measurement');
const pskOptions = { ciphers: 'PSK-AES256-GCM-SHA384', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };

/** @type {import('./index.mjs').Peer} */
export const tlsPsk = {
  async serve(onMessage) {
    const options = { ...pskOptions, pskCallback: () => psk, handshakeTimeout: 120_000 };
    return { port: await listening(tls.createServer(options, accept(onMessage))) };
  },
  connect({ port }, options) {
    const pskCallback = () => ({ psk, identity: 'device' });
    return connectTls({ port, ...pskOptions, pskCallback, checkServerIdentity: () => undefined }, options);
  },
};

async function connectTls(options, { onMessage }) {
  const socket = tls.connect({ host: HOST, ...options });
  await once(socket, 'secureConnect');
  return connectionOn(socket, onMessage);
}

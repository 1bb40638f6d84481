import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';
import { selfSigned } from './self-signed.mjs';

const HOST = '127.0.0.1';
/** `ws` never asks for a pause; its users watch how much waits. As much as a socket of Node takes before it asks. */
const PAUSE_FROM_BYTES = 16 * 1024;

function connectionOn(socket, onMessage) {
  socket.on('message', onMessage);
  socket.on('error', () => {});
  return {
    send(message) {
      if (socket.bufferedAmount < PAUSE_FROM_BYTES) return void socket.send(message);
      return new Promise((resolve) => socket.send(message, resolve));
    },
    async close() {
      socket.close();
      if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
    },
  };
}

/**
 * @param {{ secure: boolean }} options
 * @returns {import('./index.mjs').Peer}
 */
export const webSocket = ({ secure }) => ({
  async serve(onMessage) {
    const { key, cert } = secure ? selfSigned() : {};
    const server = secure ? https.createServer({ key, cert, minVersion: 'TLSv1.3' }) : http.createServer();
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
      const { send } = connectionOn(socket, (message) => onMessage(socket, send, message));
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    return { port: server.address().port, certificate: cert };
  },

  async connect({ port, certificate }, { onMessage }) {
    const socket = new WebSocket(`${secure ? 'wss' : 'ws'}://${HOST}:${port}`, {
      perMessageDeflate: false,
      ca: certificate,
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'open');
    return connectionOn(socket, onMessage);
  },
});

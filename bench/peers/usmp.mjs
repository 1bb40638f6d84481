import { nobleCrypto, nodeCrypto, UsmpClient, UsmpServer } from 'usmp-rx/node';
import { withoutAead } from '../no-aead.mjs';

const psk = 'a pre-shared key for measurements';
/** A sender of many messages awaits one `send` in so many bytes: what a socket of Node takes before it asks for a pause. */
const AWAIT_EVERY_BYTES = 16 * 1024;

const variants = {
  default: {},
  await: {},
  plain: { crypto: nodeCrypto },
  chacha: { suite: 'chacha20-poly1305' },
  noble: { crypto: nobleCrypto },
  'no-aead': { crypto: withoutAead(nodeCrypto) },
};

/** Loads come from one address and as fast as they can. */
const admission = {
  maxSessions: 20_000,
  maxUnauthenticated: 20_000,
  maxUnauthenticatedPerAddress: 20_000,
  maxHandshakesPerSecond: 1_000_000,
  handshakeTimeoutMs: 120_000,
};

/**
 * @param {keyof typeof variants} variant
 * @returns {import('./index.mjs').Peer}
 */
export function usmp(variant) {
  const options = variants[variant];
  const awaitEveryBytes = variant === 'await' ? 0 : AWAIT_EVERY_BYTES;

  return {
    async serve(onMessage) {
      const server = new UsmpServer({ psk, ...admission, ...options });
      server.sessions$.subscribe((session) => {
        const send = (message) => session.send(message);
        session.messages$.subscribe({ next: (message) => onMessage(session, send, message), error: () => {} });
      });
      const { tcp } = await server.listen({ tcp: { port: 0 } });
      return { port: tcp.port };
    },

    async connect({ port }, { index, onMessage }) {
      const deviceId = `02:00:${index.toString(16).padStart(8, '0').match(/../g).join(':')}`;
      const client = new UsmpClient({ port, deviceId, psk, ...options });
      const session = await client.connect();
      session.messages$.subscribe({ next: onMessage, error: () => {} });
      let sentBytes = 0;
      return {
        send(message) {
          const taken = session.send(message);
          sentBytes += message.length;
          if (sentBytes < awaitEveryBytes) return undefined;
          sentBytes = 0;
          return taken;
        },
        close: () => client.close(),
      };
    },
  };
}

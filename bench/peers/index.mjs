/**
 * What is compared. Each peer hides a protocol, as its users use it, behind the same few calls.
 *
 * @typedef {object} Connection
 * @property {(message: Uint8Array) => Promise<unknown> | undefined} send A promise where the protocol tells a user to wait.
 * @property {() => Promise<unknown>} close Resolves when the connection is closed on this side.
 *
 * @typedef {object} Address How a server is reached: a port of 127.0.0.1, and the certificate where it has one.
 * @property {number} port
 * @property {string} [certificate]
 *
 * @typedef {object} ConnectOptions
 * @property {number} index Makes the device id or client id.
 * @property {(message: Uint8Array) => void} onMessage
 *
 * @typedef {object} Peer
 * @property {(onMessage: (connection: object, send: Connection['send'], message: Uint8Array) => void) => Promise<Address>} serve
 *   `connection` is the same object for every message of one connection.
 * @property {(address: Address, options: ConnectOptions) => Promise<Connection>} connect Resolves when messages can be sent.
 */

const usmp = async (variant) => (await import('./usmp.mjs')).usmp(variant);
const stream = async (make) => make(await import('./stream.mjs'));
const mqtt = async (options) => (await import('./mqtt.mjs')).mqtt(options);
const webSocket = async (options) => (await import('./websocket.mjs')).webSocket(options);

/** A protocol is loaded where it is used, so that it costs no other peer memory. */
const loaders = {
  usmp: () => usmp('default'),
  'usmp-await': () => usmp('await'),
  'usmp-plain': () => usmp('plain'),
  'usmp-chacha': () => usmp('chacha'),
  'usmp-noble': () => usmp('noble'),
  'usmp-no-aead': () => usmp('no-aead'),
  tcp: () => stream(({ tcp }) => tcp),
  tls13: () => stream(({ tls13 }) => tls13),
  'tls-psk': () => stream(({ tlsPsk }) => tlsPsk),
  ws: () => webSocket({ secure: false }),
  wss: () => webSocket({ secure: true }),
  'mqtt-qos0': () => mqtt({ qos: 0, secure: false }),
  'mqtt-qos1': () => mqtt({ qos: 1, secure: false }),
  'mqtts-qos0': () => mqtt({ qos: 0, secure: true }),
  'mqtts-qos1': () => mqtt({ qos: 1, secure: true }),
};

export const PEERS = Object.keys(loaders);

/**
 * @param {string} name
 * @returns {Promise<Peer>}
 */
export const peerNamed = (name) => loaders[name]();

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import client from 'mqtt';
import { selfSigned } from './self-signed.mjs';

const HOST = '127.0.0.1';
/** Unacknowledged messages of QoS 1. */
const MAX_UNACKNOWLEDGED = 100;

/**
 * @param {{ qos: 0 | 1, secure: boolean }} options
 * @returns {import('./index.mjs').Peer}
 */
export const mqtt = ({ qos, secure }) => ({
  async serve(onMessage) {
    const broker = await Aedes.createBroker();
    const devices = new Map();
    const deviceOf = (topic) => {
      const id = topic.slice(topic.indexOf('/') + 1);
      if (!devices.has(id)) devices.set(id, { id });
      return devices.get(id);
    };
    await new Promise((resolve) => {
      const receive = ({ topic, payload }, done) => {
        const device = deviceOf(topic);
        const send = (message) =>
          void broker.publish({ cmd: 'publish', topic: `down/${device.id}`, payload: message, qos, retain: false });
        onMessage(device, send, payload);
        done();
      };
      broker.subscribe('up/#', receive, resolve);
    });
    const { key, cert } = secure ? selfSigned() : {};
    const accept = (socket) => {
      socket.setNoDelay(true);
      broker.handle(socket);
    };
    const server = secure ? tls.createServer({ key, cert, minVersion: 'TLSv1.3' }, accept) : net.createServer(accept);
    server.listen(0, HOST);
    await once(server, 'listening');
    return { port: server.address().port, certificate: cert };
  },

  async connect({ port, certificate }, { index, onMessage }) {
    const id = `device-${index}`;
    const device = await client.connectAsync({
      protocol: secure ? 'mqtts' : 'mqtt',
      host: HOST,
      port,
      clientId: id,
      reconnectPeriod: 0,
      ca: certificate,
      checkServerIdentity: () => undefined,
    });
    device.stream.setNoDelay(true);
    device.on('error', () => {});
    device.on('message', (_topic, payload) => onMessage(payload));
    await device.subscribeAsync(`down/${id}`, { qos });
    const topic = `up/${id}`;
    return { send: qos === 0 ? sendQos0(device, topic) : sendQos1(device, topic), close: () => device.endAsync() };
  },
});

/** The callback comes at once, unless the socket asks for a pause. */
const sendQos0 = (device, topic) => (message) => {
  let taken = false;
  let resolve;
  device.publish(topic, message, { qos: 0 }, () => {
    taken = true;
    resolve?.();
  });
  if (taken) return undefined;
  return new Promise((settle) => {
    resolve = settle;
  });
};

/** The callback comes with the acknowledgement. */
function sendQos1(device, topic) {
  let unacknowledged = 0;
  let resume;
  const acknowledged = () => {
    unacknowledged--;
    resume?.();
    resume = undefined;
  };
  return (message) => {
    unacknowledged++;
    device.publish(topic, message, { qos: 1 }, acknowledged);
    if (unacknowledged < MAX_UNACKNOWLEDGED) return undefined;
    return new Promise((resolve) => {
      resume = resolve;
    });
  };
}

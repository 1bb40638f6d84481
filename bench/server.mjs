/** The server of one peer, in a process of its own: node server.mjs <peer> */
import { argv } from 'node:process';
import { answer } from './answering.mjs';
import { eventLoopDelay } from './event-loop-delay.mjs';
import { memoryAfterCollection } from './memory-after-collection.mjs';
import { peerNamed } from './peers/index.mjs';
import { COUNT, ECHO } from './requests.mjs';

const peer = await peerNamed(argv[2]);
const counts = new WeakMap();

const address = await peer.serve((connection, send, message) => {
  const request = message[0];
  if (request === ECHO) return void send(message);
  const count = counts.get(connection) ?? 0;
  if (request !== COUNT) return void counts.set(connection, count + 1);
  counts.delete(connection);
  const reply = new Uint8Array(8);
  new DataView(reply.buffer).setFloat64(0, count);
  send(reply);
});

answer({
  address: () => address,
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: memoryAfterCollection,
  ...eventLoopDelay(),
});

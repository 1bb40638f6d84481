import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { sealedFrameBytes } from '../../src/protocol/sealed-frame.js';
import { BURST, type Stage } from './stage.js';

/** Takes what comes and throws it away. */
const SINK = `
  const server = require('node:net').createServer((socket) => socket.resume());
  server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));
`;

/** What it costs to hand frames to a TCP socket that another thread reads. */
export async function socketStages(bytes: number): Promise<Stage[]> {
  const sink = new Worker(SINK, { eval: true });
  const [port] = (await once(sink, 'message')) as [number];
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const frame = new Uint8Array(sealedFrameBytes(bytes));
  const burst = new Uint8Array(BURST * frame.length);
  const write = async (chunk: Uint8Array): Promise<void> => {
    if (!socket.write(chunk)) await once(socket, 'drain');
  };
  return [
    {
      name: 'socket.write of a frame',
      async run(messages) {
        for (let n = 0; n < messages; n++) await write(frame);
      },
    },
    {
      name: `socket.write of ${BURST} frames at once`,
      async run(messages) {
        for (let n = 0; n < messages; n += BURST) await write(burst);
      },
    },
  ];
}

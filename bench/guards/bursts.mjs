/** Writes and promises of a burst: node bench/guards/bursts.mjs. */
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { promiseHooks } from 'node:v8';
import { UsmpClient, UsmpServer } from 'usmp-rx/node';
import { check, atMost, never, report } from './guard.mjs';
import { startServer } from './pair.mjs';

const BURST = 64;
const PIECE_BYTES = 64 * 1024;
/** What a frame has beside the bytes of a message. */
const FRAME_BYTES = 40;

const message = (length) => new Uint8Array(length).fill(7);

function sendBurst(session, length, count) {
  const bytes = message(length);
  return Array.from({ length: count }, () => session.send(bytes));
}

/** Promises that `work` makes, in this turn of the event loop. */
function promisesMade(work) {
  let made = 0;
  const stop = promiseHooks.onInit(() => {
    made++;
  });
  work();
  stop();
  return made;
}

/** Calls of `write` of node:net for so many messages that are sent in one turn of the event loop. */
async function tcpWrites(length, count) {
  const psk = 'a pre-shared key for guards';
  const server = new UsmpServer({ psk });
  const { tcp } = await server.listen({ tcp: { port: 0 } });
  const client = new UsmpClient({ port: tcp.port, deviceId: '02:00:00:00:00:01', psk });
  const arrived = new Promise((resolve) => {
    let received = 0;
    server.sessions$.subscribe((session) => {
      session.messages$.subscribe(() => {
        if (++received === count) resolve();
      });
    });
  });
  const session = await client.connect();
  const { write } = Socket.prototype;
  let writes = 0;
  let written = 0;
  Socket.prototype.write = function (bytes, ...rest) {
    writes++;
    written += bytes.length;
    return write.call(this, bytes, ...rest);
  };
  sendBurst(session, length, count);
  await arrived;
  Socket.prototype.write = write;
  check(written === count * (length + FRAME_BYTES), `${written} bytes were written`);
  await client.close();
  await server.close();
  return writes;
}

const open = await startServer({});
const { clientSession, serverSession, serverEnd, clientEnd } = await open();
let answered = 0;
serverSession.messages$.subscribe((bytes) => {
  answered++;
  void serverSession.send(bytes);
});
let received = 0;
clientSession.messages$.subscribe(() => {
  received++;
});
// The first burst of all makes what stays.
await Promise.all(sendBurst(clientSession, 64, BURST));
while (received < BURST) await turn();
serverEnd.isHolding = true;
clientEnd.isHolding = true;

let promises;
const promisesOfSending = promisesMade(() => {
  promises = sendBurst(clientSession, 64, BURST);
});
await turn();
serverEnd.writes = 0;
const promisesOfAnswering = promisesMade(() => serverEnd.release());
await turn();
check(answered === 2 * BURST, `${answered} messages were answered`);
const promisesOfReceiving = promisesMade(() => clientEnd.release());
check(received === 2 * BURST, `${received} messages arrived`);

const LONG = 200;
const pieces = Math.ceil((LONG * (452 + FRAME_BYTES)) / PIECE_BYTES);
report([
  atMost(1, `writes to TCP for ${BURST} messages of 64 bytes sent together`, await tcpWrites(64, BURST)),
  atMost(1, `writes to TCP for ${BURST} messages of 452 bytes sent together`, await tcpWrites(452, BURST)),
  atMost(
    pieces,
    `writes to TCP of 64 KiB each for ${LONG} messages of 452 bytes sent together`,
    await tcpWrites(452, LONG),
  ),
  atMost(1, `writes for the answers to ${BURST} messages that came together`, serverEnd.writes),
  atMost(1, `different promises from \`send\` for ${BURST} messages sent together`, new Set(promises).size),
  atMost(2, `promises made for ${BURST} messages sent together`, promisesOfSending),
  atMost(2, `promises made for the answers to ${BURST} messages`, promisesOfAnswering),
  never(`promises made for ${BURST} messages received together`, promisesOfReceiving),
]);

/**
 * A quick measurement over real sockets on loopback, server and client in two processes, medians of five rounds.
 * Run it after a build: npm run bench:loopback, or npm run bench:loopback -- noble udp
 */
import { fork } from 'node:child_process';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { nobleCrypto, nodeCrypto, UsmpClient, UsmpServer } from 'usmp-rx/node';

const choices = argv.slice(2);
const crypto = choices.includes('noble') ? nobleCrypto : nodeCrypto;
const transport = choices.includes('udp') ? 'udp' : 'tcp';
/** The software cipher and stop-and-wait get less to do, so that a run stays short. */
const scale = (crypto === nobleCrypto ? 0.1 : 1) * (transport === 'udp' ? 0.1 : 1);
const ROUNDS = 5;
const psk = 'a pre-shared key for measurements';

if (choices.includes('server')) await serve();
else await measure();

/** Echoes what begins with 1; answers what begins with 2 with the number of messages so far. */
async function serve() {
  const server = new UsmpServer({ psk, crypto, maxHandshakesPerSecond: 1_000_000 });
  server.sessions$.subscribe((session) => {
    let count = 0;
    session.messages$.subscribe({
      next: (message) => {
        count++;
        if (message[0] === 1) void session.send(message);
        if (message[0] === 2) void session.send(String(count));
      },
      error: () => {},
    });
  });
  const { [transport]: bound } = await server.listen({ [transport]: { port: 0 } });
  process.send?.(bound.port);
  process.once('disconnect', () => exit());
}

async function measure() {
  const server = fork(fileURLToPath(import.meta.url), ['server', ...choices]);
  const port = await new Promise((resolve) => server.once('message', resolve));
  const connect = async (n) => {
    const deviceId = `00:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
    const client = new UsmpClient({ transport, port, deviceId, psk, crypto });
    return { client, session: await client.connect() };
  };
  const { client, session } = await connect(1);

  console.log(`${transport}, crypto: ${crypto.name}, Node ${process.version}`);
  await report('one way, 32 bytes', 'messages/s', () => oneWay(session, 32, 100_000 * scale));
  await report('one way, 452 bytes', 'messages/s', () => oneWay(session, 452, 100_000 * scale));
  await report('echo, 32 bytes', 'round trips/s', () => echo(session, 5_000 * scale));
  await report('connect, handshake, BYE', 'handshakes/s', () => handshakes(connect, 300 * scale));
  await client.close();
  server.disconnect();
}

/** Rounds of a job that returns how often it did its work; prints the median rate and the spread. */
async function report(name, unit, job) {
  const rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const count = await job();
    rates.push((count / (performance.now() - start)) * 1_000);
  }
  rates.sort((a, b) => a - b);
  const [lowest, median, highest] = [rates[0], rates[ROUNDS >> 1], rates[ROUNDS - 1]].map((rate) => Math.round(rate));
  console.log(`${name.padEnd(26)}${median.toLocaleString('en').padStart(10)} ${unit} (${lowest} to ${highest})`);
}

async function oneWay(session, bytes, count) {
  const message = new Uint8Array(bytes);
  for (let sent = 1; sent <= count; sent++) {
    const taken = session.send(message);
    if (sent % 64 === 0) await taken;
  }
  await session.send(Uint8Array.of(2));
  await session.recv();
  return count;
}

async function echo(session, count) {
  const message = new Uint8Array(32).fill(1);
  for (let n = 0; n < count; n++) {
    await session.send(message);
    await session.recv();
  }
  return count;
}

async function handshakes(connect, count) {
  for (let n = 0; n < count; n++) {
    const { client } = await connect(2);
    await client.close();
  }
  return count;
}

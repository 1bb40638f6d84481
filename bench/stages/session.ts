import { mergeMap } from 'rxjs';
import { nobleCrypto, nodeCrypto, UsmpClient, UsmpServer, type CryptoProvider } from '../../src/node.js';
import { memoryNetwork } from '../../src/testing/index.js';
import { withoutAead } from '../no-aead.mjs';
import { BURST, type Stage } from './stage.js';

const psk = 'a pre-shared key for measurements';
/** The longest path of all stages takes the longest to be compiled well. */
const WARM_UP_MS = 2_000;

/** From `send` to `messages$`, both ends, without sockets. */
export const sessionStages = (bytes: number): Promise<Stage[]> =>
  Promise.all([
    sessionStage('all of ours, both ends, no AEAD, no sockets', bytes, withoutAead(nodeCrypto)),
    sessionStage('all of it with noble, both ends, no sockets', bytes, nobleCrypto),
  ]);

async function sessionStage(name: string, bytes: number, crypto: CryptoProvider): Promise<Stage> {
  const network = memoryNetwork();
  const server = new UsmpServer({ psk, crypto });
  await server.listen({ listeners: [network.listener('gateway')] });
  let onBurst: () => void = () => {};
  let received = 0;
  server.sessions$.pipe(mergeMap(({ messages$ }) => messages$)).subscribe(() => {
    received++;
    if (received % BURST === 0) onBurst();
  });
  const transport = network.dialer('gateway');
  const client = new UsmpClient({ transport, deviceId: '02:00:00:00:00:01', psk, crypto });
  const session = await client.connect();
  const message = new Uint8Array(bytes);
  const run = async (messages: number): Promise<void> => {
    for (let sent = 0; sent < messages; sent += BURST) {
      const arrived = new Promise<void>((resolve) => {
        onBurst = resolve;
      });
      for (let n = 0; n < BURST; n++) void session.send(message);
      await arrived;
    }
  };
  for (const start = performance.now(); performance.now() - start < WARM_UP_MS; ) await run(BURST);
  return { name, run };
}

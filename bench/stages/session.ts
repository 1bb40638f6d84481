import { mergeMap } from 'rxjs';
import { nodeCrypto, UsmpClient, UsmpServer } from '../../src/node.js';
import { memoryNetwork } from '../../src/testing/index.js';
import { withoutAead } from '../no-aead.mjs';
import { BURST, type Stage } from './stage.js';

const crypto = withoutAead(nodeCrypto);
const psk = 'a pre-shared key for measurements';
const WARM_UP_MESSAGES = 1_000 * BURST;

/** Everything that is ours, both ends, without AEAD and without sockets: from `send` to `messages$`. */
export async function sessionStage(bytes: number): Promise<Stage> {
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
  // The longest path of all stages takes the longest to be compiled well.
  await run(WARM_UP_MESSAGES);
  return { name: 'all of ours, both ends, no AEAD, no sockets', run };
}

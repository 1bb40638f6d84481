import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../vectors.js';

const isLong = Boolean(process.env['CI'] || process.env['USMP_LONG']);
const loopMs = isLong ? 30_000 : 3_000;
/** What the child may take beyond its loop, for its start on a busy machine. */
const graceMs = 30_000;

/** A deadlock stops a whole process, so the loop has one of its own that can be killed. */
const loop = `
  import { nodeCrypto } from './src/crypto/node.ts';
  const end = Date.now() + ${loopMs};
  let handshakes = 0;
  while (Date.now() < end) {
    const client = nodeCrypto.generateKeyPair();
    const server = nodeCrypto.generateKeyPair();
    const shared = client.agree(server.publicKey);
    if (!nodeCrypto.equal(shared, server.agree(client.publicKey))) throw new Error('no agreement');
    nodeCrypto.keyPairFrom(shared);
    handshakes++;
  }
  console.log(handshakes);
`;

describe('the key exchange of the node provider', () => {
  it(
    `runs for ${loopMs / 1000} s without the deadlock of Node 20`,
    () => {
      const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', loop], {
        cwd: projectRoot,
        encoding: 'utf8',
        timeout: loopMs + graceMs,
        killSignal: 'SIGKILL',
      });
      const { signal, status } = child;
      expect({ signal, status, trouble: status === 0 ? '' : child.stderr }).toEqual({
        signal: null,
        status: 0,
        trouble: '',
      });
      expect(Number(child.stdout)).toBeGreaterThan(100);
    },
    loopMs + 2 * graceMs,
  );
});

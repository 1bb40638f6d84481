import { afterEach, describe, expect, it } from '@jest/globals';
import { concatBytes } from '../../src/protocol/index.js';
import type { TransportKind } from '../../src/transport/transport.js';
import { pattern } from '../protocol/pair.js';
import { Probe, probe } from './probe.js';

/** What a byte stream and a datagram transport have in common. */
interface AnyTransport {
  readonly kind: TransportKind;
  readonly remoteAddress: string;
  attach(sink: Probe): void;
  destroy(): void;
}

/** What the rest of a contract goes on with. */
interface Connecting<Left, Right> {
  /** Opens a pair that is destroyed after the test. */
  connect(): Promise<readonly [left: Left, right: Right]>;
  /** Resolves when whatever is under way has had time to arrive: after a round trip on another pair. */
  settle(): Promise<void>;
}

/** What every transport has to do; `open` makes two connected ends that nobody listens to yet. */
export function commonContract<Left extends AnyTransport, Right extends AnyTransport>(
  kind: TransportKind,
  open: () => Promise<readonly [left: Left, right: Right]>,
  send: (from: Left | Right, bytes: Uint8Array) => void,
): Connecting<Left, Right> {
  const opened: AnyTransport[] = [];

  async function connect(): Promise<readonly [left: Left, right: Right]> {
    const pair = await open();
    opened.push(...pair);
    return pair;
  }

  async function settle(): Promise<void> {
    const [left, right] = await connect();
    const [heardLeft, heardRight] = [probe(left), probe(right)];
    send(left, Uint8Array.of(1));
    await heardRight.received(1);
    send(right, Uint8Array.of(2));
    await heardLeft.received(1);
  }

  afterEach(() => {
    for (const transport of opened.splice(0)) transport.destroy();
  });

  describe('a transport', () => {
    it('names its kind and the address of its peer', async () => {
      const [left, right] = await connect();

      expect([left.kind, right.kind]).toEqual([kind, kind]);
      expect(left.remoteAddress).toMatch(/.+:.+/);
      expect(right.remoteAddress).toMatch(/.+:.+/);
      expect(left.remoteAddress).not.toBe(right.remoteAddress);
    });

    it('delivers arrays that are plain and the sink’s to keep', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      send(left, pattern(10, 1));
      await heard.received(10);
      for (let n = 0; n < 20; n++) send(left, pattern(1_000, 2));
      await heard.received(20_010);

      expect(heard.bytes.subarray(0, 10)).toEqual(pattern(10, 1));
      expect(heard.chunks.filter(({ constructor }) => constructor !== Uint8Array)).toEqual([]);
    });

    it('delivers nothing within the call that sends', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      send(left, Uint8Array.of(1));

      expect(heard.log).toEqual([]);
    });

    it('delivers to the sink that was attached last, also where one is attached within a delivery', async () => {
      const [left, right] = await connect();
      const first = new Probe();
      const second = new Probe();
      first.onData = () => right.attach(second);
      right.attach(first);
      send(left, pattern(10, 1));
      await first.received(1);
      send(left, pattern(10, 2));
      await second.until(() => first.length + second.length === 20);

      expect(first.log).toEqual(['data']);
      expect(concatBytes(first.bytes, second.bytes)).toEqual(concatBytes(pattern(10, 1), pattern(10, 2)));
    });

    it('that is destroyed delivers nothing more, not even its end', async () => {
      const [left, right] = await connect();
      const heard = probe(left);
      send(right, pattern(10, 1));
      left.destroy();
      await settle();

      expect(heard.log).toEqual([]);
    });

    it('that is destroyed within a delivery tells its sink nothing more', async () => {
      const [left, right] = await connect();
      const heard = new Probe();
      heard.onData = () => right.destroy();
      right.attach(heard);
      for (let n = 0; n < 20; n++) send(left, pattern(1_000, n));
      await heard.received(1);
      await settle();

      expect(heard.log).toEqual(['data']);
    });

    it('may be destroyed more than once, and used after', async () => {
      const [left] = await connect();
      const heard = probe(left);
      left.destroy();
      left.destroy();
      send(left, pattern(10, 1));
      await settle();
      left.destroy();

      expect(heard.log).toEqual([]);
    });
  });

  return { connect, settle };
}

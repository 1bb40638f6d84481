import { describe, expect, it } from '@jest/globals';
import { VirtualTime } from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import { concatBytes, decodeFrame, encodeAcknowledgement, encodeFrame, PacketType } from '../../src/protocol/index.js';
import { DatagramRouter } from '../../src/server/datagram-router.js';
import type { DatagramReceiver, DatagramTransport, PeerAddress } from '../../src/transport/datagram.js';
import { pattern } from '../protocol/pair.js';

const PEER: PeerAddress = { address: '192.0.2.1', port: 5_000 };
const OTHER: PeerAddress = { address: '192.0.2.1', port: 5_001 };
const HELLO_ACK = encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, 1));
const DATA = encodeFrame(PacketType.DATA, 0, pattern(40, 1));
const BYE = encodeFrame(PacketType.BYE, 1, pattern(28, 1));

interface Accepted {
  readonly transport: DatagramTransport;
  readonly heard: Uint8Array[];
  readonly ends: unknown[];
}

/** A router on a socket that is made of two arrays. */
async function listening() {
  let receive: DatagramReceiver = () => {};
  const sent: { readonly datagram: Uint8Array; readonly to: PeerAddress }[] = [];
  const dropped: string[] = [];
  const accepted: Accepted[] = [];
  let closed = 0;
  const router = new DatagramRouter({
    listener: {
      kind: 'udp',
      bind: (receiver) => {
        receive = receiver;
        return Promise.resolve({
          address: 'gateway:1',
          send: (datagram, to) => void sent.push({ datagram, to }),
          close: () => {
            closed++;
          },
        });
      },
    },
    crypto: nodeCrypto,
    scheduler: new VirtualTime(),
    retriesPerSecond: 100,
    onDropped: (reason) => dropped.push(reason),
  });
  let refuses = false;
  const address = await router.listen((transport) => {
    if (refuses) return transport.destroy();
    const heard: Uint8Array[] = [];
    const ends: unknown[] = [];
    transport.attach({ datagram: (datagram) => heard.push(datagram), end: (cause) => ends.push(cause) });
    accepted.push({ transport, heard, ends });
  });
  const deliver = (datagram: Uint8Array, from = PEER): void => receive(datagram, from);
  /** Both HELLOs of a client; returns the second one. */
  const hello = (key: number, from = PEER): Uint8Array => {
    const identity = concatBytes(pattern(6, 1), pattern(32, key));
    deliver(encodeFrame(PacketType.HELLO, 0, identity), from);
    const cookie = decodeFrame(sent.at(-1)?.datagram as Uint8Array).payload;
    const again = encodeFrame(PacketType.HELLO, 1, concatBytes(identity, cookie));
    deliver(again, from);
    return again;
  };
  return {
    router,
    address,
    sent,
    dropped,
    accepted,
    deliver,
    hello,
    refuse: () => (refuses = true),
    closes: () => closed,
  };
}

describe('a router of datagrams', () => {
  it('lets in who brings its cookie back, with that HELLO as its first datagram', async () => {
    const { address, accepted, hello, sent } = await listening();
    const opening = hello(1);

    expect(address).toBe('gateway:1');
    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.transport).toMatchObject({ kind: 'udp', remoteAddress: '192.0.2.1:5000' });
    expect(accepted[0]?.heard).toEqual([opening]);
    expect(sent.every(({ to }) => to === PEER)).toBe(true);
  });

  it('keeps nothing for HELLOs without a cookie', async () => {
    const { router, accepted, deliver, closes } = await listening();
    for (let key = 0; key < 50; key++) deliver(encodeFrame(PacketType.HELLO, 0, pattern(38, key)));
    await router.close();

    expect(accepted).toEqual([]);
    expect(closes()).toBe(1);
  });

  it('tells peers apart by address and port', async () => {
    const { accepted, deliver, hello } = await listening();
    hello(1, PEER);
    hello(2, OTHER);
    accepted.forEach(({ transport }) => transport.claim());
    deliver(DATA, OTHER);

    expect(accepted[0]?.heard).toHaveLength(1);
    expect(accepted[1]?.heard.at(-1)).toEqual(DATA);
  });

  it('gives frames of a handshake to the handshake, and those of a session to the session', async () => {
    const { accepted, deliver, hello, dropped } = await listening();
    hello(1);
    const [first] = accepted as [Accepted];
    deliver(DATA);
    deliver(HELLO_ACK);
    expect(first.heard.slice(1)).toEqual([HELLO_ACK]);
    expect(dropped).toEqual(['unknown-peer']);

    first.transport.claim();
    deliver(DATA);
    deliver(HELLO_ACK);
    expect(first.heard.slice(2)).toEqual([DATA, HELLO_ACK]);
  });

  it('gives a session and the handshake beside it the acknowledgements of handshake frames, of others the session alone', async () => {
    const { accepted, deliver, hello } = await listening();
    hello(1);
    accepted[0]?.transport.claim();
    hello(2);
    const ofHandshake = encodeAcknowledgement(PacketType.CHALLENGE, 0);
    const ofSession = concatBytes(encodeAcknowledgement(PacketType.DATA, 0), pattern(8, 1));
    deliver(ofHandshake);
    deliver(ofSession);

    expect(accepted[0]?.heard.slice(1)).toEqual([ofHandshake, ofSession]);
    expect(accepted[1]?.heard.slice(1)).toEqual([ofHandshake]);
  });

  it('repeats to a transport the HELLO that opened it, and opens no second one for it', async () => {
    const { accepted, deliver, hello } = await listening();
    const opening = hello(1);
    deliver(opening);
    accepted[0]?.transport.claim();
    deliver(opening);

    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.heard).toEqual([opening, opening, opening]);
  });
});

describe('a handshake from the address of a live session', () => {
  it('does not disturb the session until it is authenticated, and then takes its place', async () => {
    const { accepted, deliver, hello } = await listening();
    hello(1);
    accepted[0]?.transport.claim();
    hello(2);
    const [live, candidate] = accepted as [Accepted, Accepted];
    deliver(DATA);
    deliver(HELLO_ACK);
    expect(live.heard.slice(1)).toEqual([DATA]);
    expect(live.ends).toEqual([]);
    expect(candidate.heard.slice(1)).toEqual([HELLO_ACK]);

    candidate.transport.claim();
    deliver(DATA);
    expect(live.ends).toEqual([expect.objectContaining({ message: expect.stringMatching(/authenticated/) })]);
    expect(live.heard.slice(1)).toEqual([DATA]);
    expect(candidate.heard.slice(2)).toEqual([DATA]);
  });

  it('that fails leaves the session as it was', async () => {
    const { accepted, deliver, hello } = await listening();
    hello(1);
    accepted[0]?.transport.claim();
    hello(2);
    accepted[1]?.transport.destroy();
    deliver(DATA);

    expect(accepted[0]?.heard.at(-1)).toEqual(DATA);
    expect(accepted[0]?.ends).toEqual([]);
  });

  it('gives way to a later one: the peer has begun anew', async () => {
    const { accepted, deliver, hello } = await listening();
    hello(1);
    hello(2);
    deliver(HELLO_ACK);

    expect(accepted[0]?.ends).toHaveLength(1);
    expect(accepted[1]?.heard.at(-1)).toEqual(HELLO_ACK);
  });
});

describe('a handshake that is turned away', () => {
  it('leaves the one that its address has begun before', async () => {
    const { accepted, deliver, hello, refuse } = await listening();
    hello(1);
    refuse();
    hello(2);
    deliver(HELLO_ACK);

    expect(accepted[0]?.ends).toEqual([]);
    expect(accepted[0]?.heard.at(-1)).toEqual(HELLO_ACK);
  });
});

describe('a transport of a router', () => {
  it('that is closed sends and hears nothing, claims nothing, and is harmless', async () => {
    const { accepted, deliver, hello, sent, dropped } = await listening();
    hello(1);
    const [{ transport, heard, ends }] = accepted as [Accepted];
    transport.claim();
    transport.destroy();
    const before = sent.length;
    transport.destroy();
    transport.send(DATA);
    transport.claim();
    transport.retire(BYE, DATA);
    transport.attach({ datagram: (datagram) => heard.push(datagram), end: (cause) => ends.push(cause) });
    deliver(DATA);
    deliver(BYE);

    expect(sent).toHaveLength(before);
    expect(heard).toHaveLength(1);
    expect(ends).toEqual([]);
    expect(dropped).toEqual(['unknown-peer', 'unknown-peer']);
  });

  it('that is retired has its last datagram answered, and nothing else', async () => {
    const { accepted, deliver, hello, sent, dropped } = await listening();
    const answer = concatBytes(encodeAcknowledgement(PacketType.BYE, 1), pattern(8, 1));
    hello(1);
    accepted[0]?.transport.claim();
    accepted[0]?.transport.retire(BYE, answer);
    deliver(BYE);
    deliver(DATA);
    deliver(BYE, OTHER);

    expect(sent.at(-1)).toEqual({ datagram: answer, to: PEER });
    expect(dropped).toEqual(['unknown-peer', 'unknown-peer']);
  });
});

describe('a router that is closed', () => {
  it('accepts nothing more, lets sessions live on, and closes its socket behind the last', async () => {
    const { router, accepted, deliver, hello, closes } = await listening();
    hello(1);
    accepted[0]?.transport.claim();
    await router.close();
    deliver(encodeFrame(PacketType.HELLO, 0, pattern(38, 2)), OTHER);
    deliver(DATA);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.heard.at(-1)).toEqual(DATA);
    expect(closes()).toBe(0);

    accepted[0]?.transport.destroy();
    expect(closes()).toBe(1);
  });
});

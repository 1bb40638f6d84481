import { describe, expect, it } from '@jest/globals';
import { of, type Subscription } from 'rxjs';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  encodeFrame,
  PacketType,
  parseDeviceId,
  parsePsk,
  UsmpError,
  type CryptoProvider,
  type Secret,
} from '../../src/protocol/index.js';
import { runClientHandshake, runServerHandshake, type PskLookup } from '../../src/session/handshake.js';
import type { StreamHandshakeResult } from '../../src/session/stream/link.js';
import {
  faultyDialer,
  VirtualTime,
  withLowOrderKey,
  withWrongProof,
  type LineFaults,
} from '../../src/testing/index.js';
import { memoryTransportPair, type MemoryTransport } from '../../src/transport/memory.js';
import type { Transport } from '../../src/transport/transport.js';
import { probe } from '../transport/probe.js';

const PSK = parsePsk('0123456789abcdef');
const OTHER_PSK = parsePsk('fedcba9876543210');
const DEVICE_ID = parseDeviceId('00:11:22:33:44:55');
const TIMEOUT_MS = 10_000;

interface Conditions {
  readonly clientPsk?: Secret;
  readonly lookUp?: PskLookup;
  readonly clientCrypto?: CryptoProvider;
  readonly serverCrypto?: CryptoProvider;
  readonly clientFaults?: LineFaults;
  readonly serverFaults?: LineFaults;
  readonly latencyMs?: number;
  /** Leaves one side to the test. */
  readonly without?: 'client' | 'server';
}

/** How one side fared: `pending`, `established`, or the error. */
class Outcome {
  state = 'pending';
  error: UsmpError | undefined;
  result: StreamHandshakeResult | undefined;
  readonly peerErrors: number[] = [];
  subscription: Subscription | undefined;
}

function shakeHands(conditions: Conditions = {}) {
  const time = new VirtualTime();
  const [clientEnd, serverEnd] = memoryTransportPair({ scheduler: time, latencyMs: conditions.latencyMs ?? 0 });
  const faulty = (transport: Transport, faults: LineFaults | undefined): Transport => {
    if (!faults) return transport;
    let made = transport;
    faultyDialer({ kind: 'memory', dial: () => of(transport) }, { ...faults, scheduler: time })
      .dial()
      .subscribe((wrapped) => {
        made = wrapped;
      });
    return made;
  };
  const [client, server] = [new Outcome(), new Outcome()];
  const environment = (crypto: CryptoProvider | undefined, outcome: Outcome) => ({
    crypto: crypto ?? nodeCrypto,
    scheduler: time,
    timeoutMs: TIMEOUT_MS,
    onPeerError: (code: number) => outcome.peerErrors.push(code),
  });
  const observer = (outcome: Outcome) => ({
    next: (result: StreamHandshakeResult) => {
      outcome.state = 'established';
      outcome.result = result;
    },
    error: (error: unknown) => {
      outcome.state = (error as UsmpError).code;
      outcome.error = error as UsmpError;
    },
  });
  if (conditions.without !== 'server') {
    server.subscription = runServerHandshake(
      faulty(serverEnd, conditions.serverFaults),
      conditions.lookUp ?? (() => [PSK]),
      environment(conditions.serverCrypto, server),
    ).subscribe(observer(server));
  }
  if (conditions.without !== 'client') {
    client.subscription = runClientHandshake(
      faulty(clientEnd, conditions.clientFaults),
      DEVICE_ID,
      conditions.clientPsk ?? PSK,
      environment(conditions.clientCrypto, client),
    ).subscribe(observer(client));
  }
  return { time, client, server, clientEnd, serverEnd };
}

const areClosed = (...ends: readonly MemoryTransport[]): boolean => ends.every(({ closed }) => closed);

describe('a handshake', () => {
  it('comes to the same session on both sides, with keys that fit', async () => {
    const { time, client, server } = shakeHands({ latencyMs: 10 });
    await time.advance(39);
    expect([client.state, server.state]).toEqual(['pending', 'established']);
    await time.advance(1);

    expect(client.state).toBe('established');
    const [c, s] = [client.result?.established, server.result?.established];
    expect(c?.sessionId).toEqual(s?.sessionId);
    expect(s?.deviceId).toEqual(DEVICE_ID);
    expect(c?.keys.sending.expose()).toEqual(s?.keys.receiving.expose());
    expect(c?.keys.receiving.expose()).toEqual(s?.keys.sending.expose());
    expect([client.subscription?.closed, server.subscription?.closed]).toEqual([true, true]);
  });

  it.each([1, 7, 50])('works over a line that dribbles %p bytes a millisecond', async (pieceBytes) => {
    const faults = { pieceBytes, pieceIntervalMs: 1 };
    const { time, client, server } = shakeHands({ clientFaults: faults, serverFaults: faults });
    await time.advance(1_000);

    expect([client.state, server.state]).toEqual(['established', 'established']);
  });

  it('leaves the first frames of the session, which may come in the same bytes, in the decoder', async () => {
    const { time, client, clientEnd, serverEnd } = shakeHands({ without: 'server' });
    const environment = { crypto: nodeCrypto, scheduler: time, timeoutMs: TIMEOUT_MS };
    let waiting = 0;
    runServerHandshake(coalescing(serverEnd), () => [PSK], environment).subscribe(({ transport }) => {
      transport.write(new Uint8Array(encodeFrame(PacketType.DATA, 0, new Uint8Array(40))));
      waiting = 52;
    });
    await time.advance();

    expect(client.result?.decoder.bufferedBytes).toBe(waiting);
    expect(waiting).toBe(52);
    expect(clientEnd.closed).toBe(false);
  });

  it('reports ERROR of the peer, which proves nothing, and goes on', async () => {
    const { time, client, clientEnd, serverEnd } = shakeHands({ without: 'server' });
    serverEnd.write(encodeFrame(PacketType.ERROR, 0, Uint8Array.of(6, 1, 0)));
    await time.advance();

    expect(client.peerErrors).toEqual([6]);
    expect(client.state).toBe('pending');
    expect(clientEnd.closed).toBe(false);
  });
});

/** Holds the first write after CHALLENGE back until the next, so that both leave in the same bytes. */
function coalescing(transport: Transport): Transport {
  let writes = 0;
  let held = new Uint8Array(0);
  const write = (bytes: Uint8Array): boolean => {
    if (++writes === 1) return transport.write(bytes);
    held = Uint8Array.from([...held, ...bytes]);
    return writes === 2 || transport.write(held);
  };
  return {
    kind: transport.kind,
    remoteAddress: transport.remoteAddress,
    attach: (sink) => transport.attach(sink),
    write,
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end: () => transport.end(),
    destroy: () => transport.destroy(),
    reset: () => transport.reset(),
  };
}

describe('a handshake fails on both sides, and both close', () => {
  it.each<[string, Conditions, client: string, server: string]>([
    ['where the PSKs differ', { clientPsk: OTHER_PSK }, 'AUTH_REJECTED', 'AUTH_HMAC'],
    ['where the device is unknown', { lookUp: () => [] }, 'AUTH_REJECTED', 'AUTH_UNKNOWN_DEVICE'],
    [
      'where the client’s proof is wrong',
      { clientCrypto: withWrongProof(nodeCrypto, 'client') },
      'AUTH_REJECTED',
      'AUTH_HMAC',
    ],
    [
      'where the server’s proof is wrong',
      { serverCrypto: withWrongProof(nodeCrypto, 'server') },
      'AUTH_HMAC',
      'established',
    ],
    [
      'where the client’s key is a low-order point',
      { clientCrypto: withLowOrderKey(nodeCrypto) },
      'HANDSHAKE_INTERRUPTED',
      'CRYPTO_LOW_ORDER_POINT',
    ],
    [
      'where the server’s key is a low-order point',
      { serverCrypto: withLowOrderKey(nodeCrypto) },
      'CRYPTO_LOW_ORDER_POINT',
      'HANDSHAKE_INTERRUPTED',
    ],
    [
      'where the PSK lookup throws',
      {
        lookUp: () => {
          throw new Error('no database');
        },
      },
      'HANDSHAKE_INTERRUPTED',
      'PSK_LOOKUP_FAILED',
    ],
    [
      'where the PSK lookup rejects',
      { lookUp: () => Promise.reject(new Error('no database')) },
      'HANDSHAKE_INTERRUPTED',
      'PSK_LOOKUP_FAILED',
    ],
    [
      'where the PSK lookup takes too long',
      { lookUp: () => new Promise(() => {}) },
      'TIMEOUT_HANDSHAKE',
      'TIMEOUT_HANDSHAKE',
    ],
  ])('%s', async (_, conditions, clientCode, serverCode) => {
    const { time, client, server, clientEnd, serverEnd } = shakeHands(conditions);
    await time.advance(TIMEOUT_MS + 1_000);

    expect([client.state, server.state]).toEqual([clientCode, serverCode]);
    expect(clientEnd.closed).toBe(true);
    if (serverCode !== 'established') expect(areClosed(serverEnd)).toBe(true);
  });

  it('and a refusal for good is told by an orderly end, everything else by a broken connection', async () => {
    for (const [conditions, isOrderly] of [
      [{ lookUp: () => [OTHER_PSK] }, true],
      [{ lookUp: () => Promise.reject(new Error('no database')) }, false],
    ] as const) {
      const { time, clientEnd } = shakeHands({ ...conditions, without: 'client' });
      const heard = probe(clientEnd);
      clientEnd.write(
        encodeFrame(PacketType.HELLO, 0, Uint8Array.from([...DEVICE_ID, ...nodeCrypto.generateKeyPair().publicKey])),
      );
      await time.advance();
      clientEnd.write(encodeFrame(PacketType.HELLO_ACK, 2, new Uint8Array(32)));
      await time.advance();

      expect(heard.ends).toBe(1);
      expect(heard.cause === undefined).toBe(isOrderly);
    }
  });

  it('keeps what a lookup threw as cause, and a UsmpError of its own as it is', async () => {
    const cause = new Error('no database');
    const thrown = shakeHands({ lookUp: () => Promise.reject(cause) });
    const own = new UsmpError('HANDSHAKE_REFUSED', 'too many');
    const refused = shakeHands({ lookUp: () => Promise.reject(own) });
    await Promise.all([thrown.time.advance(), refused.time.advance()]);

    expect(thrown.server.error).toMatchObject({ code: 'PSK_LOOKUP_FAILED', origin: 'local', cause });
    expect(refused.server.error).toBe(own);
  });
});

describe('a lookup that answers', () => {
  it('later is waited for', async () => {
    let answer: (psks: readonly Secret[]) => void = () => {};
    const { time, client, server } = shakeHands({
      lookUp: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    await time.advance(5_000);
    expect([client.state, server.state]).toEqual(['pending', 'pending']);
    answer([OTHER_PSK, PSK]);
    await time.advance();

    expect([client.state, server.state]).toEqual(['established', 'established']);
  });

  it('too late, or after the client has gone, is ignored', async () => {
    let answer: (psks: readonly Secret[]) => void = () => {};
    const { time, server, clientEnd } = shakeHands({
      lookUp: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    await time.advance();
    clientEnd.cut();
    await time.advance();
    expect(server.state).toBe('HANDSHAKE_INTERRUPTED');
    answer([PSK]);
    await time.advance();

    expect(server.state).toBe('HANDSHAKE_INTERRUPTED');
  });
});

describe('a peer', () => {
  it('that says nothing is given up after the time limit, on either side', async () => {
    for (const without of ['client', 'server'] as const) {
      const { time, client, server, clientEnd, serverEnd } = shakeHands({ without });
      const [own, end] = without === 'client' ? [server, serverEnd] : [client, clientEnd];
      await time.advance(TIMEOUT_MS - 1);
      expect(own.state).toBe('pending');
      await time.advance(1_001);

      expect(own.state).toBe('TIMEOUT_HANDSHAKE');
      expect(end.closed).toBe(true);
    }
  });

  it('that dribbles longer than the limit is given up: bytes do not start it anew', async () => {
    const { time, server } = shakeHands({ clientFaults: { pieceBytes: 1, pieceIntervalMs: 250 } });
    await time.advance(TIMEOUT_MS);

    expect(server.state).toBe('TIMEOUT_HANDSHAKE');
  });

  it('that is cut off at any byte that it sends leaves a typed error on both sides, and both close', async () => {
    // HELLO is 50 bytes and HELLO_ACK 44; CHALLENGE is 76 and SESSION_OK 60.
    const [clientBytes, serverBytes] = [50 + 44, 76 + 60];
    for (let cutAfterBytes = 0; cutAfterBytes < clientBytes; cutAfterBytes++) {
      const { time, client, server, clientEnd, serverEnd } = shakeHands({ clientFaults: { cutAfterBytes } });
      await time.advance(1_000);
      expect([cutAfterBytes, client.state, server.state]).toEqual([
        cutAfterBytes,
        'HANDSHAKE_INTERRUPTED',
        'HANDSHAKE_INTERRUPTED',
      ]);
      expect(areClosed(clientEnd, serverEnd)).toBe(true);
    }
    for (let cutAfterBytes = 0; cutAfterBytes < serverBytes; cutAfterBytes++) {
      const { time, client, clientEnd } = shakeHands({ serverFaults: { cutAfterBytes } });
      await time.advance(1_000);
      expect(client.error).toBeInstanceOf(UsmpError);
      expect(clientEnd.closed).toBe(true);
    }
  });

  it.each<[string, Uint8Array, string]>([
    ['another protocol', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 'FRAME_MAGIC'],
    ['another version', Uint8Array.of(0xcd, 0xab, 1), 'FRAME_VERSION'],
    ['a wrong CRC', encodeFrame(PacketType.HELLO, 0, new Uint8Array(38)).fill(0, 10, 12), 'FRAME_CRC'],
    ['a HELLO that is too short', encodeFrame(PacketType.HELLO, 0, new Uint8Array(37)), 'HANDSHAKE_PAYLOAD_LENGTH'],
    ['a HELLO that is too long', encodeFrame(PacketType.HELLO, 0, new Uint8Array(39)), 'HANDSHAKE_PAYLOAD_LENGTH'],
    ['the wrong frame', encodeFrame(PacketType.HELLO_ACK, 0, new Uint8Array(32)), 'HANDSHAKE_UNEXPECTED_FRAME'],
    ['data', encodeFrame(PacketType.DATA, 0, new Uint8Array(40)), 'HANDSHAKE_UNEXPECTED_FRAME'],
  ])('that begins with %s gets a typed error, whole or byte by byte', async (_, bytes, code) => {
    for (const pieceBytes of [bytes.length, 1]) {
      const { time, server, clientEnd, serverEnd } = shakeHands({ without: 'client' });
      for (let at = 0; at < bytes.length; at += pieceBytes) clientEnd.write(bytes.subarray(at, at + pieceBytes));
      await time.advance();

      expect(server.state).toBe(code);
      expect(serverEnd.closed).toBe(true);
    }
  });

  it('that sends two HELLOs gets HANDSHAKE_UNEXPECTED_FRAME, also while its PSK is looked up', async () => {
    const { time, server, clientEnd } = shakeHands({ without: 'client', lookUp: () => new Promise(() => {}) });
    const hello = encodeFrame(
      PacketType.HELLO,
      0,
      Uint8Array.from([...DEVICE_ID, ...nodeCrypto.generateKeyPair().publicKey]),
    );
    clientEnd.write(hello);
    clientEnd.write(hello);
    await time.advance();

    expect(server.state).toBe('HANDSHAKE_UNEXPECTED_FRAME');
  });
});

describe('unsubscribing', () => {
  it('before the end gives the attempt up and closes the connection', async () => {
    const { time, client, server, clientEnd, serverEnd } = shakeHands({ latencyMs: 10 });
    await time.advance(15);
    client.subscription?.unsubscribe();
    await time.advance(1_010);

    expect(client.state).toBe('pending');
    expect(server.state).toBe('HANDSHAKE_INTERRUPTED');
    expect(areClosed(clientEnd, serverEnd)).toBe(true);
  });

  it('after the end changes nothing', async () => {
    const { time, client, server, clientEnd, serverEnd } = shakeHands();
    await time.advance();
    client.subscription?.unsubscribe();
    server.subscription?.unsubscribe();
    await time.advance(TIMEOUT_MS);

    expect([clientEnd.closed, serverEnd.closed]).toEqual([false, false]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, mergeMap } from 'rxjs';
import {
  faultyDialer,
  memoryNetwork,
  SimulatedDevice,
  SimulatedGateway,
  testEnvironment,
  text,
  withLowOrderKey,
  withWrongProof,
  type SimulatedDeviceOptions,
  type SimulatedGatewayOptions,
  type SimulatedPeer,
} from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import type { MemoryLinkOptions } from '../../src/transport/memory.js';
import { tcpDialer, tcpListener } from '../../src/transport/tcp.js';
import { watch } from '../session/marbles.js';

const PSK = '0123456789abcdef';
const DEVICE_ID = '00:11:22:33:44:55';
const { DATA, DATA_FRAG, PING, PONG, BYE, REKEY } = PacketType;

interface Setting {
  readonly device?: Partial<SimulatedDeviceOptions>;
  readonly gateway?: Partial<SimulatedGatewayOptions>;
  readonly link?: MemoryLinkOptions;
}

/** A simulated device and a simulated gateway on one network. */
function setting({ device: deviceOptions, gateway: gatewayOptions, link }: Setting = {}) {
  const environment = testEnvironment({ provider: nodeCrypto });
  const time = environment.scheduler;
  const network = memoryNetwork({ ...link, scheduler: time });
  const gateway = new SimulatedGateway({
    ...environment,
    listener: network.listener('gateway'),
    psk: PSK,
    ...gatewayOptions,
  });
  void gateway.listen();
  const device = new SimulatedDevice({
    ...environment,
    dialer: network.dialer('gateway'),
    deviceId: DEVICE_ID,
    psk: PSK,
    ...deviceOptions,
  });
  return { time, network, gateway, device };
}

async function connected(options?: Setting) {
  const made = setting(options);
  void made.device.connect();
  await made.time.advance(1_000);
  const peer = made.gateway.latest;
  if (!peer) throw new Error('nothing was accepted');
  return { ...made, peer };
}

function typesOf(peer: SimulatedPeer): number[] {
  const types: number[] = [];
  peer.frames$.subscribe(({ type }) => types.push(type));
  return types;
}

function endsOf(peer: SimulatedPeer): (string | undefined)[] {
  const ends: (string | undefined)[] = [];
  peer.ends$.subscribe(({ origin, error }) => ends.push(error?.code ?? `${origin} without error`));
  return ends;
}

describe('a simulated device', () => {
  it('connects, and both sides show the same session', async () => {
    const { time, device, gateway } = setting({ link: { latencyMs: 10 } });
    const states: string[] = [];
    device.state$.subscribe((state) => states.push(`${state} at ${time.now()}`));
    const connecting = watch(device.connect());
    await time.advance(60);

    expect(connecting.state()).toBe('resolved');
    expect(states).toEqual(['idle at 0', 'connecting at 0', 'open at 60']);
    expect(device.sessionId).toMatch(/^[0-9a-f]{32}$/);
    expect([gateway.latest?.deviceId, gateway.latest?.sessionId]).toEqual([DEVICE_ID, device.sessionId]);
  });

  it('talks in messages of any length in both directions', async () => {
    const { time, device, peer } = await connected({ link: { chunkBytes: 100 } });
    const received: number[] = [];
    peer.messages$.subscribe((message) => received.push(message.length));
    device.messages$.subscribe((message) => received.push(-message.length));
    for (const length of [0, 1, 452, 453, 1_808]) {
      device.send(new Uint8Array(length));
      peer.send(new Uint8Array(length + 1 > 1_808 ? length : length + 1));
    }
    await time.advance();

    expect(received.filter((length) => length >= 0)).toEqual(expect.arrayContaining([0, 1, 452, 453, 1_808]));
    expect(received.filter((length) => length < 0)).toEqual([-1, -2, -453, -454, -1_808]);
  });

  it('refuses a message that is too long', async () => {
    const { device } = await connected();

    expect(() => device.send(new Uint8Array(1_809))).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
  });

  it('answers PING, unless it is told not to', async () => {
    for (const answersPings of [true, false]) {
      const { time, peer } = await connected({ device: { answersPings } });
      const heard = typesOf(peer);
      peer.ping();
      await time.advance();

      expect(heard).toEqual(answersPings ? [PONG] : []);
    }
  });

  it('sends PING when it has sent nothing for keepaliveMs', async () => {
    const { time, device, peer } = await connected({ device: { keepaliveMs: 15_000 } });
    const heard = typesOf(peer);
    await time.advance(13_999);
    device.send('x');
    await time.advance(14_999);
    expect(heard).toEqual([DATA]);
    await time.advance(1);
    expect(heard).toEqual([DATA, PING]);
    await time.advance(30_000);
    expect(heard).toEqual([DATA, PING, PING, PING]);
    device.bye();
    await time.advance(60_000);
    expect(heard.at(-1)).toBe(BYE);
    expect(heard).toHaveLength(5);
  });

  it('says BYE, comes back, and its observables go on', async () => {
    const { time, device, gateway, peer } = await connected();
    const [deviceEnds, peerEnds] = [endsOf(device), endsOf(peer)];
    const messages: string[] = [];
    device.messages$.subscribe((message) => messages.push(text(message)));
    peer.send('before');
    await time.advance();
    device.bye();
    await time.advance();
    expect([device.state, peer.state]).toEqual(['closed', 'closed']);
    expect([deviceEnds, peerEnds]).toEqual([['local without error'], ['remote without error']]);

    void device.connect();
    await time.advance();
    gateway.latest?.send('after');
    await time.advance();
    expect(device.state).toBe('open');
    expect(gateway.latest).not.toBe(peer);
    expect(messages).toEqual(['before', 'after']);
  });

  it('ends without BYE, is cut off, and hears of both from the other side', async () => {
    for (const [end, ends] of [
      [(device: SimulatedPeer) => device.end(), ['CLOSED_WITHOUT_BYE']],
      [(device: SimulatedPeer) => device.cut(new Error('a storm')), ['CLOSED_WITHOUT_BYE']],
    ] as const) {
      const { time, device, peer } = await connected();
      const [deviceEnds, peerEnds] = [endsOf(device), endsOf(peer)];
      end(device);
      await time.advance();

      expect(deviceEnds).toEqual(['local without error']);
      expect(peerEnds).toEqual(ends);
    }
  });

  it('stops reading and reads on', async () => {
    const { time, device, peer } = await connected();
    const messages: string[] = [];
    device.messages$.subscribe((message) => messages.push(text(message)));
    device.stopReading();
    peer.send('a');
    await time.advance(10_000);
    expect(messages).toEqual([]);
    device.resumeReading();
    await time.advance();

    expect(messages).toEqual(['a']);
  });

  it('reports why it could not connect, by its promise and by ends$', async () => {
    for (const [options, code] of [
      [{ psk: 'another PSK that is wrong' }, 'AUTH_REJECTED'],
      [{ crypto: withWrongProof(nodeCrypto, 'client') }, 'AUTH_REJECTED'],
      [{ crypto: withLowOrderKey(nodeCrypto) }, 'HANDSHAKE_INTERRUPTED'],
    ] as const) {
      const { time, device } = setting({ device: options });
      const ends = endsOf(device);
      const connecting = watch(device.connect());
      await time.advance();

      expect(connecting.state()).toBe(`rejected ${code}`);
      expect(ends).toEqual([code]);
      expect(device.state).toBe('closed');
    }
  });

  it('gives up an attempt that is cut, at any stage', async () => {
    for (const afterMs of [0, 5, 25, 35]) {
      const { time, device } = setting({ link: { latencyMs: 10 } });
      const ends = endsOf(device);
      const connecting = watch(device.connect());
      await time.advance(afterMs);
      device.cut();
      await time.advance(20_000);

      expect(connecting.state()).toBe('rejected WRONG_STATE');
      expect(ends).toEqual(['local without error']);
      expect(device.state).toBe('closed');
    }
  });

  it('refuses what needs a session while there is none, and a second connection', async () => {
    const { time, device } = setting();
    for (const call of [
      () => device.send('x'),
      () => device.ping(),
      () => device.bye(),
      () => device.rekey(),
      () => device.sendFrame({ type: DATA }),
      () => device.sendRaw(new Uint8Array(1)),
      () => device.sessionId,
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: 'InvalidStateError', code: 'WRONG_STATE' }));
    }
    void device.connect();
    const second = watch(device.connect());
    await time.advance();
    const third = watch(device.connect());
    await time.advance();

    expect([second.state(), third.state()]).toEqual(['rejected WRONG_STATE', 'rejected WRONG_STATE']);
    expect(device.state).toBe('open');
  });

  it('refuses options that cannot work', () => {
    expect(() => setting({ device: { psk: 'short' } })).toThrow(expect.objectContaining({ code: 'CONFIG_PSK' }));
    expect(() => setting({ device: { deviceId: '00:11' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_DEVICE_ID' }),
    );
    expect(() => setting({ gateway: { psk: 'short' } })).toThrow(expect.objectContaining({ code: 'CONFIG_PSK' }));
  });

  it('connects without a handshake, and then says and hears bytes', async () => {
    const { time, device, gateway } = setting();
    const heard: number[] = [];
    device.bytes$.subscribe((bytes) => heard.push(bytes.length));
    const connecting = watch(device.connectRaw());
    await time.advance();
    const ends = endsOf(gateway.latest!);
    device.sendRaw(encodeFrame(PacketType.HELLO, 0, new Uint8Array(38).fill(9)));
    await time.advance();
    expect(connecting.state()).toBe('resolved');
    expect(heard).toEqual([76]);
    device.sendRaw(encodeFrame(PacketType.HELLO_ACK, 2, new Uint8Array(32)));
    await time.advance();

    expect(ends).toEqual(['AUTH_HMAC']);
    expect(device.state).toBe('closed');
  });
});

describe('a simulated peer', () => {
  it('loses frames in flight when it starts a rekeying as fielded ones do, and none with switchKeysAtOnce: false', async () => {
    for (const [switchKeysAtOnce, ends] of [
      [true, ['CRYPTO_TAG']],
      [false, []],
    ] as const) {
      const { time, device, peer } = await connected({ device: { switchKeysAtOnce }, link: { latencyMs: 10 } });
      const deviceEnds = endsOf(device);
      const messages: string[] = [];
      device.messages$.subscribe((message) => messages.push(text(message)));
      device.rekey();
      peer.send('in flight');
      await time.advance(20);
      if (!switchKeysAtOnce) peer.send('after');
      await time.advance(20);

      expect(deviceEnds).toEqual(ends);
      expect(messages).toEqual(switchKeysAtOnce ? [] : ['in flight', 'after']);
    }
  });

  it('goes on under new keys and new numbers when the other side rekeys', async () => {
    const { time, device, peer } = await connected();
    const messages: string[] = [];
    for (const one of [device, peer]) one.messages$.subscribe((message) => messages.push(text(message)));
    for (let n = 0; n < 3; n++) {
      peer.rekey();
      await time.advance();
      device.send(`d${n}`);
      peer.send(`p${n}`);
      await time.advance();
    }

    expect(messages.sort()).toEqual(['d0', 'd1', 'd2', 'p0', 'p1', 'p2']);
    expect([device.nextSeq, peer.nextSeq]).toEqual([2, 2]);
  });

  it('forges frames with any type, number, nonce and tag, and counts right on', async () => {
    const { time, device, peer } = await connected();
    const heard = typesOf(peer);
    device.sendFrame({ type: DATA_FRAG, plaintext: new Uint8Array(3) });
    device.sendFrame({ type: DATA });
    device.sendFrame({ type: PONG });
    device.send('x');
    await time.advance();
    expect(heard).toEqual([DATA_FRAG, DATA, PONG, DATA]);

    const ends = endsOf(peer);
    const frame = device.forge({ type: DATA, seq: 3 });
    expect(device.nextSeq).toBe(4);
    device.sendRaw(frame);
    await time.advance();
    expect(ends).toEqual(['SEQ_UNEXPECTED']);
  });

  it('ends its connection when the other side breaks a rule, and reports which', async () => {
    for (const [breakRule, code] of [
      [(device: SimulatedPeer) => device.sendFrame({ type: DATA, corruptTag: true }), 'CRYPTO_TAG'],
      [(device: SimulatedPeer) => device.sendRaw(new Uint8Array(12)), 'FRAME_MAGIC'],
      [
        (device: SimulatedPeer) => device.sendRaw(encodeFrame(PacketType.HELLO, 0, new Uint8Array(38))),
        'SEQ_UNEXPECTED',
      ],
      [(device: SimulatedPeer) => Array.from({ length: 9 }, () => device.ping()), 'CONTROL_FLOOD'],
    ] as const) {
      const { time, device, peer } = await connected();
      const ends = endsOf(peer);
      breakRule(device);
      await time.advance();

      expect(ends).toEqual([code]);
      expect(device.state).toBe('closed');
    }
  });

  it('passes ERROR over', async () => {
    const { time, device, peer } = await connected();
    const heard = typesOf(peer);
    device.sendRaw(encodeFrame(PacketType.ERROR, 0, Uint8Array.of(1, 0, 0)));
    device.ping();
    await time.advance();

    expect(heard).toEqual([PING]);
  });

  it('may be told anything by a handler of its observables', async () => {
    const { time, device, peer } = await connected();
    const heard = typesOf(device);
    peer.messages$.subscribe((message) => {
      peer.send(message);
      peer.bye();
    });
    device.send('a');
    device.send('b');
    await time.advance();

    expect(heard).toEqual([DATA, BYE]);
    expect([device.state, peer.state]).toEqual(['closed', 'closed']);
  });

  it('works on TCP as well, where a dribbling line is one too', async () => {
    const listener = tcpListener({ port: 0 });
    const gateway = new SimulatedGateway({ listener, psk: PSK, crypto: nodeCrypto });
    const address = await gateway.listen();
    const dialer = tcpDialer({ port: Number(address.split(':').at(-1)) });
    const device = new SimulatedDevice({
      dialer: faultyDialer(dialer, { pieceBytes: 5, pieceIntervalMs: 0 }),
      deviceId: DEVICE_ID,
      psk: PSK,
      crypto: nodeCrypto,
    });
    await device.connect();
    const peer = gateway.latest!;
    const received = firstValueFrom(peer.messages$);
    device.send(new Uint8Array(500));
    expect((await received).length).toBe(500);

    const ended = firstValueFrom(peer.ends$);
    device.rekey();
    device.bye();
    expect(await ended).toEqual({ origin: 'remote' });
    const cut = firstValueFrom(gateway.peers$);
    await device.connect();
    const broken = firstValueFrom((await cut).ends$);
    device.cut();
    expect(await broken).toMatchObject({ origin: 'remote', error: { code: 'CLOSED_WITHOUT_BYE' } });
    await gateway.close();
  });
});

describe('a simulated gateway', () => {
  it('shows each connection from the moment that it is accepted', async () => {
    const { time, device, gateway } = setting({ link: { latencyMs: 10 } });
    const states: string[] = [];
    gateway.peers$.pipe(mergeMap(({ state$ }) => state$)).subscribe((state) => states.push(state));
    void device.connect();
    await time.advance(10);
    expect(states).toEqual(['idle', 'connecting']);
    await time.advance(50);

    expect(states).toEqual(['idle', 'connecting', 'open']);
  });

  it('gives a wrong proof, a low-order key, or no answer at all', async () => {
    for (const [options, code] of [
      [{ crypto: withWrongProof(nodeCrypto, 'server') }, 'AUTH_HMAC'],
      [{ crypto: withLowOrderKey(nodeCrypto) }, 'CRYPTO_LOW_ORDER_POINT'],
      [{ shakesHands: false }, 'TIMEOUT_HANDSHAKE'],
    ] as const) {
      const { time, device } = setting({ gateway: options });
      const ends = endsOf(device);
      void device.connect();
      await time.advance(10_000);

      expect(ends).toEqual([code]);
    }
  });

  it('without handshakes hears bytes and says what it is told', async () => {
    const { time, device, gateway } = setting({ gateway: { shakesHands: false } });
    const heard: number[] = [];
    gateway.peers$.pipe(mergeMap(({ bytes$ }) => bytes$)).subscribe(({ length }) => heard.push(length));
    const ends = endsOf(device);
    void device.connect();
    await time.advance();
    gateway.latest?.sendRaw(encodeFrame(REKEY, 0, new Uint8Array(60)));
    await time.advance();

    expect(heard).toEqual([50]);
    expect(ends).toEqual(['HANDSHAKE_UNEXPECTED_FRAME']);
  });

  it('accepts nothing more when it is closed', async () => {
    const { time, device, gateway, peer } = await connected();
    await gateway.close();
    device.send('still heard');
    const types = typesOf(peer);
    await time.advance();
    expect(types).toEqual([DATA]);

    device.bye();
    const connecting = watch(device.connect());
    await time.advance();
    expect(connecting.state()).toBe('rejected CONNECT_FAILED');
  });
});

import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, mergeMap } from 'rxjs';
import {
  FIELDED_DATAGRAM_PEERS,
  SimulatedDatagramDevice,
  SimulatedDatagramGateway,
  text,
  withLowOrderKey,
  withWrongProof,
  type DatagramBehaviour,
  type SimulatedDatagramPeer,
} from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import { encodeAcknowledgement } from '../../src/protocol/datagram/acknowledgement.js';
import { encodeFrame, PacketType, toHex, utf8, type CryptoProvider } from '../../src/protocol/index.js';
import { udpDialer, udpListener } from '../../src/transport/udp.js';
import { scriptedCrypto } from '../protocol/scripted-crypto.js';
import { turnsOf, type Transcript } from '../protocol/transcripts.js';
import { watch } from '../session/marbles.js';
import { describeVectors, fromHex } from '../vectors.js';
import { collect, connectedDatagrams, datagramSetting, DEVICE_ID, endsOf, PSK } from './datagram-setting.js';

const { DATA, DATA_FRAG, PING, PONG, BYE, HELLO } = PacketType;
const PRESETS = Object.entries<DatagramBehaviour>(FIELDED_DATAGRAM_PEERS);

const typesOf = (peer: SimulatedDatagramPeer): number[] => {
  const types: number[] = [];
  peer.frames$.subscribe(({ type }) => types.push(type));
  return types;
};

describe.each(PRESETS)('a simulated device on UDP that behaves like %s', (_deviceName, deviceBehaviour) => {
  it.each(PRESETS)('holds a whole session with a gateway like %s', async (_gatewayName, gatewayBehaviour) => {
    for (const asksForCookie of [true, false]) {
      const { time, device, peer } = await connectedDatagrams({
        device: { behaviour: deviceBehaviour },
        gateway: { behaviour: gatewayBehaviour, asksForCookie },
        path: { toServer: { delayMs: 5 }, toClient: { delayMs: 5 } },
      });
      expect([peer.deviceId, peer.sessionId]).toEqual([device.deviceId, device.sessionId]);
      const heard = [typesOf(peer), typesOf(device)];
      const lengths = [collect(peer.messages$), collect(device.messages$)];
      for (const [sender, rekeys] of [
        [device, false],
        [peer, false],
        [device, true],
        [peer, true],
      ] as const) {
        if (rekeys) await time.advance(1_000).then(() => void sender.rekey());
        for (const length of [0, 1, 452, 453, 1_808]) void sender.send(new Uint8Array(length).fill(length));
        await time.advance(1_000);
        void sender.ping();
        await time.advance(1_000);
      }

      const sent = [0, 1, 452, 453, 1_808, 0, 1, 452, 453, 1_808];
      expect(lengths.map((messages) => messages.map(({ length }) => length))).toEqual([sent, sent]);
      expect(lengths.flat().every((message) => message.every((byte) => byte === message.length % 256))).toBe(true);
      for (const types of heard) expect(types.filter((type) => type === PING).length).toBeGreaterThanOrEqual(2);
      expect(heard.map((types) => types.filter((type) => type === PacketType.REKEY).length)).toEqual([1, 1]);

      const ends = [endsOf(device), endsOf(peer)];
      const farewell = watch(device.bye());
      await time.advance(100);
      expect(farewell.state()).toBe('resolved');
      expect(ends).toEqual([['local without error'], ['remote without error']]);
    }
  });
});

describeVectors('transcripts.json', (transcripts: readonly Transcript[]) => {
  it.each(transcripts.filter(({ transport }) => transport === 'udp'))(
    '$name: simulated fielded peers send every datagram of it, byte for byte and in its order',
    async (transcript) => {
      const salts = (initiator: string) =>
        transcript.rekeys.filter((rekey) => rekey.initiator === initiator).map(({ salt }) => fromHex(salt));
      const cookie = transcript.steps.find(({ what }) => what === 'HELLO_RETRY')!.bytes.slice(24);
      const { time, network, device, gateway } = datagramSetting({
        device: {
          crypto: scriptedCrypto(nodeCrypto, {
            privateKeys: [fromHex(transcript.clientPrivateKey)],
            randomBytes: salts('client'),
          }),
          deviceId: transcript.deviceId,
          psk: fromHex(transcript.psk),
          suite: transcript.cipher,
          behaviour: { ...FIELDED_DATAGRAM_PEERS.python, acknowledgesHelloRetry: false },
        },
        gateway: {
          crypto: withCookie(
            scriptedCrypto(nodeCrypto, {
              privateKeys: [fromHex(transcript.serverPrivateKey)],
              randomBytes: [fromHex(transcript.nonce), fromHex(transcript.sessionId), ...salts('server')],
            }),
            fromHex(cookie),
          ),
          psk: fromHex(transcript.psk),
          suite: transcript.cipher,
          behaviour: FIELDED_DATAGRAM_PEERS.python,
        },
      });
      const sent: string[] = [];
      network.sent$.subscribe(({ direction, datagram }) => {
        sent.push(`${direction === 'toServer' ? 'client' : 'server'} ${toHex(datagram)}`);
      });
      void device.connect();
      await time.advance(1);
      const sessionSteps = transcript.steps.slice(transcript.steps.findIndex(({ what }) => what === 'SESSION_OK') + 2);
      for (const turn of turnsOf(sessionSteps.filter(({ what }) => what !== 'UTACK'))) {
        const sender = turn.from === 'client' ? device : gateway.latest!;
        if (turn.message !== undefined) void sender.send(fromHex(turn.message));
        else if (turn.what === 'PING') void sender.ping();
        else if (turn.what === 'REKEY') void sender.rekey();
        else if (turn.what === 'BYE') void sender.bye();
        await time.advance(1);
      }

      expect(sent).toEqual(transcript.steps.map(({ from, bytes }) => `${from} ${bytes}`));
    },
  );
});

/** The gateway's cookie is its own matter; a recorded one takes its place. */
const withCookie = (crypto: CryptoProvider, cookie: Uint8Array): CryptoProvider => ({
  ...crypto,
  hmacSha256: (key, data) => (text(key) === 'simulated gateway' ? cookie : crypto.hmacSha256(key, data)),
});

describe('a simulated peer on UDP', () => {
  it('tells by its promises when what it sent is acknowledged', async () => {
    const { time, device } = await connectedDatagrams({ path: { toServer: { delayMs: 20 } } });
    const sent = [device.send(new Uint8Array(453)), device.ping(), device.rekey(), device.send('x')].map(watch);
    const states: string[][] = [];
    for (let frame = 0; frame < 6; frame++) {
      states.push(sent.map(({ state }) => state()));
      await time.advance(20);
    }

    const [p, r] = ['pending', 'resolved'] as const;
    expect(states).toEqual([
      [p, p, p, p],
      [p, p, p, p],
      [r, p, p, p],
      [r, r, p, p],
      [r, r, r, p],
      [r, r, r, r],
    ]);
  });

  it('refuses a message that is too long, and sends text as UTF-8', async () => {
    const { time, device, peer } = await connectedDatagrams();
    const messages = collect(peer.messages$);
    expect(() => device.send(new Uint8Array(1_809))).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
    void device.send('grün');
    await time.advance();

    expect(messages.map((message) => toHex(message))).toEqual([toHex(utf8('grün'))]);
  });

  it('answers PING, unless it is told not to', async () => {
    for (const answersPings of [true, false]) {
      const { time, device, peer } = await connectedDatagrams({ device: { answersPings } });
      const heard = typesOf(peer);
      void peer.ping();
      await time.advance();

      expect(heard).toEqual(answersPings ? [PONG] : []);
      expect(device.state).toBe('open');
    }
  });

  it('sends PING when it has sent nothing for keepaliveMs', async () => {
    const { time, device, peer } = await connectedDatagrams({ device: { keepaliveMs: 15_000 } });
    const heard = typesOf(peer);
    await time.advance(8_999);
    void device.send('x');
    await time.advance(14_999);
    expect(heard).toEqual([DATA]);
    await time.advance(1);
    expect(heard).toEqual([DATA, PING]);
    await time.advance(30_000);
    expect(heard).toEqual([DATA, PING, PING, PING]);
    device.cut();
    await time.advance(60_000);
    expect(heard).toHaveLength(4);
  });

  it('comes back after BYE, and its observables go on', async () => {
    const { time, device, gateway, peer } = await connectedDatagrams();
    const states = collect(device.state$);
    const messages = collect(device.messages$);
    void peer.send('before');
    await time.advance();
    void peer.bye();
    await time.advance();
    void device.connect();
    await time.advance();
    void gateway.latest!.send('after');
    await time.advance();

    expect(states).toEqual(['open', 'closed', 'connecting', 'open']);
    expect(messages.map(text)).toEqual(['before', 'after']);
    expect(gateway.latest).not.toBe(peer);
  });

  it('is cut off without a word, which the other side learns when nothing is acknowledged', async () => {
    const { time, device, peer, log } = await connectedDatagrams();
    const [deviceEnds, peerEnds] = [endsOf(device), endsOf(peer)];
    const waiting = watch(device.send('x'));
    device.cut();
    log.length = 0;
    await time.advance(1_000);
    expect(waiting.state()).toBe('rejected CLOSED');
    expect([deviceEnds, peerEnds]).toEqual([['local without error'], []]);
    const sent = watch(peer.send('x'));
    const queued = watch(peer.ping());
    await time.advance(20_000);

    expect([sent.state(), queued.state()]).toEqual(['rejected TIMEOUT_SEND', 'rejected TIMEOUT_SEND']);
    expect(peerEnds).toEqual(['TIMEOUT_SEND']);
    expect(log.filter((line) => line.startsWith('>'))).toEqual([]);
  });

  it('acknowledges nothing while it does not read, and a short stall loses nothing', async () => {
    const { time, device, peer, log } = await connectedDatagrams();
    const messages = collect(device.messages$);
    log.length = 0;
    device.stopReading();
    void peer.send('a');
    await time.advance(3_000);
    expect(log.every((line) => line.startsWith('<'))).toBe(true);
    device.resumeReading();
    await time.advance(5_000);

    expect(messages.map(text)).toEqual(['a']);
    expect(peer.state).toBe('open');
  });

  it('reports why it could not connect, by its promise and by ends$', async () => {
    for (const [options, code] of [
      [{ psk: 'another PSK that is wrong' }, 'TIMEOUT_HANDSHAKE'],
      [{ crypto: withWrongProof(nodeCrypto, 'client'), handshakeTimeoutMs: 60_000 }, 'TIMEOUT_HANDSHAKE'],
      [{ crypto: withLowOrderKey(nodeCrypto) }, 'TIMEOUT_HANDSHAKE'],
    ] as const) {
      const { time, device, gateway } = datagramSetting({ device: options });
      const gatewayEnds: (string | undefined)[] = [];
      gateway.peers$.pipe(mergeMap(({ ends$ }) => ends$)).subscribe(({ error }) => gatewayEnds.push(error?.code));
      const ends = endsOf(device);
      const connecting = watch(device.connect());
      await time.advance(60_000);

      expect(connecting.state()).toBe(`rejected ${code}`);
      expect(ends).toEqual([code]);
      expect(gatewayEnds).toHaveLength(1);
    }
    const { time, device } = datagramSetting({ gateway: { crypto: withWrongProof(nodeCrypto, 'server') } });
    const connecting = watch(device.connect());
    await time.advance();
    expect(connecting.state()).toBe('rejected AUTH_HMAC');
  });

  it('refuses what needs a session while there is none, and a second connection', async () => {
    const { time, device } = datagramSetting();
    for (const call of [
      () => device.send('x'),
      () => device.ping(),
      () => device.bye(),
      () => device.rekey(),
      () => device.sendFrame({ type: DATA }),
      () => device.sendRaw(new Uint8Array(1)),
      () => device.stopReading(),
      () => device.sessionId,
      () => device.nextSeq,
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: 'InvalidStateError', code: 'WRONG_STATE' }));
    }
    void device.connect();
    const second = watch(device.connect());
    await time.advance();
    expect([second.state(), device.state]).toEqual(['rejected WRONG_STATE', 'open']);
    const cut = datagramSetting();
    const connecting = watch(cut.device.connect());
    cut.device.cut();
    await cut.time.advance(20_000);
    expect([connecting.state(), cut.log]).toEqual(['rejected WRONG_STATE', []]);
  });

  it('refuses options that cannot work', () => {
    expect(() => datagramSetting({ device: { psk: 'short' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_PSK' }),
    );
    expect(() => datagramSetting({ device: { deviceId: '00:11' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_DEVICE_ID' }),
    );
    expect(() => datagramSetting({ gateway: { psk: 'short' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_PSK' }),
    );
  });

  it('forges frames with any type, number, nonce and tag, and counts right on', async () => {
    const { time, device, peer, log } = await connectedDatagrams();
    const heard = typesOf(peer);
    const messages = collect(peer.messages$);
    log.length = 0;
    device.sendFrame({ type: DATA_FRAG, plaintext: utf8('a') });
    device.sendFrame({ type: DATA, plaintext: utf8('b') });
    device.sendFrame({ type: PONG, seq: 9 });
    for (const wrong of [
      device.forge({ type: DATA, seq: 10, corruptTag: true }),
      device.forge({ type: DATA, seq: 11, nonce: new Uint8Array(12) }),
      device.forge({ type: DATA, seq: 0xffff_ffff }),
      device.forge({ type: HELLO, seq: 12 }),
    ]) {
      device.sendRaw(wrong);
    }
    expect(device.nextSeq).toBe(2);
    await time.advance();

    expect(heard).toEqual([DATA_FRAG, DATA, PONG]);
    expect(messages.map(text)).toEqual(['ab']);
    expect(log.filter((line) => line.startsWith('<'))).toEqual([
      '< UTACK DATA_FRAG 0',
      '< UTACK DATA 1',
      '< UTACK PONG 9',
      '< UTACK HELLO 12',
    ]);
    expect(peer.state).toBe('open');
  });

  it('drops a message with a gap or a control frame in it, and lives', async () => {
    const { time, device, peer } = await connectedDatagrams();
    const messages = collect(peer.messages$);
    for (const [type, seq] of [
      [DATA_FRAG, 0],
      [DATA, 2],
      [DATA_FRAG, 3],
      [PONG, 4],
      [DATA, 5],
    ] as const) {
      device.sendFrame({ type, seq, plaintext: Uint8Array.of(seq) });
    }
    await time.advance();

    expect(messages.map((message) => toHex(message))).toEqual(['05']);
  });

  it('takes in frames that come in any order, each once, within a window of 64', async () => {
    const { time, device, peer } = await connectedDatagrams();
    const messages = collect(peer.messages$);
    for (const seq of [0, 3, 1, 1, 100, 37, 36, 37, 99]) {
      device.sendFrame({ type: DATA, seq, plaintext: Uint8Array.of(seq) });
    }
    await time.advance();

    expect(messages.map(([seq]) => seq)).toEqual([0, 3, 1, 100, 37, 99]);
  });

  it('gives up after more than 8 control frames within one second', async () => {
    const { time, device, peer } = await connectedDatagrams();
    const ends = endsOf(peer);
    for (let n = 0; n < 9; n++) device.sendFrame({ type: PONG });
    await time.advance();

    expect(ends).toEqual(['CONTROL_FLOOD']);
  });

  it('passes over what is no frame', async () => {
    const { time, device, peer, log } = await connectedDatagrams();
    const datagrams = collect(peer.datagrams$);
    log.length = 0;
    const ping = device.forge({ type: PING });
    const sent = [
      new Uint8Array(0),
      Uint8Array.of(0xac, 0xac),
      encodeAcknowledgement(DATA, 0),
      ping.slice(0, -1),
      ping.map((byte, i) => (i === 10 ? byte ^ 1 : byte)),
      ping.map((byte, i) => (i === 2 ? 1 : byte)),
      encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0)),
      encodeFrame(PING, 0, new Uint8Array(27)),
    ];
    for (const datagram of sent) device.sendRaw(datagram);
    await time.advance();

    expect(datagrams).toEqual(sent);
    expect(log.filter((line) => line.startsWith('<'))).toEqual([]);
    expect(peer.state).toBe('open');
  });

  it('may be told anything by a handler of its observables', async () => {
    const { time, device, peer } = await connectedDatagrams();
    const heard = typesOf(device);
    peer.messages$.subscribe((message) => {
      void peer.send(message);
      void peer.bye();
    });
    void device.send('a');
    void device.send('b');
    await time.advance(20_000);

    expect(heard.filter((type) => type === DATA)).not.toHaveLength(0);
    expect(heard.at(-1)).toBe(BYE);
    expect([device.state, peer.state]).toEqual(['closed', 'closed']);
  });
});

describe('on real sockets', () => {
  it('a simulated device and a simulated gateway hold a session', async () => {
    const gateway = new SimulatedDatagramGateway({
      listener: udpListener({ host: '127.0.0.1', port: 0 }),
      psk: PSK,
      crypto: nodeCrypto,
      behaviour: FIELDED_DATAGRAM_PEERS.python,
    });
    const address = await gateway.listen();
    const device = new SimulatedDatagramDevice({
      dialer: udpDialer({ host: '127.0.0.1', port: Number(address.split(':').at(-1)) }),
      deviceId: DEVICE_ID,
      psk: PSK,
      crypto: nodeCrypto,
      behaviour: FIELDED_DATAGRAM_PEERS.esp32,
    });
    await device.connect();
    const peer = gateway.latest!;
    const received = firstValueFrom(peer.messages$);
    await device.send(new Uint8Array(500));
    expect((await received).length).toBe(500);
    await peer.rekey();
    const ended = firstValueFrom(peer.ends$);
    await device.bye();
    expect(await ended).toEqual({ origin: 'remote' });
    await gateway.close();
  });
});

describe('a simulated gateway on UDP', () => {
  it('keeps nothing before the cookie came back, and ignores a wrong one without a word', async () => {
    const { time, network, gateway, log } = datagramSetting();
    const [from, to] = [
      { address: 'elsewhere', port: 7 },
      { address: 'gateway', port: 1 },
    ];
    const hello = (bytes: number): Uint8Array => encodeFrame(HELLO, 0, new Uint8Array(bytes).fill(9));
    await time.advance();
    network.inject(hello(38), { from, to });
    await time.advance(10_000);
    expect(log).toEqual(['< UTACK HELLO 0', '< HELLO_RETRY 0']);
    for (const bytes of [54, 37, 39]) network.inject(hello(bytes), { from, to });
    await time.advance(10_000);

    expect(log).toHaveLength(2);
    expect(gateway.latest).toBeUndefined();
  });

  it('takes a device that starts anew at the same address for a new one', async () => {
    const { time, network, gateway, device } = datagramSetting({ gateway: { asksForCookie: false } });
    const peers = collect(gateway.peers$);
    void device.connect();
    await time.advance();
    const ends = endsOf(peers[0]!);
    network.inject(encodeFrame(HELLO, 0, new Uint8Array(38).fill(9)), {
      from: { address: 'device', port: 1 },
      to: { address: 'gateway', port: 1 },
    });
    await time.advance();

    expect(peers).toHaveLength(2);
    expect(ends).toEqual(['local without error']);
  });

  it('closes with all its peers', async () => {
    const { time, network, gateway, peer, device, log } = await connectedDatagrams();
    await gateway.close();
    log.length = 0;
    void device.ping();
    await time.advance(20_000);

    expect([peer.state, device.state]).toEqual(['closed', 'closed']);
    expect(log.some((line) => line.startsWith('<'))).toBe(false);
    await expect(network.listener('gateway').bind(() => {})).resolves.toMatchObject({ address: 'gateway:1' });
  });
});

import { describe, expect, it } from '@jest/globals';
import { first } from 'rxjs';
import { FIELDED_DATAGRAM_PEERS, text, type DatagramBehaviour } from 'usmp-rx/testing';
import { PacketType } from '../../src/protocol/index.js';
import { watch } from '../session/marbles.js';
import { collect, connectedDatagrams, datagramSetting, endsOf, losesFirst, nameOf } from './datagram-setting.js';

const { DATA } = PacketType;
const { python, esp32, esp32FixedTimer, posix, ideal } = FIELDED_DATAGRAM_PEERS;
const PRESETS = Object.entries<DatagramBehaviour>(FIELDED_DATAGRAM_PEERS);

/** The names of the presets for which `holds` is true. */
async function presetsThat(holds: (behaviour: DatagramBehaviour) => Promise<boolean>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, behaviour] of PRESETS) if (await holds(behaviour)) names.push(name);
  return names;
}

describe('in the field', () => {
  it('a forged frame earns an acknowledgement from Python and ESP32', async () => {
    const earning = await presetsThat(async (behaviour) => {
      const { time, device, log } = await connectedDatagrams({ gateway: { behaviour } });
      device.sendFrame({ type: DATA, seq: 7, corruptTag: true });
      await time.advance();
      return log.includes('< UTACK DATA 7');
    });

    expect(earning).toEqual(['python', 'esp32', 'esp32FixedTimer']);
  });

  it('a repeated session frame is acknowledged again by all but POSIX C, and delivered again by none', async () => {
    const acknowledging = await presetsThat(async (behaviour) => {
      const { time, device, peer, log } = await connectedDatagrams({ gateway: { behaviour } });
      const messages = collect(peer.messages$);
      const frame = device.forge({ type: DATA });
      device.sendRaw(frame);
      device.sendRaw(frame);
      await time.advance();
      expect(messages).toHaveLength(1);
      return log.filter((line) => line === '< UTACK DATA 0').length === 2;
    });

    expect(acknowledging).toEqual(['python', 'esp32', 'esp32FixedTimer', 'ideal']);
  });

  it('HELLO_RETRY is acknowledged by all but POSIX C', async () => {
    const acknowledging = await presetsThat(async (behaviour) => {
      const { log } = await connectedDatagrams({ device: { behaviour } });
      return log.includes('> UTACK HELLO_RETRY 0');
    });

    expect(acknowledging).toEqual(['python', 'esp32', 'esp32FixedTimer', 'ideal']);
  });

  it('a lost HELLO_RETRY ends the handshake: an acknowledged HELLO is not sent again', async () => {
    const connecting = await presetsThat(async (behaviour) => {
      const loses = losesFirst('toClient', 'HELLO_RETRY 0');
      const { time, device, log } = datagramSetting({ device: { behaviour }, loses });
      const attempt = watch(device.connect());
      await time.advance(10_000);
      expect(log.filter((line) => line === '> HELLO 0')).toHaveLength(device.state === 'open' ? 2 : 1);
      expect(attempt.state()).toBe(device.state === 'open' ? 'resolved' : 'rejected TIMEOUT_HANDSHAKE');
      return device.state === 'open';
    });

    expect(connecting).toEqual(['ideal']);
  });

  it('an answer is not looked at before the acknowledgement has come', async () => {
    const waiting = await presetsThat(async (behaviour) => {
      const loses = losesFirst('toClient', 'UTACK HELLO 1');
      const { time, device, log } = datagramSetting({ device: { behaviour }, loses });
      void device.connect();
      await time.advance(4_000);
      expect(device.state).toBe('open');
      return log.filter((line) => line === '> HELLO 1').length === 2;
    });

    expect(waiting).toEqual(['python', 'esp32', 'esp32FixedTimer', 'posix']);
  });

  it('a CHALLENGE that arrives with a wrong CRC is acknowledged all the same, and so never comes again', async () => {
    const connecting = await presetsThat(async (behaviour) => {
      const { time, network, device, log } = datagramSetting({
        device: { behaviour },
        loses: losesFirst('toClient', 'CHALLENGE 0'),
      });
      network.sent$.pipe(first(({ datagram }) => nameOf(datagram) === 'CHALLENGE 0')).subscribe((sent) => {
        const corrupted = sent.datagram.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
        time.schedule(() => network.inject(corrupted, sent), 1);
      });
      void device.connect();
      await time.advance(10_000);
      expect(log.filter((line) => line === '< CHALLENGE 0')).toHaveLength(device.state === 'open' ? 2 : 1);
      return device.state === 'open';
    });

    expect(connecting).toEqual(['ideal']);
  });

  it('a repeated CHALLENGE or HELLO_RETRY ends the handshake of POSIX C', async () => {
    for (const repeated of ['CHALLENGE 0', 'HELLO_RETRY 0']) {
      const aborting = await presetsThat(async (behaviour) => {
        const { time, network, device } = datagramSetting({
          device: { behaviour },
          path: { toServer: { delayMs: 10 }, toClient: { delayMs: 10 } },
        });
        const ends = endsOf(device);
        network.sent$.subscribe(({ datagram, ...addresses }) => {
          if (nameOf(datagram) === repeated) time.schedule(() => network.inject(datagram, addresses), 15);
        });
        void device.connect();
        await time.advance(10_000);
        if (ends.length > 0) expect(ends).toEqual(['HANDSHAKE_UNEXPECTED_FRAME']);
        return device.state !== 'open';
      });

      expect(aborting).toEqual(['posix']);
    }
  });

  it('CHALLENGE and SESSION_OK are repeated on their timers until they are acknowledged', async () => {
    const losses = ['UTACK CHALLENGE 0', 'UTACK SESSION_OK 0'].map((name) => losesFirst('toServer', name, 2));
    const { device, log } = await connectedDatagrams({
      gateway: { behaviour: esp32FixedTimer },
      loses: (...passing) => losses.some((loses) => loses(...passing)),
    });

    expect(device.state).toBe('open');
    expect(log.filter((line) => line === '< CHALLENGE 0')).toHaveLength(3);
    expect(log.filter((line) => line === '< SESSION_OK 0')).toHaveLength(3);
  });

  it('a frame is sent 5 times, and then the session is lost', async () => {
    for (const [behaviour, times, lostMs] of [
      [esp32FixedTimer, [0, 500, 1_000, 1_500, 2_000], 2_500],
      [python, [0, 500, 1_500, 3_500, 7_500], 12_500],
    ] as const) {
      const { time, network, device } = datagramSetting({ device: { behaviour, handshakeTimeoutMs: 60_000 } });
      const sentMs: number[] = [];
      const ends: string[] = [];
      network.goDown();
      network.sent$.subscribe(() => sentMs.push(time.now()));
      device.ends$.subscribe(({ error }) => ends.push(`${error!.code} at ${time.now()}`));
      const connecting = watch(device.connect());
      await time.advance(20_000);

      expect(sentMs).toEqual(times);
      expect(ends).toEqual([`TIMEOUT_SEND at ${lostMs}`]);
      expect(connecting.state()).toBe('rejected TIMEOUT_SEND');
    }
  });

  it('an adaptive timer learns from acknowledgements of first attempts, down to 100 ms', async () => {
    for (const [behaviour, waitMs] of [
      [python, 100],
      [esp32FixedTimer, 500],
    ] as const) {
      const { time, network, device, peer } = await connectedDatagrams({
        device: { behaviour },
        path: { toServer: { delayMs: 10 }, toClient: { delayMs: 10 } },
      });
      for (let n = 0; n < 100; n++) void device.send('x');
      await time.advance(2_000);
      peer.stopReading();
      const sentMs: number[] = [];
      network.sent$.subscribe(() => sentMs.push(time.now()));
      void device.send('x');
      await time.advance(550);

      expect(sentMs[1]! - sentMs[0]!).toBe(waitMs);
    }
  });

  it('ESP32 and POSIX C read nothing while they send, so that two of them that send at once lose their session', async () => {
    const losing = await presetsThat(async (behaviour) => {
      const { time, device, peer } = await connectedDatagrams({ device: { behaviour }, gateway: { behaviour } });
      void device.send('x');
      void peer.send('y');
      await time.advance(20_000);
      return device.state === 'closed' || peer.state === 'closed';
    });
    expect(losing).toEqual(['esp32', 'esp32FixedTimer', 'posix']);

    for (const behaviour of [esp32, posix]) {
      const { time, device, peer } = await connectedDatagrams({
        device: { behaviour },
        gateway: { behaviour: python },
      });
      const messages = collect(device.messages$);
      void device.send('x');
      void peer.send('y');
      await time.advance();
      expect(messages.map(text)).toEqual(['y']);
    }
  });

  it('a lost acknowledgement of REKEY splits a session of fielded peers for good', async () => {
    for (const [initiator, responder, lives] of [
      [python, python, false],
      [esp32, esp32, false],
      [posix, posix, false],
      [ideal, python, true],
      [ideal, esp32, true],
      [python, ideal, true],
      [posix, ideal, true],
      [ideal, ideal, true],
    ] as const) {
      const { time, device, peer } = await connectedDatagrams({
        device: { behaviour: initiator },
        gateway: { behaviour: responder },
        loses: losesFirst('toClient', 'UTACK REKEY 0'),
      });
      const messages = collect(peer.messages$);
      const rekeyed = watch(device.rekey());
      void device.send('after');
      await time.advance(20_000);

      expect(rekeyed.state()).toBe(lives ? 'resolved' : 'rejected TIMEOUT_SEND');
      expect(messages.map(text)).toEqual(lives ? ['after'] : []);
    }
  });

  it('a REKEY that crosses a frame of Python whose acknowledgement was lost ends the session', async () => {
    // What was sealed with the old key is acknowledged with it, and Python believes only the new one.
    for (const [behaviour, lives] of [
      [python, false],
      [ideal, true],
    ] as const) {
      const { time, device, peer } = await connectedDatagrams({
        device: { behaviour },
        gateway: { behaviour: ideal },
        loses: losesFirst('toClient', 'UTACK DATA 0'),
      });
      const sent = watch(device.send('x'));
      await time.advance(10);
      void peer.rekey();
      await time.advance(20_000);

      expect(sent.state()).toBe(lives ? 'resolved' : 'rejected TIMEOUT_SEND');
    }
  });

  it('a frame in flight under the old keys is lost with the switch at once, and not where they are kept', async () => {
    for (const [behaviour, arrives] of [
      [python, false],
      [ideal, true],
    ] as const) {
      const { time, device, peer } = await connectedDatagrams({ device: { behaviour } });
      const messages = collect(device.messages$);
      const late = peer.forge({ type: DATA });
      void device.rekey();
      await time.advance();
      peer.sendRaw(late);
      await time.advance();

      expect(messages.length === 1).toBe(arrives);
    }
  });

  it('Python loses what comes after a rekeying where it has received more than 64 frames, and acknowledges it', async () => {
    const losing = await presetsThat(async (behaviour) => {
      const { time, device, peer } = await connectedDatagrams({ gateway: { behaviour } });
      const messages = collect(peer.messages$);
      for (let n = 0; n < 66; n++) void device.send(`${n}`);
      await time.advance();
      void device.rekey();
      const sent = watch(device.send('after'));
      await time.advance();
      expect(sent.state()).toBe('resolved');
      return messages.length < 67;
    });

    expect(losing).toEqual(['python']);
  });

  it('two rekeyings at once kill a session of fielded peers; otherwise the client has its way', async () => {
    const living = await presetsThat(async (behaviour) => {
      const { time, device, peer } = await connectedDatagrams({
        device: { behaviour },
        gateway: { behaviour },
        path: { toServer: { delayMs: 10 }, toClient: { delayMs: 10 } },
      });
      const messages = [...collect(device.messages$), ...collect(peer.messages$)];
      const heard: string[] = [];
      for (const one of [device, peer]) one.messages$.subscribe((message) => heard.push(text(message)));
      for (const one of [device, peer]) void one.rekey();
      await time.advance(1_000);
      for (const one of [device, peer]) if (one.state === 'open') void one.send('after');
      await time.advance(20_000);
      expect(messages).toEqual([]);
      return heard.length === 2;
    });

    expect(living).toEqual(['ideal']);
  });
});

describe('ideal peers', () => {
  it('lose nothing and repeat nothing on a bad network, rekeying throughout', async () => {
    const bad = { loss: 0.03, duplication: 0.1, reordering: 0.2, corruption: 0.02, delayMs: 5, reorderingMs: 30 };
    const { time, network, device, gateway } = datagramSetting({
      device: { behaviour: ideal, handshakeTimeoutMs: 60_000 },
      gateway: { behaviour: ideal, handshakeTimeoutMs: 60_000 },
      path: { toServer: bad, toClient: bad },
    });
    const connecting = device.connect();
    await time.advance(60_000);
    await connecting;
    const peer = gateway.latest!;
    const heard = { device: collect(device.messages$), peer: collect(peer.messages$) };
    const sent = { device: [] as string[], peer: [] as string[] };
    for (let n = 0; n < 300; n++) {
      for (const [name, one] of [
        ['device', device],
        ['peer', peer],
      ] as const) {
        sent[name].push(`${name} ${n}`);
        void one.send(`${name} ${n}`);
        if (n % 25 === 0) void one.rekey();
      }
    }
    await time.advance(3_600_000);

    expect([device.state, peer.state]).toEqual(['open', 'open']);
    expect(heard.peer.map(text)).toEqual(sent.device);
    expect(heard.device.map(text)).toEqual(sent.peer);
    expect(network.counters.toServer.lost).toBeGreaterThan(20);
  });
});

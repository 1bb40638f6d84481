import { expect } from '@jest/globals';
import { PacketType } from '../../src/protocol/index.js';
import { pattern } from '../protocol/pair.js';
import { watch } from '../session/marbles.js';
import { standing, type OpenSetting, type OurSession, type SettingOptions, type TheirSession } from './setting.js';

const LENGTHS = [0, 1, 452, 453, 1_808];
const MESSAGES = LENGTHS.map((length, n) => pattern(length, n));

export type Side = 'our' | 'their';
export const SIDES: readonly Side[] = ['our', 'their'];

/** Messages, PING and rekeying of both sides in a session that BYE of one side ends. */
export async function holdWholeSession(open: OpenSetting, options: SettingOptions, byeOf: Side): Promise<void> {
  const { delayMs = 0 } = options.path ?? {};
  const setting = await open(options);
  const { time } = setting;
  const { our, their } = await standing(setting);
  const settle = (): Promise<void> => time.advance(3_000 + 20 * delayMs);
  const start = (side: Side, what: 'ping' | 'rekey' | 'bye'): { readonly state: () => string } =>
    watch<unknown>(side === 'our' ? our.session[what]() : their.peer[what]());

  expect([our.session.deviceId, our.session.sessionId]).toEqual([their.peer.deviceId, their.peer.sessionId]);
  for (const rekeyedBy of [undefined, 'our', 'their', 'our', 'their'] as const) {
    if (rekeyedBy) {
      const rekeyed = start(rekeyedBy, 'rekey');
      await settle();
      expect(rekeyed.state()).toBe('resolved');
    }
    our.messages.length = 0;
    their.messages.length = 0;
    for (const sender of ['their', 'our'] as const) {
      const sent = send(sender, our, their);
      await settle();
      expect(sent.map(({ state }) => state())).toEqual(LENGTHS.map(() => 'resolved'));
    }
    expect(our.messages).toEqual(MESSAGES);
    expect(their.messages).toEqual(MESSAGES);
  }
  expect(our.events.flatMap((event) => (event.type === 'rekeyed' ? event.initiator : []))).toEqual([
    'local',
    'remote',
    'local',
    'remote',
  ]);

  const ourPing = start('our', 'ping');
  await settle();
  expect(ourPing.state()).toBe(`resolved ${2 * delayMs}`);
  their.frames.length = 0;
  const theirPing = start('their', 'ping');
  await settle();
  expect(theirPing.state()).toBe('resolved');
  expect(their.frames).toEqual([PacketType.PONG]);

  const farewell = start(byeOf, 'bye');
  await settle();
  expect(farewell.state()).toBe('resolved');
  expect(our.end).toEqual({ origin: byeOf === 'our' ? 'local' : 'remote' });
  expect(their.end).toEqual({ origin: byeOf === 'our' ? 'remote' : 'local' });
}

/** Both sides send at once. */
export async function exchangeAtOnce(open: OpenSetting, options: SettingOptions): Promise<void> {
  const setting = await open(options);
  const { our, their } = await standing(setting);
  const sent = [...send('their', our, their), ...send('our', our, their)];
  await setting.time.advance(5_000);

  expect(new Set(sent.map(({ state }) => state()))).toEqual(new Set(['resolved']));
  expect(our.messages).toEqual(MESSAGES);
  expect(their.messages).toEqual(MESSAGES);
}

const send = (side: Side, our: OurSession, their: TheirSession) =>
  MESSAGES.map((message) => watch(side === 'our' ? our.session.send(message) : their.peer.send(message)));

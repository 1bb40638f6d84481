import { expect } from '@jest/globals';
import type { LinkConditions, VirtualTime } from 'usmp-rx/testing';
import { pattern } from '../protocol/pair.js';
import { watch } from '../session/marbles.js';
import { GIVEN_UP, loseNext, standing, type OpenSetting, type SettingOptions } from './setting.js';

const BAD: LinkConditions = {
  loss: 0.1,
  duplication: 0.1,
  reordering: 0.2,
  reorderingMs: 30,
  delayMs: 5,
};
const MOST_MS = 600_000;
/** The n-th message begins with n; some take three frames. */
const MESSAGES = Array.from({ length: 50 }, (_, n) => Uint8Array.of(n, ...pattern(n % 10 === 9 ? 999 : 3, n)));

/**
 * Both sides send 50 messages over a bad network, each until some session has accepted it; returns how many sessions ours had.
 * Within a session each message arrives once and in order, and all of them have arrived in the end.
 */
export async function deliverThroughFaults(open: OpenSetting, options: SettingOptions): Promise<number> {
  const { time, ours, theirs } = await open({ ...options, path: BAD, keepaliveMs: 15_000 });
  let done = 0;
  for (const send of [
    (message: Uint8Array) => ours.at(-1)?.session.send(message),
    (message: Uint8Array) => theirs.at(-1)?.peer.send(message),
  ]) {
    void insist(time, send).then(() => done++);
  }
  for (let ms = 0; ms < MOST_MS && done < 2; ms += 1_000) await time.advance(1_000);

  expect(done).toBe(2);
  for (const sessions of [ours, theirs]) {
    const arrived = sessions.map(({ messages }) => messages.map(([n = -1]) => n));
    for (const numbers of arrived) expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(new Set(arrived.flat()).size).toBe(MESSAGES.length);
    const all = sessions.flatMap(({ messages }) => messages);
    expect(all).toEqual(all.map(([n = -1]) => MESSAGES[n]));
  }
  const errors = ours.flatMap(({ end }) => end?.error ?? []);
  expect(errors.filter(({ code }) => !GIVEN_UP.includes(code))).toEqual([]);
  return ours.length;
}

async function insist(time: VirtualTime, send: (message: Uint8Array) => Promise<void> | undefined): Promise<void> {
  for (const message of MESSAGES) while (!(await isAccepted(send, message))) await pause(time);
}

async function isAccepted(send: (message: Uint8Array) => Promise<void> | undefined, message: Uint8Array) {
  try {
    const sent = send(message);
    await sent;
    return sent !== undefined;
  } catch {
    return false;
  }
}

const pause = (time: VirtualTime): Promise<void> => new Promise((resolve) => void time.schedule(() => resolve(), 100));

/** Our reader stops for 2 s in the middle, when the peer's timer has learned how quick the network is. */
export async function stallReader(open: OpenSetting, options: SettingOptions): Promise<void> {
  const setting = await open({ ...options, path: { delayMs: 5 }, limits: { maxInboxMessages: 4 } });
  const { time } = setting;
  const { our, their } = await standing(setting);
  const sent = MESSAGES.slice(0, 30).map((message) => watch(their.peer.send(message)));
  await time.advance(3_000);
  our.stopReading();
  sent.push(...MESSAGES.slice(30).map((message) => watch(their.peer.send(message))));
  await time.advance(2_000);
  expect(our.events).toContainEqual({ type: 'dropped', reason: 'inbox-full' });
  expect(our.messages).toEqual(MESSAGES.slice(0, 30));
  our.read();
  await time.advance(3_000);

  expect(our.messages).toEqual(MESSAGES);
  expect(new Set(sent.map(({ state }) => state()))).toEqual(new Set(['resolved']));
  expect([our.end, their.end]).toEqual([undefined, undefined]);
}

export const HANDSHAKE = ['HELLO', 'HELLO_RETRY', 'CHALLENGE', 'HELLO_ACK', 'SESSION_OK'].flatMap((name) => [
  name,
  `UTACK ${name}`,
]);

/**
 * Whichever datagram of the handshake is lost, there is a session in the end, at worst that of another attempt. Returns the
 * names of those that were lost; not all are sent by everybody.
 */
export async function loseHandshakeDatagrams(open: OpenSetting, options: SettingOptions): Promise<string[]> {
  const lost: string[] = [];
  for (const name of HANDSHAKE) {
    const setting = await open({ ...options, path: { delayMs: 5 } });
    loseNext(setting, name);
    const { our, their } = await standing(setting);
    const sent = [watch(our.session.send(name)), watch(their.peer.send(name))];
    await setting.time.advance(2_000);

    expect(sent.map(({ state }) => `${name} ${state()}`)).toEqual([`${name} resolved`, `${name} resolved`]);
    expect(our.session.sessionId).toBe(their.peer.sessionId);
    const { toServer, toClient } = setting.network.counters;
    if (toServer.blackedOut + toClient.blackedOut === 1) lost.push(name);
  }
  return lost;
}

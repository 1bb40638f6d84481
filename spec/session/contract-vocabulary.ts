import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import type { UsmpError } from '../../src/protocol/index.js';
import type { SessionEvent } from '../../src/session/session-event.js';
import type { Session } from '../../src/session/session.js';
import { text } from '../../src/testing/index.js';

export const BOTH_WAYS = [
  ['client', 'server'],
  ['server', 'client'],
] as const;

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

export const texts = (messages: readonly Uint8Array[]): string[] => messages.map((message) => text(message));

/** The next messages, this many. */
export const received = (session: Session, count: number): Promise<Uint8Array[]> =>
  firstValueFrom(session.messages$.pipe(take(count), toArray()));

/** All messages until the end. */
export const rest = (session: Session): Promise<Uint8Array[]> => lastValueFrom(session.messages$.pipe(toArray()));

/** The next event of a type. */
export const event = (session: Session, type: SessionEvent['type']): Promise<SessionEvent> =>
  firstValueFrom(session.events$.pipe(filter((one) => one.type === type)));

/** The code that a call rejects with. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'resolved',
    (error: unknown) => (error as UsmpError).code,
  );

import { expect } from '@jest/globals';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  comparable,
  openSession,
  sessionFromFrames,
  sessionFromMessages,
  testEnvironment,
  type VirtualTime,
  type PlayedSession,
  type PlayedSessionOptions,
} from '../../src/testing/index.js';

type Options = Omit<PlayedSessionOptions, 'scheduler'>;

/** The helpers of a marble test, with sessions on its virtual time. */
export interface Marbles extends RunHelpers {
  readonly scheduler: TestScheduler;
  messages(diagram: string, options?: Options): PlayedSession;
  frames(
    ...played: Parameters<typeof sessionFromFrames> extends [infer Frames, ...unknown[]]
      ? [frames$: Frames, options?: Options]
      : never
  ): PlayedSession;
  session(options?: Options): PlayedSession;
  /** Calls `action` at a virtual time in milliseconds. */
  at(timeMs: number, action: () => void): void;
}

/** Runs a marble test. Values compare as texts, errors as their codes. */
export function marbles(test: (marbles: Marbles) => void): void {
  const scheduler = new TestScheduler((actual, expected) => {
    expect(comparable(actual)).toEqual(comparable(expected));
  });
  const environment = testEnvironment({ scheduler, provider: nodeCrypto });
  scheduler.run((helpers) => {
    test({
      ...helpers,
      scheduler,
      messages: (diagram, options) => sessionFromMessages(helpers.cold(diagram), { ...options, ...environment }),
      frames: (frames$, options) => sessionFromFrames(frames$, { ...options, ...environment }),
      session: (options) => openSession({ ...options, ...environment }),
      at: (timeMs, action) => void scheduler.schedule(action, timeMs),
    });
  });
}

/** A session on a time of its own that moves when told, for what comes as promises. */
export function sessionInTime(options: Options = {}): { session: PlayedSession; time: VirtualTime } {
  const { scheduler: time, crypto } = testEnvironment({ provider: nodeCrypto });
  return { session: openSession({ ...options, crypto, scheduler: time }), time };
}

/** What became of a promise, as it stands now. */
export function watch<T>(promise: Promise<T>): { readonly state: () => string } {
  let state = 'pending';
  promise.then(
    (value) => {
      state = value === undefined ? 'resolved' : `resolved ${String(comparable(value))}`;
    },
    (error: unknown) => {
      state = `rejected ${String(comparable(error))}`;
    },
  );
  return { state: () => state };
}

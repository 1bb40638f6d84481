/** One part of what a message goes through. */
export interface Stage {
  readonly name: string;
  /** Does it for so many messages, a multiple of `BURST`. */
  run(messages: number): void | Promise<void>;
}

/** Messages that go together where a burst is the point. */
export const BURST = 64;

/** Runs a body for every message of a burst, burst after burst. */
export const repeated =
  (body: () => void): ((messages: number) => void) =>
  (messages) => {
    for (let n = 0; n < messages; n++) body();
  };

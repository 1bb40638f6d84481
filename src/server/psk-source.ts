import { catchError, EMPTY, merge, of, Subject, type Observable } from 'rxjs';
import { HandshakeError, type UsmpError } from '../protocol/errors.js';
import { isLowEntropyPsk } from '../protocol/psk.js';
import type { Secret } from '../protocol/secret.js';
import { findIn, parsePskAnswer, parsePskTable, type PskAnswer, type PskTable } from './psk-table.js';

/** Finds the PSK of a device, given as `00:11:22:33:44:55`; undefined where the device is unknown. */
export type PskFunction = (deviceId: string) => PskAnswer | undefined | Promise<PskAnswer | undefined>;

/** What a store tells while it is in use. */
export type PskStoreEvent =
  | { readonly type: 'psk-store-reloaded' }
  /** What was there before stays in use. The error shows no PSK. */
  | { readonly type: 'psk-store-failed'; readonly error: UsmpError };

/** A place where PSKs are kept and may change. */
export interface PskStore {
  lookUp(deviceId: string): ReturnType<PskFunction>;
  /** A server is subscribed from its first `listen` to the end of its `close`. */
  readonly events$?: Observable<PskStoreEvent>;
}

/** One PSK (or two) for all devices, a table by device id, a function, or a store. */
export type PskOption = PskAnswer | PskTable | PskFunction | PskStore;

export type PskSourceEvent = PskStoreEvent | { readonly type: 'warning'; readonly message: string };

/** Where a server gets its PSKs from, whatever the user gave. */
export interface PskSource {
  /**
   * The valid PSKs of a device, none where it is unknown. A promise only where the user's function returns one.
   * @throws HandshakeError `PSK_LOOKUP_FAILED` (or rejects with it)
   */
  find(deviceId: string): readonly Secret[] | Promise<readonly Secret[]>;
  /** Subscribed once, from the first `listen` on. Never errors. */
  readonly events$: Observable<PskSourceEvent>;
}

/**
 * Takes any form of the option.
 * @throws ConfigError `CONFIG_PSK` or `CONFIG_DEVICE_ID`
 */
export function pskSource(option: unknown): PskSource {
  if (typeof option === 'function') return lookedUp(option as PskFunction, EMPTY);
  if (isStore(option)) return lookedUp((deviceId) => option.lookUp(deviceId), storeEvents(option));
  const table = isTable(option) ? parsePskTable(option) : new Map([['default', parsePskAnswer(option, 'psk')]]);
  const weak = [...table].filter(([, psks]) => psks.some(isLowEntropyPsk)).map(([key]) => key);
  return { find: (deviceId) => findIn(table, deviceId), events$: weak.length > 0 ? of(weakPsks(weak)) : EMPTY };
}

const isStore = (option: unknown): option is PskStore =>
  typeof option === 'object' && option !== null && 'lookUp' in option && typeof option.lookUp === 'function';

const isTable = (option: unknown): option is PskTable =>
  typeof option === 'object' && option !== null && !(option instanceof Uint8Array) && !Array.isArray(option);

const isPromise = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';

function storeEvents({ events$ = EMPTY }: PskStore): Observable<PskStoreEvent> {
  return events$.pipe(
    catchError((cause: unknown) => of({ type: 'psk-store-failed' as const, error: lookUpFailed(cause) })),
  );
}

/** What is only known once it is asked for is checked then, and warned of once. */
function lookedUp(lookUp: PskFunction, events$: Observable<PskStoreEvent>): PskSource {
  const warnings$ = new Subject<PskSourceEvent>();
  let hasWarned = false;
  const parse = (answer: unknown, deviceId: string): readonly Secret[] => {
    if (answer === undefined || answer === null) return [];
    const psks = parsePskAnswer(answer, `psk of ${deviceId}`);
    if (!hasWarned && psks.some(isLowEntropyPsk)) {
      hasWarned = true;
      warnings$.next(weakPsks([deviceId]));
    }
    return psks;
  };
  return {
    events$: merge(events$, warnings$),
    find: (deviceId) => {
      try {
        const answer: unknown = lookUp(deviceId);
        if (!isPromise(answer)) return parse(answer, deviceId);
        return Promise.resolve(answer)
          .then((later) => parse(later, deviceId))
          .catch((cause: unknown) => Promise.reject(lookUpFailed(cause)));
      } catch (cause) {
        throw lookUpFailed(cause);
      }
    },
  };
}

function weakPsks(whose: readonly string[]): PskSourceEvent {
  const more = whose.length > 3 ? ` and ${whose.length - 3} more` : '';
  const names = `${whose.slice(0, 3).join(', ')}${more}`;
  return { type: 'warning', message: `a PSK can be guessed from one recorded handshake; use generatePsk(): ${names}` };
}

const lookUpFailed = (cause: unknown): UsmpError =>
  new HandshakeError('PSK_LOOKUP_FAILED', 'looking the PSK up failed', { cause, origin: 'local' });

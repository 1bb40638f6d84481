import { readFileSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  auditTime,
  catchError,
  EMPTY,
  filter,
  interval,
  map,
  merge,
  Observable,
  of,
  share,
  switchMap,
  type SchedulerLike,
} from 'rxjs';
import { checkDurationMs, checkText } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import { parsePskJson } from './psk-json.js';
import type { PskStore, PskStoreEvent } from './psk-source.js';
import { findIn, type ParsedPsks, type PskAnswer } from './psk-table.js';

export interface PskFileOptions {
  /** How often the file is read where the system does not tell of changes; the default is 10 s. */
  readonly pollIntervalMs?: number;
  /** Where time passes; the default is real time. */
  readonly scheduler?: SchedulerLike;
}

/** An editor takes several steps to write a file: it is read this long after the first one. */
const SETTLE_MS = 100;

/** The file's text, or why it can't be had. */
type Reading = string | Error;

/**
 * PSKs in a JSON file by device id, with `default` for all others. A list holds the new and the old PSK of a device while the
 * new one is rotated in; `hex:` stands before bytes:
 *
 *     { "default": "…", "00:11:22:33:44:55": ["new …", "old …"], "00:11:22:33:44:66": "hex:00112233…" }
 *
 * The file is read at once, and while a server uses it again whenever it changes, written in place or replaced. A file that
 * can't be read or understood then is reported, and what was there before stays in use. Sessions live on when their PSK is
 * taken away.
 * @throws ConfigError `CONFIG_OPTION`, `CONFIG_PSK` or `CONFIG_DEVICE_ID` where the file is not right from the beginning
 */
export const pskFile = (path: string, options: PskFileOptions = {}): PskStore => new PskFile(path, options);

class PskFile implements PskStore {
  /** The file is watched while somebody is subscribed. */
  readonly events$: Observable<PskStoreEvent>;
  readonly #path: string;
  #reading: Reading;
  #psks: ParsedPsks;

  constructor(path: string, { pollIntervalMs = 10_000, scheduler = defaultScheduler }: PskFileOptions) {
    checkText('PSK file', path);
    checkDurationMs('pollIntervalMs', pollIntervalMs, 1);
    this.#path = path;
    this.#reading = readNow(path);
    this.#psks = this.#parse(this.#reading);
    this.events$ = merge(of('watching'), changesIn(dirname(path)), interval(pollIntervalMs, scheduler)).pipe(
      auditTime(SETTLE_MS, scheduler),
      switchMap(() => readLater(path)),
      filter((reading) => !isSame(reading, this.#reading)),
      map((reading) => this.#take(reading)),
      share(),
    );
  }

  lookUp(deviceId: string): PskAnswer | undefined {
    const psks = findIn(this.#psks, deviceId);
    return psks.length === 0 ? undefined : psks.map((psk) => psk.expose().slice());
  }

  #take(reading: Reading): PskStoreEvent {
    this.#reading = reading;
    try {
      this.#psks = this.#parse(reading);
      return { type: 'psk-store-reloaded' };
    } catch (error) {
      return { type: 'psk-store-failed', error: error as ConfigError };
    }
  }

  #parse(reading: Reading): ParsedPsks {
    const what = `PSK file ${this.#path}`;
    if (typeof reading !== 'string') {
      throw new ConfigError('CONFIG_OPTION', `${what}: ${reading.message}`, { cause: reading });
    }
    try {
      return parsePskJson(reading);
    } catch (error) {
      const { code, message } = error as ConfigError;
      throw new ConfigError(code, `${what}: ${message}`);
    }
  }
}

/**
 * Tells that something in a directory changed: a file that is replaced, or is a link to one that is, can't be watched itself.
 * Where the system can't watch at all it completes, and reading from time to time is what is left.
 */
function changesIn(directory: string): Observable<unknown> {
  const changes$ = new Observable((subscriber) => {
    const watcher = watch(directory, { persistent: false }, (event) => subscriber.next(event));
    watcher.on('error', (error) => subscriber.error(error));
    return () => watcher.close();
  });
  return changes$.pipe(catchError(() => EMPTY));
}

function readNow(path: string): Reading {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return error as Error;
  }
}

const readLater = (path: string): Promise<Reading> => readFile(path, 'utf8').catch((error: unknown) => error as Error);

const isSame = (a: Reading, b: Reading): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : a.message === b.message;

import {
  animationFrameScheduler,
  asyncScheduler,
  auditTime,
  BehaviorSubject,
  bufferTime,
  connectable,
  filter,
  interval,
  map,
  merge,
  ReplaySubject,
  scan,
  startWith,
  Subscription,
  tap,
  throttleTime,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import type { BridgeConnection, BridgeState } from 'usmp-rx/bridge-client';
import { NO_INCIDENTS, withEvent, type Incidents } from './failures/incidents.js';
import { clockAhead } from './gateway-clock.js';
import { NO_FLEET, withDevices, withMessages, withRates, type Fleet } from './overview/fleet.js';
import { askedAgain } from './refusal.js';

const SAMPLE_MS = 1_000;
const GATHER_MS = 500;

/** All that pages show, kept as long as the browser's tab shows any of them. Each observable gives what it has first. */
export interface Live {
  /** Its observables never error: `refusal$` says it. */
  readonly bridge: BridgeConnection;
  readonly state$: Observable<BridgeState>;
  readonly fleet$: Observable<Fleet>;
  readonly incidents$: Observable<Incidents>;
  readonly missed$: Observable<number>;
  /** Why the gateway refused to tell something in this connection; empty where it did not. */
  readonly refusal$: Observable<string>;
  /** The gateway's time now, in milliseconds since 1970. */
  readonly now: () => number;
  close(): void;
}

export function live(connection: BridgeConnection): Live {
  const running = new Subscription();
  const refusal$ = new BehaviorSubject('');
  function unlessRefused<T>(source$: Observable<T>): Observable<T> {
    return source$.pipe(askedAgain(connection.connection$, (why) => refusal$.next(why)));
  }
  const bridge: BridgeConnection = {
    ...connection,
    devices$: unlessRefused(connection.devices$),
    events$: unlessRefused(connection.events$),
    messages$: (deviceId, options) => unlessRefused(connection.messages$(deviceId, options)),
  };
  let ahead = Infinity;
  function kept<T>(source$: Observable<T>): Observable<T> {
    const kept$ = connectable(source$, { connector: () => new ReplaySubject<T>(1), resetOnDisconnect: false });
    running.add(kept$.connect());
    return kept$;
  }

  const connecting$ = bridge.connection$.pipe(filter(({ name }) => name === 'connecting'));
  running.add(connecting$.subscribe(() => refusal$.next('')));

  const samples$ = bridge.messages$(undefined, { everyMs: SAMPLE_MS }).pipe(
    tap(({ atMs }) => (ahead = clockAhead(ahead, atMs, Date.now()))),
    bufferTime(GATHER_MS),
    filter((messages) => messages.length > 0),
  );
  const changes$: Observable<(fleet: Fleet) => Fleet> = merge(
    bridge.devices$.pipe(map((devices) => (fleet: Fleet) => withDevices(fleet, devices))),
    samples$.pipe(map((messages) => (fleet: Fleet) => withMessages(fleet, messages))),
    interval(SAMPLE_MS).pipe(map(() => withRates)),
  );

  return {
    bridge,
    state$: kept(bridge.connection$),
    fleet$: kept(
      changes$.pipe(
        scan((fleet, change) => change(fleet), NO_FLEET),
        startWith(NO_FLEET),
      ),
    ),
    incidents$: kept(bridge.events$.pipe(scan(withEvent, NO_INCIDENTS), startWith(NO_INCIDENTS))),
    missed$: kept(bridge.missed$.pipe(startWith(0))),
    refusal$,
    now: () => Date.now() - (Number.isFinite(ahead) ? ahead : 0),
    close() {
      bridge.close();
      running.unsubscribe();
    },
  };
}

/** The first and then the latest per so many milliseconds, and none while the page is hidden: what is to be drawn. */
export const drawnEvery =
  <T>(ms: number): MonoTypeOperatorFunction<T> =>
  (source$) =>
    source$.pipe(
      throttleTime(ms, asyncScheduler, { leading: true, trailing: true }),
      auditTime(0, animationFrameScheduler),
    );

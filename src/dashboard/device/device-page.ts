import {
  bufferTime,
  combineLatest,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  BehaviorSubject,
  Subscription,
} from 'rxjs';
import type { BridgeDevice, BridgeMessage } from 'usmp-rx/bridge-client';
import { el, setClass, setText } from '../dom.js';
import { icon } from '../icons.js';
import { drawnEvery, type Live } from '../live.js';
import type { Page } from '../page/page.js';
import { commandObstacle } from '../permission.js';
import { numbersIn } from '../readings.js';
import { hashOf } from '../router.js';
import { chartPanel } from './chart-panel.js';
import { EMPTY_LOG, noteOf, withDelivery, withEntries, type Delivery, type Log } from './log.js';
import { logPanel } from './log-panel.js';
import { pingPanel } from './ping-panel.js';
import { sendBox } from './send-box.js';
import { sessionPanel } from './session-panel.js';

const GATHER_MS = 200;
const DRAW_MS = 250;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function devicePage({ bridge, state$, fleet$, now }: Live, deviceId: string): Page {
  const log$ = new BehaviorSubject<Log>(EMPTY_LOG);
  const running = new Subscription();
  const device$ = fleet$.pipe(
    map(({ devices }) => devices.find((device) => device.deviceId === deviceId)),
    distinctUntilChanged(),
  );

  const send = (payload: Uint8Array): void => {
    const n = log$.value.nextN;
    const settle = (delivery: Delivery): void => log$.next(withDelivery(log$.value, n, delivery));
    log$.next(withEntries(log$.value, [{ kind: 'sent', atMs: now(), payload, delivery: 'sending' }]));
    bridge.send(deviceId, payload).then(
      () => settle('delivered'),
      (error: unknown) => settle({ failed: messageOf(error) }),
    );
  };
  const box = sendBox(send);
  const chart = chartPanel();
  const log = logPanel(box.element);
  const pings = pingPanel(() => bridge.ping(deviceId), now, messageOf);
  const session = sessionPanel(deviceId, () => bridge.end(deviceId), messageOf);
  const presence = el('span', { class: 'state-badge' });
  const element = el(
    'div',
    { class: 'page device' },
    el(
      'div',
      { class: 'device-head' },
      el(
        'a',
        { class: 'back', attributes: { href: hashOf({ name: 'overview' }), 'aria-label': 'Back to the fleet' } },
        icon('back'),
      ),
      el('h1', { class: 'mono', text: deviceId }),
      presence,
    ),
    el(
      'div',
      { class: 'device-columns' },
      el('div', { class: 'device-main' }, chart.element, log.element),
      el('div', { class: 'device-side' }, session.element, pings.element),
    ),
  );

  const receive = (messages: readonly BridgeMessage[]): void => {
    chart.add(messages.map(({ atMs, payload }) => ({ atMs, values: numbersIn(payload) })));
    log$.next(
      withEntries(
        log$.value,
        messages.map(({ atMs, payload }) => ({ kind: 'received', atMs, payload })),
      ),
    );
  };
  const drawDevice = (device: BridgeDevice | undefined): void => {
    setText(presence, device ? (device.isOnline ? 'online' : 'no session') : 'not known');
    setClass(presence, 'is-good', device?.isOnline === true);
    session.draw(device, now());
  };
  const allow = (obstacle: string | undefined): void => {
    for (const panel of [box, pings, session]) panel.allow(obstacle);
  };

  running.add(
    bridge
      .messages$(deviceId)
      .pipe(
        bufferTime(GATHER_MS),
        filter((messages) => messages.length > 0),
      )
      .subscribe(receive),
  );
  running.add(
    bridge.events$
      .pipe(
        filter((event) => 'deviceId' in event && event.deviceId === deviceId),
        map(noteOf),
        filter((note) => note !== undefined),
      )
      .subscribe((note) => log$.next(withEntries(log$.value, [note]))),
  );
  // What was sampled before one came here, so that the chart does not begin at nothing.
  let isSeeded = false;
  running.add(
    fleet$.subscribe(({ traces }) => {
      if (!isSeeded) chart.add(traces.get(deviceId)?.readings ?? []);
      isSeeded = true;
    }),
  );
  running.add(log$.pipe(drawnEvery(DRAW_MS)).subscribe((value) => log.draw(value)));
  running.add(
    merge(log$, interval(1_000))
      .pipe(drawnEvery(DRAW_MS))
      .subscribe(() => chart.draw(now())),
  );
  running.add(combineLatest([device$, interval(1_000)]).subscribe(([device]) => drawDevice(device)));
  running.add(device$.subscribe(drawDevice));
  running.add(
    combineLatest([state$, device$])
      .pipe(
        map(([state, device]) => commandObstacle(state, device)),
        distinctUntilChanged(),
      )
      .subscribe(allow),
  );
  for (const panel of [chart, log, pings]) running.add(() => panel.close());

  return {
    title: deviceId,
    element,
    keys: {
      Escape: () => (window.location.hash = hashOf({ name: 'overview' })),
      c: () => box.focus(),
      p: () => pings.ping(),
      v: () => log.nextView(),
    },
    leave: () => running.unsubscribe(),
  };
}

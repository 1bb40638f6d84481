import type { Subscription } from 'rxjs';
import { EMPTY, interval, startWith, Subject, switchMap } from 'rxjs';
import { el, setText } from '../dom.js';
import { formatDuration } from '../format.js';
import { icon } from '../icons.js';
import { NO_ROUND_TRIPS, summaryOf, withRoundTrip, type RoundTrips } from './round-trips.js';
import { TimeChart } from './time-chart.js';

/** Far from what fielded devices take for a flood. */
const EVERY_MS = 5_000;
/** So that a first answer is not stretched over the whole width. */
const LEAST_SPAN_MS = 60_000;

export interface PingPanel {
  readonly element: HTMLElement;
  ping(): void;
  /** @param obstacle why the device can't be asked now; undefined where it can */
  allow(obstacle: string | undefined): void;
  close(): void;
}

/** Asks the device whether it is there, and draws how long its answers take. */
export function pingPanel(
  ping: () => Promise<number>,
  now: () => number,
  messageOf: (error: unknown) => string,
): PingPanel {
  let roundTrips: RoundTrips = NO_ROUND_TRIPS;
  let obstacle: string | undefined;
  let isAsking = false;
  const button = el(
    'button',
    { attributes: { type: 'button' }, on: { click: () => void ask() } },
    icon('ping'),
    el('span', { text: 'Ping' }),
  );
  const repeat = el('input', {
    attributes: { type: 'checkbox' },
    on: { change: () => repeated$.next(repeat.checked) },
  });
  const figures = ['last', 'min', 'median', 'max'].map((name) => ({ name, value: el('dd', { text: '–' }) }));
  const note = el('p', { class: 'muted note', attributes: { role: 'status' } });
  const swatch = el('span', { class: 'swatch colour-0' });
  const chart = new TimeChart({ label: 'Round trips over time, in milliseconds', height: 130, dots: true });
  const element = el(
    'section',
    { class: 'card ping-panel', attributes: { 'aria-label': 'Round trip' } },
    el('div', { class: 'card-head' }, el('h2', { text: 'Round trip' }), swatch),
    el('dl', { class: 'figures' }, ...figures.map(({ name, value }) => el('div', {}, el('dt', { text: name }), value))),
    chart.element,
    note,
    el('div', { class: 'actions' }, button, el('label', { class: 'check' }, repeat, `every ${EVERY_MS / 1_000} s`)),
  );

  async function ask(): Promise<void> {
    if (obstacle !== undefined || isAsking) return;
    isAsking = true;
    setText(note, 'asking …');
    try {
      roundTrips = withRoundTrip(roundTrips, now(), await ping());
      setText(note, '');
      draw();
    } catch (error) {
      setText(note, messageOf(error));
    } finally {
      isAsking = false;
    }
  }

  function draw(): void {
    const summary = summaryOf(roundTrips);
    element.classList.toggle('is-empty', !summary);
    if (!summary) return;
    const { lastMs, minMs, medianMs, maxMs } = summary;
    [lastMs, minMs, medianMs, maxMs].forEach((ms, at) => setText(figures[at]!.value, formatDuration(ms)));
    const { times, roundTripsMs } = roundTrips;
    const toMs = times.at(-1)!;
    const fromMs = Math.min(times[0]!, toMs - LEAST_SPAN_MS);
    chart.show({ times, lines: [{ values: roundTripsMs, swatch }], fromMs, toMs: toMs + (toMs - fromMs) / 20 });
  }

  const repeated$ = new Subject<boolean>();
  const running: Subscription = repeated$
    .pipe(switchMap((isOn) => (isOn ? interval(EVERY_MS).pipe(startWith(0)) : EMPTY)))
    .subscribe(() => void ask());
  draw();

  return {
    element,
    ping: () => void ask(),
    allow(newObstacle) {
      obstacle = newObstacle;
      button.disabled = repeat.disabled = obstacle !== undefined;
      setText(note, obstacle ?? '');
    },
    close() {
      running.unsubscribe();
      chart.close();
    },
  };
}

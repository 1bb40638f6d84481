import { el, setText } from '../dom.js';
import { formatNumber } from '../format.js';
import { choice } from '../page/choice.js';
import type { Reading } from '../readings.js';
import { Legend } from './legend.js';
import { KEPT_MS, lastOf, NO_SERIES, withReadings, type Series } from './series.js';
import { TimeChart } from './time-chart.js';

const SPANS = ['1 min', '5 min', '15 min'] as const;
type Span = (typeof SPANS)[number];
const SPAN_MS: Readonly<Record<Span, number>> = { '1 min': 60_000, '5 min': 300_000, '15 min': KEPT_MS };
/** While there is little to show, the chart shows little time. */
const LEAST_SPAN_MS = 20_000;

export interface ChartPanel {
  readonly element: HTMLElement;
  add(readings: readonly Reading[]): void;
  /** @param now the gateway's time */
  draw(now: number): void;
  close(): void;
}

/** The numbers of a device over time. */
export function chartPanel(): ChartPanel {
  let series: Series = NO_SERIES;
  let span: Span = '1 min';
  let drawnAtMs = 0;
  let pointed: number | undefined;
  const legend = new Legend(() => draw(drawnAtMs));
  const chart = new TimeChart({
    label: 'The numeric fields of the messages over time',
    height: 210,
    onPoint(index) {
      pointed = index;
      showValues();
    },
  });
  const spans = choice(
    'Time shown',
    SPANS,
    (value) => value,
    (value) => {
      span = value;
      draw(drawnAtMs);
    },
  );
  const empty = el('p', { class: 'empty' });
  const element = el(
    'section',
    { class: 'card chart-panel', attributes: { 'aria-label': 'Values' } },
    el('div', { class: 'card-head' }, el('h2', { text: 'Values' }), legend.element, spans.element),
    chart.element,
    empty,
  );

  function showValues(): void {
    series.fields.forEach((field, at) => {
      const value = pointed === undefined ? lastOf(series, field) : series.columns[at]?.[pointed];
      legend.show(field, typeof value === 'number' ? formatNumber(value) : '–');
    });
  }

  function draw(nowMs: number): void {
    drawnAtMs = nowMs;
    spans.show(span);
    const isEmpty = series.fields.length === 0;
    element.classList.toggle('is-empty', isEmpty);
    setText(empty, isEmpty ? 'No message with numbers in JSON so far: there is nothing to draw.' : '');
    if (isEmpty) return;
    showValues();
    const toMs = Math.max(nowMs, series.times.at(-1) ?? 0);
    const startMs = Math.min(series.times[0] ?? toMs, toMs - LEAST_SPAN_MS);
    const lines = series.fields
      .map((field, at) => ({ field, values: series.columns[at]!, swatch: legend.swatchOf(field) }))
      .filter(({ field }) => legend.isShown(field));
    chart.show({ times: series.times, lines, fromMs: Math.max(toMs - SPAN_MS[span], startMs), toMs });
  }

  return {
    element,
    add: (readings) => (series = withReadings(series, readings)),
    draw,
    close: () => chart.close(),
  };
}

import uPlot from 'uplot';
import { el } from '../dom.js';
import { formatNumber, formatTime } from '../format.js';

/** A line of a chart. */
export interface Line {
  readonly values: readonly (number | null)[];
  /** Gives the line its colour, by its own. */
  readonly swatch: Element;
}

export interface ChartData {
  /** Milliseconds since 1970, rising. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TimeChartOptions {
  readonly label: string;
  /** In pixels. */
  readonly height: number;
  /** A dot at each value. */
  readonly dots?: boolean;
  /** Which point the pointer is at; none where it is elsewhere. */
  readonly onPoint?: (index: number | undefined) => void;
}

/** The sides of uPlot. */
const LEFT = 3;
const RIGHT = 1;
const GRID_PX = 1;
const LEAST_WIDTH_PX = 120;
const LINE_PX = 1.75;

/** Lines over time. Each has a scale of its own; the first two have axes. */
export class TimeChart {
  readonly element: HTMLElement;
  readonly #options: TimeChartOptions;
  readonly #resizes: ResizeObserver;
  #plot: uPlot | undefined;
  #data: ChartData = { times: [], lines: [], fromMs: 0, toMs: 1 };

  constructor(options: TimeChartOptions) {
    this.#options = options;
    this.element = el('div', { class: 'chart', attributes: { role: 'img', 'aria-label': options.label } });
    this.#resizes = new ResizeObserver(() => this.#plot?.setSize(this.#size()));
    this.#resizes.observe(this.element);
  }

  show(data: ChartData): void {
    const isSame =
      data.lines.length === this.#data.lines.length &&
      data.lines.every(({ swatch }, at) => swatch === this.#data.lines[at]?.swatch);
    this.#data = data;
    const columns = [data.times, ...data.lines.map(({ values }) => values)] as uPlot.AlignedData;
    if (this.#plot && isSame) {
      this.#plot.setData(columns);
    } else {
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#plotOptions(), columns, this.element);
    }
  }

  close(): void {
    this.#resizes.disconnect();
    this.#plot?.destroy();
  }

  #size(): { readonly width: number; readonly height: number } {
    const { paddingLeft, paddingRight } = getComputedStyle(this.element);
    const width = this.element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
    return { width: Math.max(width, LEAST_WIDTH_PX), height: this.#options.height };
  }

  #plotOptions(): uPlot.Options {
    const { lines } = this.#data;
    const { onPoint, dots = false } = this.#options;
    return {
      ...this.#size(),
      ms: 1,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 7 } },
      scales: { x: { range: () => [this.#data.fromMs, this.#data.toMs] } },
      series: [
        {},
        ...lines.map(({ swatch }, at) => ({
          scale: `y${at}`,
          stroke: () => colourOf(swatch),
          width: LINE_PX,
          spanGaps: true,
          points: { show: dots, size: 5 },
        })),
      ],
      axes: [this.#timeAxis(), ...lines.slice(0, 2).map((_, at) => this.#valueAxis(at))],
      hooks: { setCursor: [({ cursor }) => onPoint?.(cursor.idx ?? undefined)] },
    };
  }

  /** Colours are asked for at each drawing, so that they follow the theme. */
  #timeAxis(): uPlot.Axis {
    return {
      stroke: () => colourOf(this.element),
      grid: { stroke: () => this.#gridColour(), width: GRID_PX },
      ticks: { show: false },
      space: 84,
      size: 28,
      values: (_, splits) => splits.map(formatTime),
    };
  }

  #valueAxis(at: number): uPlot.Axis {
    const isAlone = this.#data.lines.length === 1;
    return {
      scale: `y${at}`,
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enumeration exists in the declarations alone
      side: at === 0 ? LEFT : RIGHT,
      stroke: () => colourOf(isAlone ? this.element : this.#data.lines[at]!.swatch),
      grid: { show: at === 0, stroke: () => this.#gridColour(), width: GRID_PX },
      ticks: { show: false },
      space: 36,
      size: 52,
      values: (_, splits) => splits.map(formatNumber),
    };
  }

  #gridColour(): string {
    return getComputedStyle(this.element).borderTopColor;
  }
}

const colourOf = (element: Element): string => getComputedStyle(element).color;

/** The rows of a long list that are worth having in the document. */
export interface VisibleRange {
  readonly first: number;
  /** The one after the last. */
  readonly end: number;
}

export interface Viewport {
  /** How far the list's start is above the top of what is seen, in pixels; negative where it is below. */
  readonly top: number;
  readonly height: number;
}

/** A few more than are seen, so that a quick scroll meets no gap. */
const SPARE_ROWS = 6;

export function visibleRange({ top, height }: Viewport, rowHeight: number, count: number): VisibleRange {
  const first = Math.floor(top / rowHeight) - SPARE_ROWS;
  const end = Math.ceil((top + height) / rowHeight) + SPARE_ROWS;
  return { first: within(first, count), end: within(end, count) };
}

const within = (index: number, count: number): number => Math.max(0, Math.min(count, index));

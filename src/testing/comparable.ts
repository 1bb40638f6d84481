import { UsmpError } from '../protocol/index.js';
import { text } from './text.js';

/**
 * What a TestScheduler recorded, with messages as texts and UsmpErrors as their codes, so that `'-a-b-#'` compares with
 * messages `a` and `b` and an error like `'CLOSED_WITHOUT_BYE'`:
 * `new TestScheduler((actual, expected) => assert.deepEqual(comparable(actual), comparable(expected)))`.
 */
export function comparable(recorded: unknown): unknown {
  if (recorded instanceof Uint8Array) return text(recorded);
  if (recorded instanceof UsmpError) return recorded.code;
  if (Array.isArray(recorded)) return recorded.map(comparable);
  if (typeof recorded !== 'object' || recorded === null || Object.getPrototypeOf(recorded) !== Object.prototype) {
    return recorded;
  }
  return Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, comparable(value)]));
}

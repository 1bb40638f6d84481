import { stdout } from 'node:process';

/**
 * @typedef {object} Guard
 * @property {string} name What is counted, for what.
 * @property {number} counted
 * @property {number} limit More is a regression.
 * @property {number} least Less than the work needs at the very least means that the guard counts wrongly.
 */

/** Hands the guards of this process to the one that started it. @param {Guard[]} guards */
export function report(guards) {
  stdout.write(JSON.stringify(guards), () => process.exit());
}

/** What is counted in ones: no work at all can be done with none. @returns {Guard} */
export const atMost = (limit, name, counted) => ({ name, counted, limit, least: 1 });

/** What must not happen at all. @returns {Guard} */
export const never = (name, counted) => ({ name, counted, limit: 0, least: 0 });

/** @throws Error where a guard has not done the work that it counts for */
export function check(isTrue, what) {
  if (!isTrue) throw new Error(what);
}

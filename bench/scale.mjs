/**
 * How much is measured. `full` is for publishing; `quick` shows in two minutes where things stand; `smoke` shows that the suite
 * works.
 *
 * @typedef {object} Scale
 * @property {number} rounds
 * @property {number} ms One measurement of one competitor.
 * @property {number} warmUpMs Before, not counted.
 * @property {boolean} allPeers Or only those that say most.
 * @property {number[]} sizes Of messages in bytes, for the matrix of USMP alone.
 * @property {number} sessions The larger number of sessions at work.
 * @property {number[]} idleSessions
 * @property {number} memoryRounds Each takes fresh processes.
 * @property {number[]} dashboards
 *
 * @type {Record<string, Scale>}
 */
export const scales = {
  full: {
    rounds: 7,
    ms: 1_000,
    warmUpMs: 3_000,
    allPeers: true,
    sizes: [16, 64, 452, 1808],
    sessions: 1_000,
    idleSessions: [1_000, 10_000],
    memoryRounds: 3,
    dashboards: [1, 10, 100],
  },
  quick: {
    rounds: 3,
    ms: 150,
    warmUpMs: 700,
    allPeers: false,
    sizes: [64],
    sessions: 500,
    idleSessions: [1_000],
    memoryRounds: 1,
    dashboards: [1, 100],
  },
  smoke: {
    rounds: 1,
    ms: 20,
    warmUpMs: 20,
    allPeers: false,
    sizes: [64],
    sessions: 20,
    idleSessions: [50],
    memoryRounds: 1,
    dashboards: [2],
  },
};

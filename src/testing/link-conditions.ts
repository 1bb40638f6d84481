import { checkDurationMs, checkOptions } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/index.js';

/** A time in which whatever is sent is lost; in milliseconds since the network was made. */
export interface Blackout {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How bad one direction of a network is; the default of everything is 0 or none. Probabilities are from 0 to 1. */
export interface LinkConditions {
  /** How probably a datagram is lost. */
  readonly loss?: number;
  /** How probably one that is not lost arrives twice; each copy meets the faults below on its own. */
  readonly duplication?: number;
  /** How probably a copy is held back by `reorderingMs`, so that later ones overtake it. */
  readonly reordering?: number;
  /** The default is 200. */
  readonly reorderingMs?: number;
  /** How probably a copy arrives with other bytes than it was sent with: bits flipped, shorter, or longer. */
  readonly corruption?: number;
  /** One way. With 0 a datagram still does not arrive within the call that sends it. */
  readonly delayMs?: number;
  /** What comes on top of `delayMs`, uniformly distributed in whole milliseconds from 0 on. It reorders as well. */
  readonly jitterMs?: number;
  readonly blackouts?: readonly Blackout[];
}

/**
 * Complete conditions, as a copy.
 * @param name what an error calls the conditions
 * @throws ConfigError `CONFIG_OPTION` that names the field
 */
export function checkConditions(name: string, conditions: LinkConditions): Required<LinkConditions> {
  const given = checkOptions(name, conditions);
  const probability = (field: 'loss' | 'duplication' | 'reordering' | 'corruption'): number =>
    checkProbability(`${name}.${field}`, given[field] ?? 0);
  const durationMs = (field: 'delayMs' | 'jitterMs' | 'reorderingMs', standardMs: number): number =>
    checkDurationMs(`${name}.${field}`, given[field] ?? standardMs);
  return {
    loss: probability('loss'),
    duplication: probability('duplication'),
    reordering: probability('reordering'),
    reorderingMs: durationMs('reorderingMs', 200),
    corruption: probability('corruption'),
    delayMs: durationMs('delayMs', 0),
    jitterMs: durationMs('jitterMs', 0),
    blackouts: (given.blackouts ?? []).map((blackout, n) => checkBlackout(`${name}.blackouts[${n}]`, blackout)),
  };
}

function checkProbability(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected a probability from 0 to 1`);
}

function checkBlackout(name: string, blackout: Blackout): Blackout {
  const fromMs = checkDurationMs(`${name}.fromMs`, checkOptions(name, blackout).fromMs);
  return { fromMs, toMs: checkDurationMs(`${name}.toMs`, blackout.toMs, fromMs) };
}

import type { Typed } from './command.js';

/** The commands that were sent from here, and the one that is being typed, as in a shell. */
export interface CommandHistory {
  readonly commands: readonly Typed[];
  /** Which of them is shown; as many as there are for the draft. */
  readonly at: number;
  /** What was typed before one went back. */
  readonly draft: Typed;
}

const NOTHING: Typed = { text: '', notation: 'text' };
export const NO_COMMANDS: CommandHistory = { commands: [], at: 0, draft: NOTHING };
const MAX_COMMANDS = 100;

/** The same command twice in a row is kept once. */
export function withCommand({ commands }: CommandHistory, command: Typed): CommandHistory {
  const last = commands.at(-1);
  const isSame = last?.text === command.text && last.notation === command.notation;
  const kept = isSame ? commands : [...commands, command].slice(-MAX_COMMANDS);
  return { commands: kept, at: kept.length, draft: { ...command, text: '' } };
}

/** What the box shows now is kept as the draft when one leaves it. */
export function older(history: CommandHistory, shown: Typed): CommandHistory {
  const { commands, at, draft } = history;
  if (at === 0) return history;
  return { commands, at: at - 1, draft: at === commands.length ? shown : draft };
}

export function newer(history: CommandHistory): CommandHistory {
  return history.at === history.commands.length ? history : { ...history, at: history.at + 1 };
}

export const shownOf = ({ commands, at, draft }: CommandHistory): Typed => commands[at] ?? draft;

/** The commands that were sent from here, and the one that is being typed, as in a shell. */
export interface CommandHistory {
  readonly commands: readonly string[];
  /** Which of them is shown; as many as there are for the draft. */
  readonly at: number;
  /** What was typed before one went back. */
  readonly draft: string;
}

export const NO_COMMANDS: CommandHistory = { commands: [], at: 0, draft: '' };
const MAX_COMMANDS = 100;

/** The same command twice in a row is kept once. */
export function withCommand({ commands }: CommandHistory, command: string): CommandHistory {
  const kept = commands.at(-1) === command ? commands : [...commands, command].slice(-MAX_COMMANDS);
  return { commands: kept, at: kept.length, draft: '' };
}

/** What the box shows now is kept as the draft when one leaves it. */
export function older(history: CommandHistory, shown: string): CommandHistory {
  const { commands, at, draft } = history;
  if (at === 0) return history;
  return { commands, at: at - 1, draft: at === commands.length ? shown : draft };
}

export function newer(history: CommandHistory): CommandHistory {
  return history.at === history.commands.length ? history : { ...history, at: history.at + 1 };
}

export const shownOf = ({ commands, at, draft }: CommandHistory): string => commands[at] ?? draft;

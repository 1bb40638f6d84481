import { el, setAttribute, setText } from '../dom.js';
import { icon } from '../icons.js';
import { commandOf, NOTATIONS, type Notation, type Typed } from './command.js';
import { newer, NO_COMMANDS, older, shownOf, withCommand, type CommandHistory } from './command-history.js';

const NOTATION_NAMES: Readonly<Record<Notation, string>> = { text: 'Text', hex: 'Hex' };

export interface SendBox {
  readonly element: HTMLElement;
  focus(): void;
  /** @param obstacle why nothing can be sent now; undefined where it can */
  allow(obstacle: string | undefined): void;
}

/** Of all devices, so that the same command is at hand for the next one; in memory alone, since commands may be secret. */
let history: CommandHistory = NO_COMMANDS;

/** Where commands are typed; the arrow keys go through those of before. */
export function sendBox(onSend: (data: Uint8Array) => void): SendBox {
  const input = el('input', {
    class: 'mono',
    attributes: {
      placeholder: 'Send a command',
      'aria-label': 'Command',
      'aria-describedby': 'send-note',
      autocomplete: 'off',
      spellcheck: 'false',
      enterkeyhint: 'send',
    },
    on: { keydown: (event) => onKey(event), input: () => note('') },
  });
  const notation = el(
    'select',
    { attributes: { 'aria-label': 'The command is' } },
    ...NOTATIONS.map((value) => el('option', { text: NOTATION_NAMES[value], attributes: { value } })),
  );
  const button = el(
    'button',
    { class: 'primary', attributes: { type: 'submit' } },
    icon('send'),
    el('span', { text: 'Send' }),
  );
  const noteLine = el('p', { class: 'send-note', attributes: { id: 'send-note', role: 'status' } });
  const element = el(
    'form',
    {
      class: 'send-box',
      on: {
        submit(event) {
          event.preventDefault();
          submit();
        },
      },
    },
    el('div', { class: 'send-line' }, notation, input, button),
    noteLine,
  );
  let obstacle: string | undefined;

  const typed = (): Typed => ({ text: input.value, notation: NOTATIONS[notation.selectedIndex]! });
  const note = (text: string): void => setText(noteLine, obstacle ?? text);

  function submit(): void {
    if (obstacle !== undefined) return;
    const command = commandOf(typed());
    if ('problem' in command) return note(command.problem);
    onSend(command.data);
    history = withCommand(history, typed());
    input.value = '';
    note('');
  }

  function onKey(event: KeyboardEvent): void {
    // While an input method composes a character, the arrow keys choose among its proposals.
    if ((event.key !== 'ArrowUp' && event.key !== 'ArrowDown') || event.isComposing) return;
    event.preventDefault();
    const next = event.key === 'ArrowUp' ? older(history, typed()) : newer(history);
    // At either end what is typed stays.
    if (next === history) return;
    history = next;
    ({ text: input.value, notation: notation.value } = shownOf(history));
  }

  return {
    element,
    focus: () => input.focus(),
    allow(newObstacle) {
      obstacle = newObstacle;
      for (const control of [input, notation, button]) control.disabled = obstacle !== undefined;
      setAttribute(button, 'title', obstacle);
      note('');
    },
  };
}

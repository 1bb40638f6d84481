import { el } from '../dom.js';

const SHORTCUTS: readonly (readonly [place: string, keys: readonly (readonly [key: string, does: string])[]])[] = [
  [
    'Everywhere',
    [
      ['1', 'the fleet'],
      ['2', 'failures'],
      ['t', 'theme: as the system has it, light, dark'],
      ['?', 'this list'],
      ['Tab', 'from control to control'],
    ],
  ],
  [
    'Fleet',
    [
      ['/', 'find a device'],
      ['j  k', 'next and previous device'],
      ['Enter', 'open the device'],
    ],
  ],
  [
    'Device',
    [
      ['c', 'type a command'],
      ['↑  ↓', 'in the command: those of before; in the log: line by line'],
      ['p', 'ping'],
      ['v', 'log as text, JSON, hex'],
      ['Esc', 'back to the fleet'],
    ],
  ],
];

/** The keyboard shortcuts. Appended when shown, gone when closed. */
export function showHelp(): void {
  if (document.querySelector('dialog[open]')) return;
  const dialog = el(
    'dialog',
    { class: 'dialog help', attributes: { 'aria-label': 'Keyboard shortcuts' } },
    el('h2', { text: 'Keyboard' }),
    ...SHORTCUTS.map(([place, keys]) =>
      el(
        'section',
        {},
        el('h3', { text: place }),
        el(
          'dl',
          {},
          ...keys.flatMap(([key, does]) => [el('dt', {}, el('kbd', { text: key })), el('dd', { text: does })]),
        ),
      ),
    ),
    el('form', { class: 'actions', attributes: { method: 'dialog' } }, el('button', { text: 'Close' })),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

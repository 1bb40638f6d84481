import { el } from '../dom.js';

/** Asks; resolves with whether the answer was yes. */
export function confirmed(question: string, yes: string): Promise<boolean> {
  const dialog = el(
    'dialog',
    { class: 'dialog', attributes: { 'aria-label': yes } },
    el(
      'form',
      { attributes: { method: 'dialog' } },
      el('p', { text: question }),
      el(
        'div',
        { class: 'actions' },
        el('button', { text: 'Cancel', attributes: { value: 'no' } }),
        el('button', { class: 'danger', text: yes, attributes: { value: 'yes' } }),
      ),
    ),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    dialog.showModal();
  });
}

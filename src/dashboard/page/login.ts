import type { BridgeState } from 'usmp-rx/bridge-client';
import { el } from '../dom.js';
import { logo } from './logo.js';

/** Why there is no dashboard to see, in words of the reader. */
export function loginMessage(error: Extract<BridgeState, { name: 'failed' }>['error'] | undefined): string {
  if (!error) return 'This dashboard needs a token. The gateway prints a login link that carries it when it starts.';
  if (error.code !== 'UNAUTHORIZED') return `The gateway can't be used from here: ${error.message}`;
  return 'The gateway refused this token. Open the login link that it printed at its last start, or type the token.';
}

/** Asks for a token. */
export function loginPage(message: string, isBad: boolean, onToken: (token: string) => void): HTMLElement {
  const input = el('input', {
    class: 'mono',
    attributes: { type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false', required: '' },
  });
  const form = el(
    'form',
    {
      class: 'card login',
      on: {
        submit(event) {
          event.preventDefault();
          if (input.value.trim()) onToken(input.value.trim());
        },
      },
    },
    el('h1', {}, logo(), 'USMP gateway'),
    el('p', { class: isBad ? 'login-message is-bad' : 'login-message', text: message, attributes: { role: 'alert' } }),
    el('label', { text: 'Token', attributes: { for: 'token' } }),
    input,
    el('button', { class: 'primary', text: 'Open the dashboard', attributes: { type: 'submit' } }),
    el('p', { class: 'muted', text: 'It stays in this tab, and goes to this gateway alone.' }),
  );
  return el('main', { class: 'login-page' }, form);
}

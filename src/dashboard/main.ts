import { filter, Subscription } from 'rxjs';
import { connectBridge, type BridgeState } from 'usmp-rx/bridge-client';
import { live } from './live.js';
import { loginMessage, loginPage } from './page/login.js';
import { showShell } from './page/shell.js';
import { routes } from './router.js';
import { applyTheme, storedTheme } from './theme.js';
import { forgetToken, keepToken, keptToken } from './token.js';

/** Where a bridge is by default, on the server of this page. */
const BRIDGE_PATH = '/bridge';

const root = document.getElementById('app')!;
const routes$ = routes(window);
let showing = new Subscription();

/** The dashboard, until the gateway refuses the token. */
function showDashboard(token: string): void {
  showing.unsubscribe();
  const connection = live(connectBridge({ url: BRIDGE_PATH, token }));
  showing = showShell(root, connection, routes$.pipe(filter(({ name }) => name !== 'login')));
  showing.add(() => connection.close());
  showing.add(
    connection.state$.subscribe((state) => {
      if (state.name === 'failed') showLogin(state);
    }),
  );
}

function showLogin(refusal?: Extract<BridgeState, { name: 'failed' }>): void {
  showing.unsubscribe();
  forgetToken(sessionStorage);
  root.replaceChildren(loginPage(loginMessage(refusal?.error), refusal !== undefined, login));
  document.title = 'USMP gateway';
  document.getElementById('token')?.focus();
}

function login(token: string): void {
  keepToken(sessionStorage, token);
  showDashboard(token);
}

applyTheme(storedTheme(localStorage), document.documentElement, localStorage);
const kept = keptToken(sessionStorage);
if (kept === undefined) showLogin();
else showDashboard(kept);
// At once where the page was opened with a login link, and later where one is pasted into the address of an open page.
routes$.subscribe((route) => {
  if (route.name !== 'login') return;
  // Out of the address, and with it out of the tab's history.
  window.history.replaceState(undefined, '', window.location.pathname);
  login(route.token);
});

/**
 * A dashboard of one's own: who is here, what they send, and a box to answer. Run a gateway, and this page beside it:
 *   npm start                   # prints a link that ends in #token=…
 *   npx vite demos/dashboard    # open the address that it prints, with the same #token=… behind it
 */
import { auditTime, bufferTime, combineLatest, distinctUntilChanged, filter, map, scan, startWith } from 'rxjs';
import { connectBridge, type BridgeDevice, type BridgeMessage, type BridgeState } from 'usmp-rx/bridge-client';

const token = new URLSearchParams(location.hash.slice(1)).get('token') || prompt('Token of the gateway') || 'none';
history.replaceState(null, '', location.pathname);
const connection = connectBridge({ url: '/bridge', token });

const textOf = (payload: Uint8Array): string => new TextDecoder().decode(payload).replace(/\p{C}/gu, '·');
const element = (id: string): HTMLElement => document.getElementById(id)!;
const deviceBox = document.querySelector('select')!;
const outcome = document.querySelector('output')!;

const words = (state: BridgeState): string => ('error' in state ? `${state.name}: ${state.error.message}` : state.name);
connection.connection$.subscribe((state) => (element('state').textContent = words(state)));

/** The bridge leaves out what nobody could read: of each device only the latest value twice a second. */
const lastValues$ = connection.messages$(undefined, { everyMs: 500 }).pipe(
  scan((values, { deviceId, payload }) => values.set(deviceId, textOf(payload)), new Map<string, string>()),
  startWith(new Map<string, string>()),
);
combineLatest([connection.devices$, lastValues$])
  .pipe(auditTime(250))
  .subscribe(([devices, values]) =>
    element('devices').replaceChildren(...devices.map((device) => row(device, values))),
  );

function row({ deviceId, isOnline, messagesPerSecond }: BridgeDevice, values: Map<string, string>): HTMLElement {
  const tableRow = document.createElement('tr');
  const texts = [deviceId, isOnline ? 'online' : 'away', messagesPerSecond.toFixed(1), values.get(deviceId) ?? ''];
  // Text stays text, whatever a device sends.
  for (const text of texts) tableRow.insertCell().textContent = text;
  return tableRow;
}

const lineOf = ({ atMs, deviceId, payload }: BridgeMessage): string =>
  `${new Date(atMs).toLocaleTimeString()}  ${deviceId}  ${textOf(payload)}`;
const lines$ = connection.messages$().pipe(
  bufferTime(250),
  filter((messages) => messages.length > 0),
  scan((lines: string[], messages) => [...messages.map(lineOf).reverse(), ...lines].slice(0, 200), []),
);
lines$.subscribe((lines) => (element('log').textContent = lines.join('\n')));

const deviceIds$ = connection.devices$.pipe(map((devices) => devices.map(({ deviceId }) => deviceId)));
deviceIds$.pipe(distinctUntilChanged((a, b) => a.join() === b.join())).subscribe((deviceIds) => {
  const chosen = deviceBox.value;
  deviceBox.replaceChildren(...deviceIds.map((id) => new Option(id, id, false, id === chosen)));
});
element('send').addEventListener('submit', (event) => {
  event.preventDefault();
  connection.send(deviceBox.value, document.querySelector('input')!.value).then(
    () => (outcome.value = 'delivered'),
    (error: unknown) => (outcome.value = String(error)),
  );
});

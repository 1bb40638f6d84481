/**
 * How the dashboard bears 1,000 devices that send 5 messages a second each: the frames of headless Chromium, with gateway, bridge
 * and devices in one process beside it. Run it: npm run bench:dashboard, or npm run bench:dashboard -- 200 for 200 devices.
 */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import type { Page } from 'playwright-core';
import { catchError, EMPTY, mergeMap } from 'rxjs';
import { launchChromium } from '../spec/browser/chromium.js';
import { buildDashboard } from '../spec/browser/dashboard-gateway.js';
import { bridge } from '../src/bridge/index.js';
import { dashboardServer } from '../src/gateway/dashboard-server.js';
import { nodeCrypto, UsmpServer } from '../src/node.js';
import { memoryNetwork, SimulatedDevice } from '../src/testing/index.js';

const DEVICES = Number(argv[2] ?? 1_000);
const EVERY_MS = 200;
const SECONDS = 20;
const PSK = 'a pre-shared key for measurements';
const TOKEN = 'a token for measurements';

/** Lives in the page, hence as a text. */
const RECORD_FRAMES = `(() => {
  globalThis.frames = [];
  let lastMs = performance.now();
  requestAnimationFrame(function next(ms) {
    globalThis.frames.push(ms - lastMs);
    lastMs = ms;
    requestAnimationFrame(next);
  });
})()`;

async function report(what: string, page: Page): Promise<void> {
  const frames = await page.evaluate<number[]>('globalThis.frames.splice(0)');
  const sorted = frames.sort((a, b) => a - b);
  const long = sorted.filter((ms) => ms > 100).length;
  const at = (share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1)} ms`;
  const share = ((100 * long) / sorted.length).toFixed(2);
  console.log(
    `${what.padEnd(16)} ${sorted.length} frames, median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}; over 100 ms: ${long} (${share} %)`,
  );
}

const built = mkdtempSync(join(tmpdir(), 'usmp-dashboard-'));
buildDashboard(built);

const network = memoryNetwork();
const server = new UsmpServer({ psk: PSK, crypto: nodeCrypto, maxHandshakesPerSecond: 1_000_000 });
server.sessions$.pipe(mergeMap(({ messages$ }) => messages$.pipe(catchError(() => EMPTY)))).subscribe();
await server.listen({ listeners: [network.listener('gateway')] });
const http = dashboardServer(built).listen(0, '127.0.0.1');
await once(http, 'listening');
await bridge(server, { server: http, tokens: [{ token: TOKEN, role: 'command' }] }).listen();

for (let n = 0; n < DEVICES; n++) {
  const deviceId = Uint8Array.of(2, 0, 0, 0, n >> 8, n & 0xff);
  const device = new SimulatedDevice({ crypto: nodeCrypto, dialer: network.dialer('gateway'), deviceId, psk: PSK });
  await device.connect();
  setInterval(() => {
    const celsius = Number((21 + 3 * Math.sin(n + Date.now() / 9_000)).toFixed(2));
    device.send(JSON.stringify({ celsius, humidity: 40 + (n % 9) }));
  }, EVERY_MS);
}

const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/#token=${encodeURIComponent(TOKEN)}`);
await page.getByRole('row').nth(5).waitFor();
await page.waitForTimeout(3_000);
await page.evaluate(RECORD_FRAMES);

await page.waitForTimeout(SECONDS * 1_000);
console.log(`${await page.locator('.tile-value').nth(1).textContent()} messages a second of ${DEVICES} devices`);
await report('overview', page);

for (let n = 0; n < SECONDS * 4; n++) {
  await page.evaluate(`document.querySelector('.page').scrollTop = ${(n % 20) * 2_300}`);
  await page.waitForTimeout(250);
}
await report('while scrolling', page);

await page.getByRole('button', { name: 'Rate' }).click();
await page.waitForTimeout(SECONDS * 1_000);
await report('sorted by rate', page);

await page.evaluate("location.hash = '#/devices/02:00:00:00:00:01'");
await page.waitForTimeout(SECONDS * 1_000);
await report('device page', page);
await browser.close();
exit();

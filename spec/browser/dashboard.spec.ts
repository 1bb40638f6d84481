import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { interval, Subscription } from 'rxjs';
import { UsmpClient } from '../../src/node.js';
import { describeInChromium, launchChromium, type WatchedPage, watchedPage } from './chromium.js';
import { buildDashboard, COMMAND_TOKEN, DashboardGateway, PSK, READ_TOKEN } from './dashboard-gateway.js';

const THERMOMETER = '02:00:00:00:00:01';
const DOOR = '02:00:00:00:00:02';
const STRANGER = '02:00:00:00:00:03';
const WORDY = '02:00:00:00:00:04';
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const built = mkdtempSync(join(tmpdir(), 'usmp-dashboard-'));
const screenshots = process.env['USMP_SCREENSHOTS'] ?? join(built, 'screenshots');
const decoder = new TextDecoder();

let browser: Browser;
let gateway: DashboardGateway;
let running: Subscription;
let opened: WatchedPage[] = [];

/** Sends a reading ten times a second, and back what it is told. */
function startDevice(deviceId: string, reading: (n: number) => string): void {
  const backoff = { minDelayMs: 50, maxDelayMs: 200 };
  const client = new UsmpClient({ port: gateway.port, deviceId, psk: PSK, backoff });
  running.add(() => void client.close());
  running.add(interval(100).subscribe((n) => void client.send(reading(n)).catch(() => {})));
  running.add(
    client.messages$.subscribe({
      next: (command) => void client.send(`done: ${decoder.decode(command)}`).catch(() => {}),
      error: () => {},
    }),
  );
  client.connect().catch(() => {});
}

async function open(token: string, options: BrowserContextOptions = {}): Promise<Page> {
  const watched = await watchedPage(browser, gateway.url.replace(/\/$/, ''), options);
  opened.push(watched);
  await watched.page.goto(`${gateway.url}#token=${encodeURIComponent(token)}`);
  return watched.page;
}

const shoot = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
};
const row = (page: Page, deviceId: string) => page.getByRole('row').filter({ hasText: deviceId });
const log = (page: Page, text: string) => page.getByRole('option').filter({ hasText: text });
const openDevice = (page: Page, deviceId: string): Promise<void> =>
  page.getByRole('link', { name: deviceId, exact: true }).click();

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  buildDashboard(built);
  running = new Subscription();
  gateway = await DashboardGateway.start(built);
  startDevice(THERMOMETER, (n) => JSON.stringify({ celsius: 20 + Math.sin(n / 9), humidity: 40 + Math.cos(n / 7) }));
  startDevice(DOOR, (n) => (n % 20 < 10 ? 'open' : 'closed <b>now</b>'));
  startDevice(WORDY, (n) =>
    JSON.stringify({ [`${'<b>'.repeat(250)}1`]: n, [`${'m'.repeat(750)}2`]: n % 2 ? 1e308 : -1e308 }),
  );
  browser = await launchChromium();
}, 60_000);

afterEach(async () => {
  const complaints = opened.flatMap((watched) => watched.complaints);
  await Promise.all(opened.map(({ page }) => page.context().close()));
  opened = [];
  expect(complaints).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  running.unsubscribe();
  await gateway.stop();
});

describeInChromium('the dashboard', () => {
  it('lists the devices with their last values, and takes the token out of the address', async () => {
    const page = await open(COMMAND_TOKEN);

    await row(page, THERMOMETER)
      .filter({ hasText: /celsius (19|2\d)/ })
      .waitFor();
    await row(page, THERMOMETER)
      .filter({ hasText: /TCP127\.0\.0\.1:\d+.*(9\.\d|1\d)\/s/ })
      .waitFor();
    await page.locator('.row .sparkline-line[d^=M]').first().waitFor();
    expect(page.url()).toBe(gateway.url);
    expect(await page.evaluate('JSON.stringify(localStorage) + document.cookie')).toBe('{"usmp-theme":"system"}');
    await shoot(page, 'overview');
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('button', { name: 'Theme' }).click();
    await shoot(page, 'overview-dark');
  }, 30_000);

  it('shows what a device sends in the log, as text, JSON and hex, and on the chart', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, THERMOMETER);

    await log(page, '{"celsius":').first().waitFor();
    await page.getByRole('button', { name: 'Hex' }).click();
    await log(page, '7b 22 63 65 6c 73 69 75 73').first().waitFor();
    await log(page, '7b 22').first().dispatchEvent('mousedown');
    await page.getByLabel('The whole message').filter({ hasText: '0000  7b 22 63 65' }).waitFor();
    await page.getByRole('button', { name: 'JSON' }).click();
    await page.getByLabel('The whole message').filter({ hasText: '{\n  "celsius": ' }).waitFor();
    await page.locator('.legend button', { hasText: /celsius(19|2\d)/ }).waitFor();
    await page.locator('.chart-panel canvas').waitFor();
    // Some pixels have the colour of the first line.
    const isDrawn = `(() => {
      const canvas = document.querySelector('.chart-panel canvas');
      const [r, g, b] = getComputedStyle(document.querySelector('.chart-panel .swatch')).color.match(/\\d+/g).map(Number);
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      for (let at = 0; at < data.length; at += 4)
        if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 9 && data[at + 3] > 200)
          return true;
      return false;
    })()`;
    await page.waitForFunction(isDrawn);
    await shoot(page, 'device');
  }, 30_000);

  it('shows payloads as text, whatever markup they hold', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, DOOR);

    await log(page, 'closed <b>now</b>').first().waitFor();
    expect(await page.locator('b').count()).toBe(0);
  }, 30_000);

  it('keeps its width however long the names of fields are', async () => {
    const page = await open(COMMAND_TOKEN, PHONE);
    await openDevice(page, WORDY);
    await page.locator('.legend button').first().waitFor();

    expect(await page.locator('.legend b').count()).toBe(0);
    expect(await page.evaluate("document.querySelector('.page').scrollWidth <= innerWidth")).toBe(true);
  }, 30_000);

  it('takes a typed command to the device and shows its answer; the arrow keys bring it back', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, DOOR);
    await page.keyboard.press('c');
    const box = page.getByLabel('Command', { exact: true });
    await box.fill('lock');
    await box.press('ArrowUp');
    await box.press('ArrowDown');
    expect(await box.inputValue()).toBe('lock');
    await box.press('Enter');

    await log(page, 'done: lock').waitFor();
    expect(await box.inputValue()).toBe('');
    await page.getByLabel('The command is').selectOption('hex');
    await box.fill('6f 6e');
    await box.press('Enter');
    await log(page, 'done: on').waitFor();
    await box.press('ArrowUp');
    await box.press('ArrowUp');
    expect(await box.inputValue()).toBe('lock');
    expect(await page.getByLabel('The command is').inputValue()).toBe('text');
  }, 30_000);

  it('is used without a mouse', async () => {
    const page = await open(COMMAND_TOKEN);
    await row(page, DOOR).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type(DOOR);
    await row(page, THERMOMETER).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: DOOR }).waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('table', { name: 'Devices' }).waitFor();
    expect(await page.getByLabel('Find a device').last().inputValue()).toBe(DOOR);
  }, 30_000);

  it('pings the device and draws the round trip', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, THERMOMETER);
    await page.getByRole('button', { name: 'Ping' }).click();

    await page.locator('.figures dd', { hasText: / ms$/ }).first().waitFor();
    await page.locator('.ping-panel canvas').waitFor();
  }, 30_000);

  it('ends a session after a question', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, DOOR);
    await page.getByRole('button', { name: 'End session' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();

    await log(page, 'the gateway said BYE').waitFor();
  }, 30_000);

  it('counts failed handshakes and says who failed and why', async () => {
    const page = await open(COMMAND_TOKEN);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.keyboard.press('2');
    const stranger = new UsmpClient({ port: gateway.port, deviceId: STRANGER, psk: 'not the PSK of this gateway' });
    await expect(stranger.connect()).rejects.toThrow();
    await stranger.close();

    await row(page, STRANGER).filter({ hasText: 'AUTH_HMAC' }).first().waitFor();
    await shoot(page, 'failures');
  }, 30_000);

  it('with a token that may only read can send, ping and end nothing, and says why', async () => {
    const page = await open(READ_TOKEN);
    await openDevice(page, THERMOMETER);
    await log(page, 'celsius').first().waitFor();

    await page.getByText('Live, read only').waitFor();
    expect(await page.getByLabel('Command', { exact: true }).isDisabled()).toBe(true);
    for (const name of ['Send', 'Ping', 'End session']) {
      expect(await page.getByRole('button', { name }).isDisabled()).toBe(true);
    }
    expect(await page.getByText('Your token may only read.').count()).toBe(3);
  }, 30_000);

  it('without a token, or with a wrong one, asks for one', async () => {
    const page = await open('not one of the tokens');

    await page.getByRole('alert').filter({ hasText: 'The gateway refused this token.' }).waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'This dashboard needs a token.' }).waitFor();
    await page.getByLabel('Token').fill(COMMAND_TOKEN);
    await page.getByLabel('Token').press('Enter');
    await row(page, THERMOMETER).waitFor();
    await page.reload();
    await row(page, THERMOMETER).waitFor();
  }, 30_000);

  it('fits a phone', async () => {
    const page = await open(COMMAND_TOKEN, PHONE);
    await row(page, THERMOMETER).filter({ hasText: 'celsius' }).waitFor();
    await shoot(page, 'phone-overview');
    await openDevice(page, THERMOMETER);
    await log(page, 'celsius').first().waitFor();
    await shoot(page, 'phone-device');

    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await page.evaluate("document.querySelector('.page').scrollWidth <= innerWidth")).toBe(true);
  }, 30_000);

  it('says that the gateway is gone, and recovers by itself when it is back', async () => {
    const page = await open(COMMAND_TOKEN);
    await openDevice(page, THERMOMETER);
    await log(page, 'celsius').first().waitFor();
    const { port, httpPort } = gateway;
    await gateway.stop();
    await page.getByText(/^No connection to the gateway: .* Trying again/).waitFor();
    await page.getByRole('button', { name: 'Send' }).and(page.locator(':disabled')).waitFor();
    await shoot(page, 'reconnecting');
    gateway = await DashboardGateway.start(built, { port, httpPort });

    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByLabel('Command', { exact: true }).fill('are you back?');
    await page.getByRole('button', { name: 'Send' }).click();
    await log(page, 'done: are you back?').waitFor();
    // What browsers themselves say about a WebSocket that nobody answers.
    const [watched] = opened;
    watched?.complaints.splice(
      0,
      Infinity,
      ...watched.complaints.filter((text) => !/ERR_CONNECTION_REFUSED/.test(text)),
    );
  }, 60_000);
});

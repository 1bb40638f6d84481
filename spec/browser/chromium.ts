import { describe } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Tests that need a browser; they are skipped, and say so, where there is none. */
export const describeInChromium = (name: string, tests: () => void): void =>
  existsSync(EXECUTABLE) ? describe(name, tests) : describe.skip(`${name} (skipped: no ${EXECUTABLE})`, tests);

/** Debian's, which talks to nobody unless it is told to. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** A page in a profile of its own, and whatever it complains about. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors in the console, uncaught ones, what the Content-Security-Policy blocked, and requests to elsewhere. */
  readonly complaints: string[];
}

export async function watchedPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(15_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`request to ${request.url()}`);
  });
  return { page, complaints };
}

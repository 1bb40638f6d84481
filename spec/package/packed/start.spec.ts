import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const DEVICE_ID = /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/gi;
const DEVICES = 3;

describe('npm start', () => {
  it('shows devices that come in over TCP, and a summary at Ctrl-C', async () => {
    const npm = spawn('npm', ['start'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true, timeout: 50_000 });
    const exited = once(npm, 'exit');
    const lines: string[] = [];
    const devices = new Set<string>();

    for await (const line of createInterface({ input: npm.stdout })) {
      lines.push(line);
      if (devices.size < DEVICES) {
        for (const [device] of line.matchAll(DEVICE_ID)) devices.add(device);
        // As a terminal does: to the whole group of processes.
        if (devices.size >= DEVICES) process.kill(-npm.pid!, 'SIGINT');
      }
    }

    expect(await exited).toEqual([0, null]);
    const summary = lines.slice(lines.findIndex((line) => /device +sessions +messages/.test(line)));
    expect(summary.filter((line) => line.match(DEVICE_ID)).length).toBeGreaterThanOrEqual(DEVICES);
  }, 60_000);
});

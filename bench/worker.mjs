import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';

const START_LIMIT_MS = 20_000;
const CALL_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 2_000;
/** Enough of what a process complains of before it dies. */
const MAX_COMPLAINT_CHARACTERS = 2_000;

/** Whether a process can be bound to one core. */
export const canPin = ['/usr/bin/taskset', '/bin/taskset'].some((path) => existsSync(path));

/** A process of the suite that answers calls; see answering.mjs. It ends with this one, whatever becomes of this one. */
export class Worker {
  #child;
  #waiting = new Map();
  #lastId = 0;
  #complaint = '';
  #gone;

  /**
   * @param {string} file Next to this one.
   * @param {{ args?: string[], node?: string[], core?: number }} [options] `node`: options of node; `core`: the only one it runs on.
   * @returns {Promise<Worker>} When it is ready.
   */
  static async start(file, options) {
    const worker = new Worker(file, options);
    await worker.#reply('ready', START_LIMIT_MS);
    return worker;
  }

  constructor(file, { args = [], node = [], core } = {}) {
    const command = [process.execPath, ...node, fileURLToPath(new URL(file, import.meta.url)), ...args];
    if (core !== undefined && canPin) command.unshift('taskset', '-c', String(core));
    const stdio = ['ignore', 'inherit', 'pipe', 'ipc'];
    this.#child = spawn(command[0], command.slice(1), { stdio, serialization: 'advanced' });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#complaint = (this.#complaint + text).slice(-MAX_COMPLAINT_CHARACTERS);
    });
    this.#child.on('message', ({ id = 'ready', result, error }) => {
      if (error === undefined) this.#waiting.get(id)?.resolve(result);
      else this.#waiting.get(id)?.reject(new Error(error));
    });
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) =>
      this.#end(new Error(`its process ended (${signal ?? code}) ${this.#why()}`)),
    );
  }

  /**
   * @param {string} method
   * @param {object} [params]
   * @returns {Promise<any>} Rejects with what the process threw, when it ends, or when it takes too long.
   */
  call(method, params = {}, limitMs = CALL_LIMIT_MS) {
    const id = ++this.#lastId;
    const reply = this.#reply(id, limitMs);
    if (!this.#gone) this.#child.send({ id, method, params }, () => {});
    return reply;
  }

  /** Resolves when the process is gone. */
  async stop() {
    if (this.#gone) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    if (this.#child.connected) this.#child.disconnect();
    await gone;
    clearTimeout(limit);
  }

  async #reply(id, limitMs) {
    if (this.#gone) throw this.#gone;
    let limit;
    const reply = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      limit = setTimeout(() => {
        reject(new Error(`no answer within ${limitMs / 1_000} s ${this.#why()}`.trim()));
        this.#child.kill('SIGKILL');
      }, limitMs);
    });
    try {
      return await reply;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(id);
    }
  }

  #end(error) {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  /** The line of an error among what the process wrote. */
  #why() {
    return this.#complaint.split('\n').find((line) => /Error\b/.test(line)) ?? '';
  }
}

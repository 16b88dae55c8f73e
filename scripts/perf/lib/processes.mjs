/** Processes under measurement: started alike with a clean environment, watched through /proc, and ended with the run. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

const NS_PER_MS = 1e6;

/** Monotonic milliseconds; the same clock in every process of the machine. */
export const nowMs = () => Number(process.hrtime.bigint()) / NS_PER_MS;
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** NODE_EXTRA_CA_CERTS alone would add 40-90 ms to every start (facts/performance.md). */
const environment = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: '/tmp', LANG: 'C.UTF-8' };

const chrt = (...args) => spawnSync('chrt', [...args, String(process.pid)]).status === 0;
/** Children inherit it. False where it is not permitted. */
export const useRealtime = () => chrt('-r', '-p', '1');
export const useNormalPriority = () => chrt('-o', '-p', '0');

const running = new Set();
/** Ends with the row, whatever becomes of it. */
export function tracked(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
export function endAll() {
  for (const child of running) child.kill('SIGKILL');
}

/**
 * A child that hears bytes on stdin (`poke`) and tells moments on descriptor 3, one line `name monotonic-nanoseconds` each, so that no
 * scheduling of this process is counted. Messages (`ask`) go over Node's own channel.
 */
export function startProgram(args, { messages = false, command = process.execPath } = {}) {
  const stdio = ['pipe', 'ignore', 'pipe', 'pipe', ...(messages ? ['ipc'] : [])];
  const child = tracked(spawn(command, args, { stdio, env: environment, cwd: '/tmp' }));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  child.stdin.on('error', () => {});
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-4000);
  });
  const moments = new Moments(child.stdio[3]);
  let asked = 0;
  return {
    pid: child.pid,
    moments,
    exited,
    /** All that it wrote to descriptor 3, once that is closed. */
    output: moments.whole,
    get complaint() {
      return complaint;
    },
    /** One byte to stdin; gives the moment before it was written, in milliseconds. */
    poke(byte) {
      const at = nowMs();
      child.stdin.write(byte);
      return at;
    },
    ask(method, ...parameters) {
      const id = ++asked;
      return new Promise((resolve, reject) => {
        const listener = (message) => {
          if (message.id !== id) return;
          child.off('message', listener);
          if (message.error === undefined) resolve(message.result);
          else reject(new Error(message.error));
        };
        child.on('message', listener);
        child.once('exit', () => reject(new Error(`the program ended: ${complaint}`)));
        child.send({ id, method, parameters });
      });
    },
    kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** The moments that a program tells. */
class Moments {
  #waiting = [];
  #kept = [];
  #rest = '';
  #text = '';

  constructor(stream) {
    stream.setEncoding('utf8');
    stream.on('error', () => {});
    this.whole = new Promise((resolve) => stream.once('close', () => resolve(this.#text)));
    stream.on('data', (text) => {
      this.#text += text;
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop();
      for (const line of lines) this.#heard(line.split(' '));
    });
  }

  /** When the program next says `name`, in milliseconds. */
  next(name, withinMs = 10_000) {
    const index = this.#kept.findIndex((moment) => moment.name === name);
    if (index !== -1) return Promise.resolve(this.#kept.splice(index, 1)[0].at);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no '${name}' within ${withinMs} ms`)), withinMs);
      this.#waiting.push({ name, resolve, timer });
    });
  }

  /** The name of the next moment, whatever it is. */
  nextName(withinMs = 10_000) {
    const [kept] = this.#kept.splice(0, 1);
    if (kept !== undefined) return Promise.resolve(kept.name);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing within ${withinMs} ms`)), withinMs);
      this.#waiting.push({ name: undefined, resolve: (_at, name) => resolve(name), timer });
    });
  }

  forget() {
    this.#kept = [];
  }

  #heard([name, nanoseconds]) {
    const at = Number(nanoseconds) / NS_PER_MS;
    const index = this.#waiting.findIndex((waiter) => waiter.name === undefined || waiter.name === name);
    if (index === -1) {
      this.#kept.push({ name, at });
      return;
    }
    const [waiter] = this.#waiting.splice(index, 1);
    clearTimeout(waiter.timer);
    waiter.resolve(at, name);
  }
}

/** Resident memory in MB (10^6 bytes), shared pages included. */
export function rssMb(pid) {
  const kB = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kB) * 1024) / 1e6;
}

/** Time on a processor of all its threads so far, in milliseconds. */
export function cpuMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]),
  );
  return ns.reduce((sum, each) => sum + each, 0) / NS_PER_MS;
}

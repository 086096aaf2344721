/** QEMU's machine protocol and its guest agent: both are JSON lines over a UNIX socket. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** One connection on which requests are answered in order; events in between are left out. */
export class JsonLines {
  readonly #socket: Socket;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    createInterface({ input: socket }).on('line', (line) => {
      // The agent's answer to guest-sync begins with a byte that is no JSON.
      const text = line.replaceAll('\u00ff', '').trim();
      if (text === '') return;
      const message = JSON.parse(text) as Answer;
      if ('return' in message || 'error' in message) this.#waiting.shift()?.(message);
    });
  }

  static open(path: string): Promise<JsonLines> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => resolve(new JsonLines(socket))).once('error', reject);
    });
  }

  /** @param withinMs how long an answer may take */
  ask(execute: string, args: object | undefined, withinMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${execute}: no answer within ${withinMs / 1000} s`)), withinMs);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        if (answer.error === undefined) resolve(answer.return);
        else reject(new Error(`${execute}: ${answer.error.desc}`));
      });
      this.#socket.write(`${JSON.stringify(args === undefined ? { execute } : { execute, arguments: args })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

export interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** Commands inside the machine, by the agent that the test image has and a real sign has not. */
export class Guest {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Wait until the agent answers. */
  async ready(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      try {
        return void (await this.#ask('guest-ping', undefined, 20_000));
      } catch (thrown) {
        if (performance.now() > deadline) throw thrown;
        await delay(2_000);
      }
    }
  }

  /** A shell command as root; its output and errors together. */
  async run(command: string, withinMs = 600_000): Promise<Ran> {
    const deadline = performance.now() + withinMs;
    const options = { path: '/bin/sh', arg: ['-c', `exec 2>&1; ${command}`], 'capture-output': true };
    const { pid } = (await this.#ask('guest-exec', options, withinMs)) as { pid: number };
    while (performance.now() < deadline) {
      const status = (await this.#ask('guest-exec-status', { pid }, withinMs)) as {
        exited: boolean;
        exitcode?: number;
        'out-data'?: string;
      };
      const output = Buffer.from(status['out-data'] ?? '', 'base64').toString('utf8');
      if (status.exited) return { exitCode: status.exitcode ?? -1, output };
      await delay(1_000);
    }
    throw new Error(`${command}: did not end within ${withinMs / 1000} s`);
  }

  // A connection for each: an agent that was not up yet leaves its half-answered requests behind otherwise.
  async #ask(execute: string, args: object | undefined, withinMs: number): Promise<unknown> {
    const lines = await JsonLines.open(this.#path);
    try {
      return await lines.ask(execute, args, withinMs);
    } finally {
      lines.close();
    }
  }
}

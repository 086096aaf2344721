import type { FileHandle } from 'node:fs/promises';
import { type Files, realFiles } from '../../electron/cache/folders.ts';

type Call = 'read' | 'readFile' | 'write' | 'sync' | 'rename' | 'open' | 'stat';

interface Fault {
  readonly call: Call | readonly Call[];
  readonly code: string;
  readonly path: RegExp;
  /** How often; always where absent. */
  times?: number;
  /** Reads from this byte of the file on. */
  readonly fromByte?: number;
}

/** The real file system, on which some calls fail once the fault is set. */
export class FailingDisk {
  fault: Fault | null = null;
  /** Calls to read from a file. */
  reads = 0;

  readonly files: Files = {
    ...realFiles,
    open: (async (path: string, flags?: string | number, mode?: number) => {
      this.#check('open', path);
      return this.#watch(await realFiles.open(path, flags, mode), path);
    }) as Files['open'],
    stat: (async (path: string) => {
      this.#check('stat', path);
      return realFiles.stat(path);
    }) as Files['stat'],
    readFile: (async (path: string, encoding: 'utf8') => {
      this.#check('readFile', path);
      return realFiles.readFile(path, encoding);
    }) as Files['readFile'],
    rename: async (from, to) => {
      this.#check('rename', String(to));
      await realFiles.rename(from, to);
    },
  };

  #watch(handle: FileHandle, path: string): FileHandle {
    return new Proxy(handle, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]) => {
          if (name === 'read') this.reads++;
          if (name === 'read' && (values[3] as number) >= (this.fault?.fromByte ?? 0)) this.#check('read', path);
          if (name === 'write' || name === 'writev' || name === 'writeFile') this.#check('write', path);
          if (name === 'sync' || name === 'datasync') this.#check('sync', path);
          return Reflect.apply(value, target, values);
        };
      },
    });
  }

  #check(call: Call, path: string): void {
    if (this.fault === null || ![this.fault.call].flat().includes(call) || !this.fault.path.test(path)) return;
    if (this.fault.times !== undefined && this.fault.times-- <= 0) return;
    throw Object.assign(new Error(`${this.fault.code}: ${call}`), { code: this.fault.code });
  }
}

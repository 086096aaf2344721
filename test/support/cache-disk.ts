import type { FileHandle } from 'node:fs/promises';
import { type Files, realFiles } from '../../electron/cache/folders.ts';

/** The real file system, on which one kind of call fails once the fault is set. */
export class FailingDisk {
  fault: { readonly call: 'write' | 'sync' | 'rename' | 'open'; readonly code: string; readonly path: RegExp } | null =
    null;

  readonly files: Files = {
    ...realFiles,
    open: (async (path: string, flags?: string | number, mode?: number) => {
      this.#check('open', path);
      return this.#watch(await realFiles.open(path, flags, mode), path);
    }) as Files['open'],
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
          if (name === 'write' || name === 'writev' || name === 'writeFile') this.#check('write', path);
          if (name === 'sync' || name === 'datasync') this.#check('sync', path);
          return Reflect.apply(value, target, values);
        };
      },
    });
  }

  #check(call: string, path: string): void {
    if (this.fault === null || this.fault.call !== call || !this.fault.path.test(path)) return;
    throw Object.assign(new Error(`${this.fault.code}: ${call}`), { code: this.fault.code });
  }
}

import { readdirSync, readFileSync } from 'node:fs';

/** The player's processes, by their kind (`--type` on their command line; main has none). */
export function processesOf(root: number): { readonly pid: number; readonly kind: string }[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(/^\d+ \(.*\) \S (\d+)/s.exec(tryRead(`/proc/${name}/stat`))?.[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all: number[] = [];
  for (const queue = [root]; queue.length > 0; ) {
    const pid = queue.pop() as number;
    all.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return all.map((pid) => {
    const words = tryRead(`/proc/${pid}/cmdline`);
    return { pid, kind: /--type=([a-z-]+)/.exec(words)?.[1] ?? 'main' };
  });
}

/** A process may end between two looks. */
export function tryRead(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

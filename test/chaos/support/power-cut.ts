/** Disks that a power cut may leave: what was synchronized is there, what was not may be there, in part, or not at all. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

interface Change {
  readonly type: 'C' | 'W' | 'T' | 'S' | 'R' | 'U' | 'D';
  readonly path: string;
  readonly other: string;
  readonly inode: bigint;
  readonly offset: number;
  readonly data: Buffer;
}

const headBytes = 32;
/** What a disk writes as one piece. */
const sectorBytes = 4_096;

/** The journal of the fault layer; an entry that the end of the program cut off is left out. */
export function readJournal(file: string): Change[] {
  const bytes = readFileSync(file);
  const changes: Change[] = [];
  for (let at = 0; at + headBytes <= bytes.length; ) {
    const [type, pathLength, otherLength, dataLength] = [0, 4, 8, 12].map((place) =>
      bytes.readUInt32LE(at + place),
    ) as [number, number, number, number];
    const pathAt = at + headBytes;
    const dataAt = pathAt + pathLength + otherLength;
    if (dataAt + dataLength > bytes.length) break;
    changes.push({
      type: String.fromCharCode(type) as Change['type'],
      path: bytes.toString('utf8', pathAt, pathAt + pathLength),
      other: bytes.toString('utf8', pathAt + pathLength, dataAt),
      inode: bytes.readBigUInt64LE(at + 16),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      data: bytes.subarray(dataAt, dataAt + dataLength),
    });
    at = dataAt + dataLength;
  }
  return changes;
}

/** How much of what was not synchronized a cut takes: all, the data but no name, or what chance decides. */
export type Loss = 'everything' | 'data' | 'some';

/** A bug that is planted to see that the row finds it: these synchronizations count as if they had not been made. */
export type Plant = 'none' | 'no-sync-of-files' | 'no-sync-of-folders';

type Inode = { durable: Buffer; pending: (Change | Buffer)[] };
type Entry = { readonly inode: Inode } | 'folder';
interface NameChange {
  /** Folders whose synchronization makes it last. */
  readonly folders: readonly string[];
  apply(names: Map<string, Entry>): void;
}

/** Follows a journal and tells what a power cut would leave at any point of it. */
export class Disk {
  readonly #root: string;
  readonly #plant: Plant;
  readonly #inodes = new Map<bigint, Inode>();
  /** Names as a program sees them, and as they are on the disk for certain. */
  readonly #seen = new Map<string, Entry>();
  readonly #durable = new Map<string, Entry>();
  #pending: NameChange[] = [];

  /** @param start files that were durable before the journal began: path below the root → inode and content */
  constructor(root: string, start: ReadonlyMap<string, { inode: bigint; bytes: Buffer }>, plant: Plant = 'none') {
    this.#root = root;
    this.#plant = plant;
    for (const [path, { inode, bytes }] of start) {
      const made: Inode = { durable: bytes, pending: [] };
      this.#inodes.set(inode, made);
      for (const names of [this.#seen, this.#durable]) names.set(join(root, path), { inode: made });
    }
  }

  apply(change: Change): void {
    const { type, path, other } = change;
    switch (type) {
      case 'C': {
        const inode: Inode = { durable: Buffer.alloc(0), pending: [] };
        this.#inodes.set(change.inode, inode);
        this.#name([dirname(path)], (names) => names.set(path, { inode }));
        return;
      }
      case 'W':
      case 'T':
        this.#inodes.get(change.inode)?.pending.push(change);
        return;
      case 'S':
        this.#sync(change);
        return;
      case 'R': {
        // The new name leads to the file also where the old one was never durable.
        const moved = this.#seen.get(path);
        this.#name([dirname(path), dirname(other)], (names) => {
          names.delete(path);
          if (moved !== undefined) names.set(other, moved);
        });
        return;
      }
      case 'U':
        this.#name([dirname(path)], (names) => names.delete(path));
        return;
      case 'D':
        this.#name([dirname(path)], (names) => names.set(path, 'folder'));
        return;
      default:
        throw new Error(type satisfies never);
    }
  }

  /** The whole tree as a running program sees it, for comparison with the real one. */
  seen(): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    for (const [path, entry] of this.#seen)
      if (entry !== 'folder')
        files.set(
          relative(this.#root, path),
          contentOf(entry.inode, () => true),
        );
    return files;
  }

  /**
   * Make the tree that a power cut now would leave.
   * @param random 0 ≤ random < 1
   */
  cut(into: string, loss: Loss, random: () => number): void {
    const names = new Map(this.#durable);
    const stopped = new Set<string>();
    for (const change of this.#pending) {
      // Names change in order: where one change of a folder is lost, the later ones of it are too.
      const survives =
        loss === 'data' || (loss === 'some' && random() < 0.7 && !change.folders.some((folder) => stopped.has(folder)));
      if (survives) change.apply(names);
      else for (const folder of change.folders) stopped.add(folder);
    }
    const keeps = () => loss === 'some' && random() < 0.5;
    const contents = new Map<Inode, Buffer>();
    for (const [path, entry] of names) {
      const target = join(into, relative(this.#root, path));
      if (entry === 'folder') mkdirSync(target, { recursive: true, mode: 0o700 });
      else {
        const content = contents.get(entry.inode) ?? contentOf(entry.inode, keeps);
        contents.set(entry.inode, content);
        mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
        writeFileSync(target, content, { mode: 0o600 });
      }
    }
  }

  #name(folders: readonly string[], apply: (names: Map<string, Entry>) => void): void {
    apply(this.#seen);
    this.#pending.push({ folders, apply });
  }

  #sync({ path, inode }: Change): void {
    const file = this.#inodes.get(inode);
    if (file !== undefined && this.#seen.get(path) !== 'folder' && this.#isFile(path)) {
      if (this.#plant === 'no-sync-of-files') return;
      file.durable = contentOf(file, () => true);
      file.pending = [];
      return;
    }
    if (this.#plant === 'no-sync-of-folders') return;
    const lasting = this.#pending.filter(({ folders }) => folders.includes(path));
    for (const change of lasting) change.apply(this.#durable);
    this.#pending = this.#pending.filter((change) => !lasting.includes(change));
  }

  #isFile(path: string): boolean {
    const entry = this.#seen.get(path);
    return entry !== undefined && entry !== 'folder';
  }
}

/** A file's bytes; each change that was not synchronized is there if `keeps` says so, writes sector by sector. */
function contentOf(inode: Inode, keeps: () => boolean): Buffer {
  let content = inode.durable;
  const grown = (length: number) => {
    if (content.length < length) content = Buffer.concat([content, Buffer.alloc(length - content.length)]);
  };
  let copied = false;
  for (const change of inode.pending as Change[]) {
    if (change.type === 'T') {
      if (!keeps()) continue;
      grown(change.offset);
      content = content.subarray(0, change.offset);
      copied = false;
      continue;
    }
    for (let at = 0; at < change.data.length; at += sectorBytes) {
      if (!keeps()) continue;
      const piece = change.data.subarray(at, at + sectorBytes);
      const before = content.length;
      grown(change.offset + at + piece.length);
      if (content.length === before && !copied) content = Buffer.from(content);
      copied = true;
      piece.copy(content, change.offset + at);
    }
  }
  return content;
}

import type { FileHandle } from 'node:fs/promises';

/** Appends to a part file: few large writes, and the next one is gathered while one is under way. */
export interface PartWriter {
  /** Bytes of the file once all is written. */
  readonly sizeBytes: number;
  /** How much of it the disk has by now. */
  readonly writtenTo: number;
  /** Resolves as soon as the next bytes may come. @throws the file system's own error, also of an earlier write */
  write(bytes: Uint8Array): Promise<void>;
  /** Everything that was given is written. */
  flush(): Promise<void>;
  /** The same for the last time; may be called again. */
  end(): Promise<void>;
}

const gatherBytes = 512 * 1024;

/** @param fromBytes where to begin */
export function createPartWriter(file: FileHandle, fromBytes: number): PartWriter {
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let givenTo = fromBytes;
  let writtenTo = fromBytes;
  let running: Promise<void> = Promise.resolve();
  let failure: unknown;
  const begin = () => {
    const [blocks, at] = [gathered, givenTo];
    givenTo += gatheredBytes;
    const to = givenTo;
    gathered = [];
    gatheredBytes = 0;
    const done = () => {
      writtenTo = to;
    };
    running = writeAll(file, blocks, at).then(done, (thrown: unknown) => {
      failure ??= thrown;
    });
  };
  const settled = async () => {
    await running;
    if (failure !== undefined) throw failure;
  };
  const flush = async () => {
    await settled();
    if (gatheredBytes > 0) begin();
    await settled();
  };
  return {
    get sizeBytes() {
      return givenTo + gatheredBytes;
    },
    get writtenTo() {
      return writtenTo;
    },
    write: async (bytes) => {
      gathered.push(bytes);
      gatheredBytes += bytes.length;
      if (gatheredBytes < gatherBytes) return;
      await settled();
      begin();
    },
    flush,
    end: flush,
  };
}

async function writeAll(file: FileHandle, blocks: readonly Uint8Array[], offset: number): Promise<void> {
  let left = blocks.filter(({ length }) => length > 0);
  for (let at = offset; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, at);
    at += bytesWritten;
    left = rest(left, bytesWritten);
  }
}

/** What a short write has left over. */
function rest(blocks: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  return blocks.flatMap((block) => {
    const gone = Math.min(skip, block.length);
    skip -= gone;
    return gone === block.length ? [] : [block.subarray(gone)];
  });
}

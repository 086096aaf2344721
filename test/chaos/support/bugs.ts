/** What the rows of the suite must catch: plausible mistakes, each planted into the player's own source. */
import type { Bug, Change } from './planted.ts';

const change = (file: string, from: string, to: string): Change => ({ file, from, to });
const bug = (what: string, ...changes: readonly Change[]): Bug => ({ what, changes });

/* Changes that several bugs share. */

const namedAsAnnounced = change(
  'cache/commit.ts',
  'const { sha256, md5, chunks } = digests.finish();',
  'const { sha256: came, md5, chunks } = digests.finish(); const sha256 = wanted.sha256 ?? came;',
);
const chunksBelieved = change('cache/chunks.ts', 'return expected.equals(new Uint8Array(digest));', 'return true;');
const namesBelieved = change('cache/recover.ts', "if (sha256 !== hash) return { is: 'damaged' };", '');
const kindBelieved = change(
  'cache/commit.ts',
  'const recognition = await ports.recognize(byteSource(file, sizeBytes));',
  "const recognition = { ok: true, format: 'png', reason: '' } as const;",
);
const lengthsBelieved = [
  change(
    'cache/receive.ts',
    `    if (body.totalBytes !== undefined && body.totalBytes !== expectedBytes)
      throw otherLength(body.totalBytes, expectedBytes);
`,
    '',
  ),
  change(
    'cache/receive.ts',
    'if (sizeBytes !== (expectedBytes ?? sizeBytes)) throw otherLength(sizeBytes, expectedBytes);',
    '',
  ),
];
const goesOnWithoutMedia = change(
  'playlist/sync.ts',
  'await Promise.race([caching.then(() => null), asking]);',
  'await Promise.race([caching.then(() => null, () => null), asking]);',
);
const goesOnUnkept = change(
  'playlist/sync.ts',
  'await ports.keep(text, etag);',
  'await ports.keep(text, etag).catch(() => undefined);',
);

/* The store. */

export const finalNames = bug(
  'writes files under their final names and takes what has a name for whole',
  change(
    'cache/commit.ts',
    'const part = folders.part(key);',
    'await folders.prepareFor(key as never); const part = folders.media(key as never);',
  ),
  namesBelieved,
  chunksBelieved,
);
export const playlistFirst = bug(
  'keeps the new playlist before its media are there',
  change(
    'playlist/sync.ts',
    'const caching = ports.ensureCached(',
    'await ports.keep(text, etag); const caching = ports.ensureCached(',
  ),
);
export const unverified = bug('takes what has a name for whole', namesBelieved, chunksBelieved);
export const indexBelieved = bug(
  'believes its index and its playlist without a digest',
  change('cache/index-file.ts', "if (!first.success || digest(document) !== first.data.sha256) return 'damaged';", ''),
  change('cache/last-good.ts', "if (digest(text) !== first.data.sha256) return setAside('digest');", ''),
);
export const publishesAnyway = bug('swaps whether or not the disk took it', goesOnWithoutMedia, goesOnUnkept);
export const evictsShown = bug(
  'makes room with what is on the screen',
  change(
    'cache/stock.ts',
    'if (leases.has(hash) || !index.media.has(hash)) continue;',
    'if (!index.media.has(hash)) continue;',
  ),
  change('cache/stock.ts', 'a.lastUsedMs - b.lastUsedMs', 'b.lastUsedMs - a.lastUsedMs'),
);
export const inodesForgotten = bug(
  'takes a full inode table for a full disk',
  change('cache/room.ts', 'space.freeFiles !== null && space.freeFiles < leastFreeFiles', 'space.freeFiles === -1'),
  change(
    'cache/failure.ts',
    'if (space === null || space.files === 0 || space.ffree > 0) return thrown;',
    'return thrown;',
  ),
);
export const givesUpReadOnly = bug(
  'gives a read-only disk up for ever',
  change(
    'playlist/loop.ts',
    'pauseMs = pauseAfter(',
    "if (error.code === 'STORE_READ_ONLY') await new Promise(() => undefined); pauseMs = pauseAfter(",
  ),
);
export const zerosForErrors = bug(
  'takes what cannot be read for zeros',
  change(
    'cache/serve.ts',
    'await readAt(file, start, Math.min(chunkBytes, entry.sizeBytes - start));',
    'await readAt(file, start, Math.min(chunkBytes, entry.sizeBytes - start)).catch(() => new Uint8Array(Math.min(chunkBytes, entry.sizeBytes - start)));',
  ),
  change('cache/serve.ts', "throw new DamagedFile('damaged');", '{}'),
);
export const syncErrorsSwallowed = bug(
  'swallows the errors of fsync',
  change('cache/settle.ts', '() => entry.file.datasync()', '() => entry.file.datasync().catch(() => undefined)'),
  change(
    'atomic-file.ts',
    'await handle.writeFile(content);\n      await handle.sync();',
    'await handle.writeFile(content);\n      await handle.sync().catch(() => undefined);',
  ),
  change(
    'atomic-file.ts',
    '  try {\n    await handle.sync();',
    '  try {\n    await handle.sync().catch(() => undefined);',
  ),
);
export const writesInTheWay = bug(
  'writes files on the thread that turns the items',
  change(
    'cache/part-writer.ts',
    "import type { FileHandle } from 'node:fs/promises';",
    "import { writeSync } from 'node:fs';\nimport type { FileHandle } from 'node:fs/promises';",
  ),
  change(
    'cache/part-writer.ts',
    'const { bytesWritten } = await file.writev(left, at);',
    `let bytesWritten = 0;
    for (const block of left)
      for (let from = 0; from < block.length; from += 4_096)
        bytesWritten += writeSync(file.fd, block, from, Math.min(4_096, block.length - from), at + bytesWritten);`,
  ),
);
export const writesElsewhere = bug(
  'writes its temporary files outside of its folder',
  change('atomic-file.ts', 'const waiting =', "const waiting = '/var/tmp/signet-player.new'; void"),
);

/* Clock and network. */

export const sleepsThroughJumps = bug(
  'sleeps until the next change as the clock was when it lay down',
  change('schedule/alarm.ts', 'const delayMs = Math.min(longestStepMs,', 'const delayMs = Math.min(2 ** 31 - 1,'),
);
export const fetchesAnew = bug(
  'begins every download from nothing',
  change(
    'cache/receive.ts',
    'body = await origin.fetch(here.sizeBytes, begun?.url === wanted.url ? begun.validator : undefined);',
    'body = await origin.fetch(0);',
  ),
);
export const goesDark = bug(
  'goes dark when a sync fails',
  change(
    'assembly/session.ts',
    "report: report('sync'),",
    "report: (problem: unknown) => { report('sync')(problem); if (problem !== null) void content.forget(); },",
  ),
);
export const noNameNoScreen = bug(
  'takes a name that does not exist for a screen that was removed',
  change(
    'assembly/session.ts',
    'downloadPlaylist(api, tag, retryAfter)),',
    "downloadPlaylist(api, tag, retryAfter)).catch((thrown) => { if (thrown.code === 'NAME_UNRESOLVED') return { type: 'removed' }; throw thrown; }),",
  ),
);
export const asksNamesInTheWay = bug(
  'asks for names on the thread that turns the items',
  change(
    'mtls/connector.ts',
    "import { readFile } from 'node:fs/promises';",
    "import { execFileSync } from 'node:child_process';\nimport { readFile } from 'node:fs/promises';",
  ),
  change(
    'mtls/connector.ts',
    'const shown = identity();',
    "execFileSync('getent', ['ahosts', new URL(settings.server.origin).hostname]); const shown = identity();",
  ),
);
export const triesInTheClear = bug(
  'tries without TLS what does not go with it',
  change(
    'mtls/client.ts',
    `        return wholeReply(reply.statusCode, reply.headers, bytes);
      } catch (thrown) {`,
    `        return wholeReply(reply.statusCode, reply.headers, bytes);
      } catch (thrown) {
        const plain = await fetch(new URL(call.path, origin.replace('https:', 'http:')), { redirect: 'manual' }).catch(() => null);
        if (plain !== null) return wholeReply(plain.status, {}, Buffer.from(await plain.arrayBuffer()));`,
  ),
);

/* The server. */

export const missingIsRemoved = bug(
  'takes 404 for a screen that was removed',
  change('playlist/download.ts', 'case 410:', 'case 404:\n    case 410:'),
);
export const swapsWithoutMedia = bug('swaps whether or not the media came', goesOnWithoutMedia);
export const believesTheEnd = bug(
  'takes what came before the end of a connection for the whole file',
  change(
    'cache/receive.ts',
    "throw new PlayerError('CONNECTION_FAILED', 'media: the download broke off', thrown);",
    '',
  ),
  ...lengthsBelieved,
  namedAsAnnounced,
  chunksBelieved,
);
export const noLongest = bug(
  'knows no longest file',
  change('cache/receive.ts', 'if (writer.sizeBytes + bytes.length > limitBytes) {', 'if (writer.sizeBytes < 0) {'),
);
export const replyOfAnySize = bug(
  'reads a reply of any size into memory (here of 320 MiB)',
  change('mtls/client.ts', 'if (total > maxBytes) {', 'if (total > 320 * 2 ** 20) {'),
);
export const headersOfAnySize = bug(
  'takes a head of any size',
  change('mtls/client.ts', 'const maxHeaderBytes = 16_384;', 'const maxHeaderBytes = 2 ** 31;'),
);
export const anyLength = bug(
  'checks neither length nor digest nor kind of a file',
  ...lengthsBelieved,
  namedAsAnnounced,
  chunksBelieved,
  kindBelieved,
);
export const anyBytes = bug('checks no digest of a file', namedAsAnnounced, chunksBelieved);
export const anyKind = bug('checks no kind of a file', kindBelieved);
export const keepsReplies = bug(
  'keeps what it read of every reply',
  change(
    'mtls/client.ts',
    'const chunks: Buffer[] = [];',
    'const chunks: Buffer[] = []; ((globalThis as any).everything ??= []).push(chunks);',
  ),
);

const unzips = (file: string, anchor: string) =>
  change(file, anchor, `import { gunzipSync } from 'node:zlib';\n${anchor}`);
export const inflatesPlaylist = bug(
  'inflates a reply that nobody asked to be compressed',
  unzips('mtls/client.ts', "import type { Readable } from 'node:stream';"),
  change(
    'mtls/client.ts',
    'const bytes = await readBounded(reply.body, call.maxBytes ?? 256 * 1024);',
    "const raw = await readBounded(reply.body, call.maxBytes ?? 256 * 1024); const bytes = reply.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;",
  ),
);
export const inflatesMedia = bug(
  'inflates media that nobody asked to be compressed',
  unzips('mtls/media.ts', "import { Readable } from 'node:stream';"),
  change(
    'mtls/media.ts',
    'const { status, body } = reply;',
    "const { status } = reply; const body = reply.header('content-encoding') === 'gzip' ? Readable.from(inflated(reply.body)) : reply.body;",
  ),
  change(
    'mtls/media.ts',
    "if (reply.header('content-encoding') !== undefined && reply.header('content-encoding') !== 'identity') {",
    'if (offset < 0) {',
  ),
  change(
    'mtls/media.ts',
    'function mediaReply(',
    `async function* inflated(body: Readable) {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  yield gunzipSync(Buffer.concat(parts));
}

function mediaReply(`,
  ),
);
export const waitsForHeads = bug(
  'waits for ever for the head of a reply',
  change('mtls/client.ts', 'const headersTimeoutMs = 15_000;', 'const headersTimeoutMs = 0;'),
  change('mtls/client.ts', 'AbortSignal.timeout(replyDeadlineMs)', 'new AbortController().signal'),
);
export const neverGivesWay = bug(
  'lets files that stand still keep their turns',
  change('mtls/pace.ts', 'const patienceMs = 15_000;', 'const patienceMs = 3_600_000;'),
);
export const bearsTrickles = bug(
  'waits for a body however slowly it comes',
  change('assembly/media-files.ts', 'stream: atPace(body, () => performance.now(), others)', 'stream: body'),
);
export const emptyForUnchanged = bug(
  'takes a 304 without a body for an empty playlist',
  change(
    'playlist/download.ts',
    "throw new PlayerError('SERVER_REPLY_INVALID', 'playlist: 304 to a request without a tag');",
    `return {
          type: 'document',
          etag: undefined,
          text: JSON.stringify({
            now: new Date().toISOString(),
            deadline: new Date(Date.now() + 300_000).toISOString(),
            version: 0,
            screen: { id: 'screen-1', name: '', hostname: '', timezone: 'UTC', config: {} },
            playlists: [],
          }),
        };`,
  ),
);
export const emptyForInvalid = bug(
  'takes a document that it does not understand for an empty one',
  change(
    'playlist/schema.ts',
    "throw invalid(first?.path.join('.') || '(document)', first?.message ?? 'not a playlist document');",
    `const screen = { id: 'screen-1', name: '', hostname: '', timezone: 'UTC', displayRotate: 0, shufflePlaylist: false, audioOutput: null, playHistoryEnabled: false } as const;
    return { nowMs: Date.now(), deadlineMs: Date.now() + 300_000, version: 0, screen, playlists: [] };`,
  ),
);
export const followsForEver = bug(
  'follows hundreds of redirects',
  change('mtls/media.ts', 'const mostRedirects = 5;', 'const mostRedirects = 500;'),
);
export const headersFollow = bug(
  'takes the headers along to another host',
  change(
    'mtls/media.ts',
    'headersFor(request, url.origin === firstOrigin)',
    "headersFor(request, url.protocol === 'https:')",
  ),
);
export const certificateFollows = bug(
  'shows its certificate to another host',
  change(
    'assembly/session.ts',
    'const foreign = foreignClients(settings);',
    'const foreign = foreignClients(settings, () => ({ key: identity.key.signingKey, certificateChain: present.chainPem }));',
  ),
  change(
    'assembly/session.ts',
    'function foreignClients(settings: Settings) {',
    'function foreignClients(settings: Settings, shown: any) {',
  ),
  change('assembly/session.ts', '? foreignConnector(settings)', '? apiConnector(settings, shown)'),
);
export const followsAnywhere = bug(
  'follows a redirect to plain http, and into the own machine',
  change(
    'mtls/media.ts',
    "if ((url.protocol !== 'https:' && !plain) || url.username !== '' || url.password !== '')",
    "if (url.protocol === 'file:')",
  ),
);
export const anyVersion = bug(
  'takes a document of any version',
  change(
    'playlist/sync.ts',
    'return playlist.version < known.version && playlist.nowMs <= (known.nowMs ?? 0);',
    'return false;',
  ),
);
export const revokedIsRemoved = bug(
  'takes a refusal for a removal',
  change('playlist/download.ts', "return { type: 'suspended' };", "return { type: 'removed' };"),
);
export const ignoresRefusal = bug(
  'takes no notice of a refusal',
  change('playlist/download.ts', "return { type: 'suspended' };", "return { type: 'unchanged' };"),
);
export const asksSeldom = bug(
  'asks for its playlist every five minutes',
  change('playlist/loop.ts', 'const longestPollMs = 58_000;', 'const longestPollMs = 300_000;'),
);
const lapseHeeded = "if (end === 'lapsed') continue;";
export const endedIsRemoved = bug(
  'takes the end of its certificate for a removal',
  change(
    'assembly/life.ts',
    lapseHeeded,
    "if (end === 'lapsed') { await identity.registration.tell({ type: 'removed' }); continue; }",
  ),
);
export const endsWithCertificate = bug(
  'starts no session after its certificate has ended',
  change('assembly/life.ts', lapseHeeded, "if (end === 'lapsed') await new Promise(() => undefined);"),
);
export const losesChanges = bug(
  'loses a change that is pushed while it syncs',
  change('assembly/waiting.ts', 'if (wake === null) pending = true;', 'if (wake === null) return;'),
  change('assembly/session.ts', 'syncNow.wait(askAgainMs, abort)', 'waitFor(askAgainMs, abort)'),
);
export const swapsFirst = bug(
  'swaps before the media are whole',
  change(
    'playlist/sync.ts',
    'const caching = ports.ensureCached(',
    'ports.publish(playlist); const caching = ports.ensureCached(',
  ),
);

/** @param codes what the check of a server's certificate says, and what is then done without it */
export const goesOnUnchecked = (...codes: readonly string[]): Bug =>
  bug(
    `goes on without the check that fails (${codes.join(', ')})`,
    change(
      'assembly/session.ts',
      '  const api = createOriginClient(\n    settings.server.origin,\n    apiConnector(',
      '  const api = createOriginClient(\n    settings.server.origin,\n    unchecked(',
    ),
    change(
      'assembly/session.ts',
      '/** One client for each origin',
      `const unchecked = (...parts: Parameters<typeof apiConnector>): any => {
  const strict = apiConnector(...parts);
  return (options: any, callback: any) =>
    strict(options, (error: any, socket: any) => {
      const code = error?.code ?? error?.cause?.code;
      if (!${JSON.stringify(codes)}.includes(code)) callback(error, socket);
      else buildConnector({ rejectUnauthorized: false })(options, callback);
    });
};

/** One client for each origin`,
    ),
  );

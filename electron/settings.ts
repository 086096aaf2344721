import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import * as z from 'zod';
import { PlayerError } from './errors.ts';

/** Where the settings are looked for when neither `--settings` nor `SIGNET_SETTINGS` names a file. */
export const defaultSettingsFile = '/etc/signet-player/settings.json';

const absolutePath = z.string().regex(/^\//, 'must be an absolute path');

const isOrigin = (scheme: string) => (text: string) =>
  URL.canParse(text) && new URL(text).protocol === scheme && new URL(text).origin === text;

const httpsOrigin = z
  .string()
  .refine(isOrigin('https:'), 'must be an https origin without a path, such as https://signage.example');

const httpOrigin = z
  .string()
  .refine(isOrigin('http:'), 'must be an http origin without a path, such as http://media.lan');

const httpsAddress = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).protocol === 'https:', 'must be an https address');

/** The languages that the screens speak. */
const languages = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'ja', 'ar'] as const;
type Language = (typeof languages)[number];

/** RFC 1123 label sequence; the certificate's subject CN. */
const hostName = z.string().regex(/^(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i);

const proxyAddress = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return protocol === 'http:' && `${username}${password}${search}${hash}` === '' && pathname === '/';
}, 'must be an address such as http://proxy.lan:3128, without credentials: those go into proxy.credentialsFile');

/** A host that is reached without the proxy. */
const bypassed = z
  .string()
  .max(253)
  .refine((text) => {
    const [network = '', prefix, ...rest] = text.split('/');
    const version = isIP(network);
    if (prefix !== undefined)
      return (
        version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128)
      );
    return version !== 0 || /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text);
  }, 'must be a host, a .suffix, an address or an address range such as 10.0.0.0/8');

const schema = z.strictObject({
  server: z.strictObject({
    /** The one origin that is ever given the device certificate. */
    origin: httpsOrigin,
    /** PEM bundle that the origin must chain to; the system's store where absent. */
    caFile: absolutePath.optional(),
    /** Page that the QR code opens; `<origin>/claim` where absent. */
    claimUrl: httpsAddress.optional(),
    /** Let the origin agree on TLS 1.2 as well; 1.3 alone otherwise. */
    allowTls12: z.boolean().default(false),
  }),
  /** An HTTP proxy through which every https connection goes. Environment names such as HTTPS_PROXY are not read. */
  proxy: z
    .strictObject({
      url: proxyAddress,
      /** One line `user:password`; its mode at most 0640. */
      credentialsFile: absolutePath.optional(),
      bypass: z.array(bypassed).max(64).default([]),
    })
    .optional(),
  identity: z.strictObject({
    tcti: z.string().min(1).max(512).default('device:/dev/tpmrm0'),
    /** File with the TPM's owner password, where its owner has set one. */
    ownerAuthFile: absolutePath.optional(),
    /** PEM bundle of the CAs whose device certificates are accepted. */
    deviceCaFile: absolutePath,
    /** For boards without a TPM only: the key is then a file that can be copied. */
    allowSoftwareKey: z.boolean().default(false),
    /**
     * Show the server the TPM's endorsement key, which names this chip for life, and prove the hardware with it;
     * `in-request`: in the certificate request too, for an authority that reads such evidence there.
     */
    attestation: z.enum(['offer', 'in-request', 'never']).default('offer'),
    hostname: hostName.optional(),
  }),
  state: z.strictObject({ directory: absolutePath }).default({ directory: '/var/lib/signet-player' }),
  store: z
    .strictObject({
      budgetBytes: z
        .int()
        .min(64 * 2 ** 20)
        .default(8 * 2 ** 30),
      /** Bytes of the disk that are left free for others; where absent a tenth of it, between 1 and 4 GiB. */
      reserveBytes: z.int().min(0).optional(),
    })
    .default({ budgetBytes: 8 * 2 ** 30 }),
  network: z
    .strictObject({
      allowHttpFor: z.array(httpOrigin).max(32).default([]),
      /** Origins that web pages may reach although their addresses are private. */
      allowPrivatePages: z
        .array(z.union([httpsOrigin, httpOrigin]))
        .max(32)
        .default([]),
    })
    .default({ allowHttpFor: [], allowPrivatePages: [] }),
  display: z
    .strictObject({
      fit: z.enum(['contain', 'cover', 'fill']).default('contain'),
      /** Degrees clockwise; what the server asks for where absent. */
      rotate: z.literal([0, 90, 180, 270]).optional(),
      /** Language of the screens; that of the environment where absent. */
      language: z.enum(languages).optional(),
      theme: z.enum(['dark', 'light', 'auto']).default('dark'),
    })
    .default({ fit: 'contain', theme: 'dark' }),
  sound: z
    .strictObject({ volume: z.int().min(0).max(100).default(100), muted: z.boolean().default(false) })
    .default({ volume: 100, muted: false }),
  page: z
    .strictObject({
      /** Age of the page's process after which a fresh one takes its place, at the change of an item. */
      recycleAfterHours: z
        .number()
        .min(0.001)
        .max(24 * 365)
        .default(24),
      /** Memory of that process, counted alone (PSS), above which it is replaced. */
      recycleAboveMegabytes: z.int().min(64).default(1_024),
    })
    .default({ recycleAfterHours: 24, recycleAboveMegabytes: 1_024 }),
  /** The operator's overlay; without a PIN there is none. */
  operator: z
    .strictObject({
      /** 6 … 12 digits or a scrypt hash in one line; its mode at most 0640. */
      pinFile: absolutePath.optional(),
      pinHash: z
        .string()
        .max(256)
        .regex(/^\$scrypt\$/, 'must be a hash from `npm run operator-pin`')
        .optional(),
      chord: z
        .string()
        .regex(
          /^(?:(?:Control|Alt|Shift|Meta)\+){2,4}(?:[A-Z0-9]|F(?:[1-9]|1[0-2]))$/,
          'must be two modifiers or more and a key, such as Control+Alt+Shift+O',
        )
        .default('Control+Alt+Shift+O'),
    })
    .refine(
      ({ pinFile, pinHash }) => pinFile === undefined || pinHash === undefined,
      'name pinFile or pinHash, not both',
    )
    .default({ chord: 'Control+Alt+Shift+O' }),
  policy: z
    .strictObject({
      /** What a revoked screen does once the grace period is over. */
      whenRevoked: z.enum(['standby', 'keep-playing']).default('standby'),
      graceSeconds: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(3600),
      /** `strict`: a new playlist plays once all its files are here; `progressive`: what is here of it plays. */
      partialPlaylist: z.enum(['strict', 'progressive']).default('strict'),
    })
    .default({ whenRevoked: 'standby', graceSeconds: 3600, partialPlaylist: 'strict' }),
  /** Updates of the AppImage; none where absent. The .deb is apt's. */
  updates: z
    .strictObject({
      /** The folder that holds latest-linux.yml. */
      feed: httpsAddress.refine(
        (text) => /^https:\/\/[^?#@]*\/$/.test(text),
        'must be the address of a folder, such as https://updates.example/signet/',
      ),
      /** PEM of the Ed25519 key that new versions are signed with. */
      publicKeyFile: absolutePath,
      /** PEM bundle that the feed's server must chain to; the system's store where absent. */
      caFile: absolutePath.optional(),
      everyHours: z
        .number()
        .min(0.001)
        .max(24 * 30)
        .default(24),
      /** Time for a new version to show a healthy first frame. */
      healthySeconds: z.int().min(10).max(900).default(120),
    })
    .optional(),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).default({ level: 'info' }),
});

/** The player's settings: read once, validated, frozen. */
export type Settings = Omit<z.infer<typeof schema>, 'identity' | 'display'> & {
  readonly identity: Omit<z.infer<typeof schema>['identity'], 'hostname'> & { readonly hostname: string };
  readonly display: Omit<z.infer<typeof schema>['display'], 'language'> & { readonly language: Language };
};

/**
 * Environment names that override one key each. `allowSoftwareKey` is not among
 * them on purpose: weakening the identity takes a line in the settings file.
 */
const overrides: Readonly<Record<string, readonly [section: string, key: string]>> = {
  SIGNET_SERVER_ORIGIN: ['server', 'origin'],
  SIGNET_SERVER_CA_FILE: ['server', 'caFile'],
  SIGNET_IDENTITY_TCTI: ['identity', 'tcti'],
  SIGNET_IDENTITY_DEVICE_CA_FILE: ['identity', 'deviceCaFile'],
  SIGNET_IDENTITY_HOSTNAME: ['identity', 'hostname'],
  SIGNET_PROXY_URL: ['proxy', 'url'],
  SIGNET_DISPLAY_LANGUAGE: ['display', 'language'],
  SIGNET_STATE_DIRECTORY: ['state', 'directory'],
  SIGNET_LOG_LEVEL: ['log', 'level'],
};

/** The settings file that the command line or the environment names, else the default. */
export function settingsFile(argv: readonly string[], env: NodeJS.ProcessEnv): string {
  for (const [index, argument] of argv.entries()) {
    if (argument.startsWith('--settings=')) return argument.slice('--settings='.length);
    if (argument === '--settings') {
      const file = argv[index + 1];
      if (file === undefined) throw new PlayerError('SETTINGS_INVALID', '--settings: name a file after it');
      return file;
    }
  }
  return env['SIGNET_SETTINGS'] ?? defaultSettingsFile;
}

/**
 * Parse settings.
 * @param file named in messages only
 * @throws PlayerError SETTINGS_INVALID naming file, key and reason
 */
export function parseSettings(file: string, text: string, env: NodeJS.ProcessEnv): Settings {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PlayerError('SETTINGS_INVALID', `${file}: not JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(withOverrides(file, document, env));
  if (!result.success) {
    const reasons = result.error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`);
    throw new PlayerError('SETTINGS_INVALID', `${file}: ${reasons.join('; ')}`);
  }
  const { identity, display } = result.data;
  const name = identity.hostname ?? hostname();
  const checked = hostName.safeParse(name);
  if (!checked.success)
    throw new PlayerError(
      'SETTINGS_INVALID',
      `${file}: identity.hostname: set it, the machine's own name is not usable`,
    );
  return deepFreeze({
    ...result.data,
    identity: { ...identity, hostname: name.toLowerCase() },
    display: { ...display, language: display.language ?? languageOf(env) },
  });
}

/** The language of the environment (POSIX: LC_ALL, LC_MESSAGES, LANG in this order), where the screens speak it. */
function languageOf(env: NodeJS.ProcessEnv): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return languages.find((language) => language === locale.slice(0, 2).toLowerCase()) ?? 'en';
}

/** Find, read and parse the settings. @throws PlayerError SETTINGS_INVALID */
export function readSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const file = settingsFile(argv, env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new PlayerError('SETTINGS_INVALID', `${file}: ${reason}: create it or name another with --settings`, cause);
  }
  return parseSettings(file, text, env);
}

function withOverrides(file: string, document: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new PlayerError('SETTINGS_INVALID', `${file}: (top level): must be an object`);
  const merged: Record<string, unknown> = { ...document };
  for (const [name, [section, key]] of Object.entries(overrides)) {
    const value = env[name];
    if (value === undefined) continue;
    const before = merged[section];
    merged[section] = { ...(typeof before === 'object' ? before : {}), [key]: value };
  }
  return merged;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) deepFreeze(child);
  return Object.freeze(value);
}

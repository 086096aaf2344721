import { PlayerError } from '../errors.ts';

/** True in test builds alone: Playwright attaches through the inspector and the debugging port. */
declare const __TEST_BUILD__: boolean;

/** Switches that open the page or the process to others, whoever may have added them to the command line. */
const always = [
  'no-sandbox',
  'disable-sandbox',
  'disable-gpu-sandbox',
  'disable-setuid-sandbox',
  'disable-namespace-sandbox',
  'disable-seccomp-filter-sandbox',
  'no-zygote',
  'no-zygote-sandbox',
  'single-process',
  'in-process-gpu',
  'disable-web-security',
  'allow-running-insecure-content',
  'allow-file-access-from-files',
  'ignore-certificate-errors',
  'ignore-certificate-errors-spki-list',
  'disable-site-isolation-trials',
  'disable-site-isolation-for-policy',
  'host-resolver-rules',
  'host-rules',
  'proxy-server',
  'proxy-pac-url',
  'load-extension',
  'disable-extensions-except',
  'js-flags',
  'renderer-cmd-prefix',
  'gpu-launcher',
  'utility-cmd-prefix',
  'browser-subprocess-path',
  'user-data-dir',
  'log-net-log',
  'ssl-key-log-file',
  'auth-server-whitelist',
  'auth-server-allowlist',
  'allow-sandbox-debugging',
  'no-unsandboxed-zygote',
  'enable-features',
  'disable-features',
  'blink-settings',
  'proxy-auto-detect',
  'proxy-bypass-list',
  'custom-devtools-frontend',
  'log-file',
  'v',
  'vmodule',
  'enable-logging',
  'unsafely-treat-insecure-origin-as-secure',
] as const;

const outsideTestBuilds = [
  'remote-debugging-',
  'remote-allow-origins',
  'inspect',
  'debug',
  'enable-automation',
] as const;

/**
 * The switches on a command line that this build refuses, without their values.
 * @param argv arguments after the executable
 * @param testBuild whether the debugging switches are let through
 */
export function refusedSwitches(argv: readonly string[], testBuild: boolean): readonly string[] {
  return argv
    .filter((argument) => /^--?[a-z]/i.test(argument))
    .map((argument) => argument.replace(/^--?/, '').split('=', 1)[0]?.toLowerCase() ?? '')
    .filter(
      (name) =>
        (always as readonly string[]).includes(name) ||
        name.startsWith('enable-blink-features') ||
        (!testBuild && outsideTestBuilds.some((prefix) => name.startsWith(prefix))),
    );
}

/**
 * Refuse to start with dangerous switches or environment. Which build this is
 * was decided when it was bundled, not by anything in the environment.
 * @throws PlayerError SWITCH_REFUSED naming them
 */
export function assertSafeStart(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  const names = refusedSwitches(argv, __TEST_BUILD__);
  if (names.length > 0)
    throw new PlayerError('SWITCH_REFUSED', `refused: ${names.map((name) => `--${name}`).join(' ')}: start without`);
  const variables = ['ELECTRON_NO_ASAR', 'SSLKEYLOGFILE', 'ELECTRON_ENABLE_LOGGING', 'NODE_OPTIONS'].filter(
    (name) => (env[name] ?? '') !== '',
  );
  if (variables.length > 0)
    throw new PlayerError('SWITCH_REFUSED', `refused in the environment: ${variables.join(' ')}: start without`);
}

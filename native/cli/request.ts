import { X509Certificate } from 'node:crypto';
import type { ConnectOptions } from '../api.ts';
import type { Call, Command, Report } from './command.ts';
import { CliError } from './failure.ts';
import { readText } from './file.ts';
import { type GetOptions, get, type Reply } from './http.ts';
import { withKey } from './session.ts';
import { printable, rounded, table } from './text.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw new CliError('USAGE', `"${text}" is not an https: URL`);
  if (url.username !== '' || url.password !== '') throw new CliError('USAGE', 'a URL with a password is not supported');
  return url;
}

function timeoutMsOf(call: Call): number {
  const seconds = Number(call.text('timeout') ?? DEFAULT_TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= 3600))
    throw new CliError('USAGE', '--timeout takes seconds, more than 0, up to 3600');
  return seconds * 1000;
}

async function proxyOf(call: Call): Promise<Pick<ConnectOptions, 'proxy'>> {
  const url = call.text('proxy');
  const file = call.text('proxy-credentials-file');
  if (url === undefined) {
    if (file !== undefined) throw new CliError('USAGE', '--proxy-credentials-file needs --proxy');
    return {};
  }
  if (file === undefined) return { proxy: { url } };
  const [, username, password] = /^([^:\r\n]*):([^\r\n]*)\r?\n?$/.exec(await readText(file)) ?? [];
  if (username === undefined || password === undefined) {
    throw new CliError('FILE_INVALID', `${file} is not one line of user:password`);
  }
  return { proxy: { url, credentials: { username, password } } };
}

async function serverOptions(call: Call): Promise<GetOptions> {
  const caFile = call.text('ca');
  return {
    ...(caFile === undefined ? {} : { ca: await readText(caFile) }),
    ...(call.flag('tls12') ? { minVersion: 'TLSv1.2' as const } : {}),
    ...(await proxyOf(call)),
    timeoutMs: timeoutMsOf(call),
  };
}

function certificateReport(der: Buffer) {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = new X509Certificate(der);
  const oneLine = (name: string | undefined): string => (name ?? '').replaceAll('\n', ', ');
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    subjectAltName: subjectAltName ?? '',
    validFrom,
    validTo,
    sha256: fingerprint256,
  };
}

function report(url: URL, reply: Reply, showBody: boolean, tpmMs: number | undefined): Report {
  const { stream, status, statusText, headers, bodyBytes, body, connectMs, firstByteMs, totalMs } = reply;
  const peer = certificateReport(stream.peerCertificate);
  const { protocol, cipher, alpnProtocol, sessionReused } = stream;
  const timings = { ...(tpmMs === undefined ? {} : { tpmMs }), connectMs, firstByteMs, totalMs };
  const rows = [
    ['status', `${status} ${statusText}`],
    ['TLS', `${protocol}, ${cipher}, ALPN ${alpnProtocol === false ? 'none' : alpnProtocol}`],
    ['server', `${peer.subject} (${peer.subjectAltName})`],
    ['issuer', peer.issuer],
    ['valid', `${peer.validFrom} to ${peer.validTo}`],
    ['sha256', peer.sha256],
    ['client', tpmMs === undefined ? 'no certificate' : `certificate with a TPM key, ready after ${tpmMs} ms`],
    ['connected', `${connectMs} ms (name, TCP, TLS)`],
    ['first byte', `${firstByteMs} ms`],
    ['total', `${totalMs} ms, ${bodyBytes} bytes of body`],
  ] as const;
  const text = showBody ? body.toString('utf8') : undefined;
  return {
    json: {
      url: url.href,
      status,
      headers,
      tls: { protocol, cipher, alpn: alpnProtocol || null, sessionReused, peer },
      bodyBytes,
      ...(text === undefined ? {} : { body: text }),
      timings,
    },
    text: printable(table(rows) + (text === undefined ? '' : `\n${text}\n`)),
  };
}

export const request: Command = {
  usage: 'URL [--key FILE --certificate FILE] [--ca FILE] [--proxy URL] [--tls12] [--timeout SECONDS] [--body]',
  summary: 'GET an https URL over mutual TLS, and what there is to know about the connection',
  help: `  --key FILE               TSS2 PRIVATE KEY of the client certificate
  --certificate FILE       client certificate, PEM: leaf first, then intermediates
  --ca FILE                trust anchors, PEM; the system's trust store where absent
  --proxy URL              HTTP proxy, http://host:port; resolves the name and opens the tunnel
  --proxy-credentials-file FILE
                           holds the proxy's user:password
  --tls12                  allow TLS 1.2 as well
  --timeout SECONDS        for all of it, ${DEFAULT_TIMEOUT_SECONDS} where absent
  --body                   show the body, its first mebibyte

Every status is a success here: exit code 0 says that the connection was made and the reply was whole.`,
  options: {
    key: { type: 'string' },
    certificate: { type: 'string' },
    ca: { type: 'string' },
    proxy: { type: 'string' },
    'proxy-credentials-file': { type: 'string' },
    tls12: { type: 'boolean' },
    timeout: { type: 'string' },
    body: { type: 'boolean' },
  },
  positionals: 1,
  async run(call) {
    const url = urlOf(call.positional('URL'));
    const certificateFile = call.text('certificate');
    if ((call.text('key') === undefined) !== (certificateFile === undefined)) {
      throw new CliError('USAGE', '--key and --certificate belong together');
    }
    const options = await serverOptions(call);
    const exchange = async (identity: Pick<ConnectOptions, 'identity'>, tpmMs?: number) =>
      report(url, await get(url, { ...options, ...identity }), call.flag('body'), tpmMs);
    if (certificateFile === undefined) return exchange({});
    const certificateChain = await readText(certificateFile);
    const from = performance.now();
    return withKey(call, (key) => exchange({ identity: { key, certificateChain } }, rounded(performance.now() - from)));
  },
};

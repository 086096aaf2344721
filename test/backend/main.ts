/** The reference server on the command line. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startBackend } from './backend.ts';
import { readIssuer } from './issuers/configuration.ts';

const help = `The reference management server of Signet Player: for development and tests.

  --state DIR   folder for its authority, operator token and screens (default .signet/server)
  --port N      port to listen on (default 8443; 0 takes a free one)
  --host H      address to listen on (default 127.0.0.1)
  --attestation required|preferred|off
                whether screens must prove that their key is in a genuine TPM (default preferred)
  --tpm-makers FILE
                PEM bundle: authorities whose endorsement certificates are believed
  --tpm-intermediates FILE
                PEM bundle: what may lie between a TPM and its maker's authority
  --tpm-chips FILE
                SHA-256 of endorsement keys, hex, one a line: chips that are known one by one
  --tpm-purpose required|if-present
                whether a maker must have marked its certificates as those of endorsement keys (default required)
  --readmit     give a screen that proves to be the same key in the same chip a new certificate without an operator
  --issuer FILE who signs the screens' certificates, JSON: {"issuer": "built-in"}, or
                {"issuer": "google-cas", "caPool": "projects/P/locations/L/caPools/POOL", "credentialsFile": "…"}, or
                {"issuer": "step-ca", "url": "https://…", "rootFile": "…", "provisioner": "…",
                "provisionerKeyFile": "…"}; secrets in files, or in GOOGLE_APPLICATION_CREDENTIALS and
                SIGNET_STEP_PROVISIONER_KEY
  --help        this text

Run it from the folder of the checkout. It prints its address, the file of its
authority and the operator token; open the address in a browser to claim screens.
`;

const policies = ['required', 'preferred', 'off'] as const;
const purposes = ['required', 'if-present'] as const;

function authoritiesOf(file: string): readonly string[] {
  const found = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (found === null) throw new Error(`${file}: no certificate in it`);
  return found;
}

function chipsOf(file: string): readonly string[] {
  const found = readFileSync(file, 'utf8').toLowerCase().split(/\s+/).filter(Boolean);
  const wrong = found.find((hash) => !/^[0-9a-f]{64}$/.test(hash));
  if (wrong !== undefined) throw new Error(`--tpm-chips ${file}: ${wrong.slice(0, 70)} is no SHA-256 in hex`);
  return found;
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      state: { type: 'string', default: '.signet/server' },
      port: { type: 'string', default: '8443' },
      host: { type: 'string', default: '127.0.0.1' },
      attestation: { type: 'string', default: 'preferred' },
      'tpm-makers': { type: 'string' },
      'tpm-intermediates': { type: 'string' },
      'tpm-chips': { type: 'string' },
      'tpm-purpose': { type: 'string', default: 'required' },
      readmit: { type: 'boolean', default: false },
      issuer: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);
  const attestation = policies.find((policy) => policy === values.attestation);
  if (attestation === undefined) throw new Error(`--attestation ${values.attestation}: ${policies.join(', ')}`);
  const purpose = purposes.find((known) => known === values['tpm-purpose']);
  if (purpose === undefined) throw new Error(`--tpm-purpose ${values['tpm-purpose']}: ${purposes.join(', ')}`);
  const issuer = values.issuer === undefined ? null : readIssuer(values.issuer, process.env);
  const makers = values['tpm-makers'];
  const between = values['tpm-intermediates'];
  const chips = values['tpm-chips'];
  const backend = await startBackend({
    ...{ stateDirectory: values.state, port, host: values.host, attestation, readmits: values.readmit },
    ...(issuer === null ? {} : { issuer }),
    endorsementAuthorities: makers === undefined ? [] : authoritiesOf(makers),
    endorsementPurpose: purpose,
    endorsementIntermediates: between === undefined ? [] : authoritiesOf(between),
    endorsementHashes: chips === undefined ? [] : chipsOf(chips),
  });
  process.stdout.write(`console         ${backend.origin}/\n`);
  process.stdout.write(`authority       ${backend.caFile}\n`);
  process.stdout.write(`device issuer   ${backend.deviceCaFile}\n`);
  process.stdout.write(`operator token  ${backend.operatorToken}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void backend.close());
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

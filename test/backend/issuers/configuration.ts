/** Which issuer a server uses, from a file; secrets are in files of their own, or in the environment. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { googleCas } from './google-cas.ts';
import type { Issuer } from './issuer.ts';
import { stepCa } from './step-ca.ts';

const https = z.url({ protocol: /^https$/ });

const configuration = z.discriminatedUnion('issuer', [
  z.strictObject({ issuer: z.literal('built-in') }),
  z.strictObject({
    issuer: z.literal('google-cas'),
    caPool: z.string().regex(/^projects\/[a-z0-9:.-]+\/locations\/[a-z0-9-]+\/caPools\/[A-Za-z0-9_-]+$/),
    /** Else GOOGLE_APPLICATION_CREDENTIALS and what Google's library tries after it. */
    credentialsFile: z.string().optional(),
    endpoint: https.optional(),
  }),
  z.strictObject({
    issuer: z.literal('step-ca'),
    url: https,
    rootFile: z.string(),
    provisioner: z.string().min(1).max(256),
    /** Else the key itself is in SIGNET_STEP_PROVISIONER_KEY. */
    provisionerKeyFile: z.string().optional(),
  }),
]);

/**
 * @param file JSON
 * @returns `null` for the built-in authority
 * @throws Error naming the file, the field and what is wrong
 */
export function readIssuer(file: string, env: NodeJS.ProcessEnv): Issuer | null {
  const read = configuration.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!read.success) {
    const reasons = read.error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`);
    throw new Error(`${file}: ${reasons.join('; ')}`);
  }
  const given = read.data;
  switch (given.issuer) {
    case 'built-in':
      return null;
    case 'google-cas': {
      const { caPool, credentialsFile, endpoint } = given;
      return googleCas({
        caPool,
        ...(credentialsFile === undefined ? {} : { credentialsFile }),
        ...(endpoint === undefined ? {} : { endpoint }),
      });
    }
    case 'step-ca': {
      const { url, rootFile, provisioner, provisionerKeyFile } = given;
      const provisionerKey =
        provisionerKeyFile === undefined
          ? env['SIGNET_STEP_PROVISIONER_KEY']
          : readFileSync(provisionerKeyFile, 'utf8');
      if (provisionerKey === undefined)
        throw new Error(`${file}: name provisionerKeyFile, or set SIGNET_STEP_PROVISIONER_KEY`);
      return stepCa({ url, rootPem: readFileSync(rootFile, 'utf8'), provisioner, provisionerKey });
    }
    default:
      return given satisfies never;
  }
}

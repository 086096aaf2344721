import { Readable } from 'node:stream';
import type { OpenReply, OriginClient } from '../../electron/mtls/client.ts';

/** A client of one origin that answers from a script and writes down what it was asked. */
export function scriptedOrigin(
  origin: string,
  reply: (path: string) => { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
): OriginClient & { readonly asked: { readonly path: string; readonly headers: Readonly<Record<string, string>> }[] } {
  const asked: { readonly path: string; readonly headers: Readonly<Record<string, string>> }[] = [];
  return {
    asked,
    origin,
    call: () => Promise.reject(new Error('media are streamed')),
    open: async (path, headers): Promise<OpenReply> => {
      asked.push({ path, headers });
      const { status, headers: sent = {} } = reply(path);
      return { status, header: (name) => sent[name], body: Readable.from([Buffer.from('bytes')]) };
    },
    close: async () => {},
    retire: async () => {},
  };
}

import { type IncomingMessage, net, type Session } from 'electron';
import { StreamFault, type StreamReply, type StreamRequest } from './stream-reply.ts';

/** Chromium's words for why a request failed (net/base/net_error_list.h) as words of ours. */
function faultOf(error: Error): StreamFault {
  const { message } = error;
  if (/ERR_(CERT|SSL)_/.test(message)) return new StreamFault('certificate', error);
  if (/ERR_(TUNNEL_CONNECTION_FAILED|BLOCKED_BY_CLIENT)/.test(message))
    return new StreamFault('address-refused-or-unreachable', error);
  if (/ERR_(CONNECTION_)?TIMED_OUT/.test(message)) return new StreamFault('timeout', error);
  return new StreamFault('unreachable', error);
}

/**
 * GET over Chromium's network stack, by the session's proxy: no cookies, no cache, no redirect followed.
 * @param login what the session's own proxy is told; `null` for every other one
 * @throws StreamFault
 */
export function requestStream(
  session: Session,
  { url, headers }: StreamRequest,
  login: (host: string, port: number) => { readonly username: string; readonly password: string } | null,
  signal: AbortSignal,
): Promise<StreamReply> {
  return new Promise((resolve, reject) => {
    // It would not be told of again.
    if (signal.aborted) return reject(new StreamFault('timeout', signal.reason));
    const request = net.request({ url, session, redirect: 'manual', useSessionCookies: false, cache: 'no-store' });
    const destroy = () => request.abort();
    signal.addEventListener('abort', () => {
      destroy();
      reject(new StreamFault('timeout', signal.reason));
    });
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    request.on('login', ({ isProxy, host, port }, callback) => {
      const answer = isProxy ? login(host, port) : null;
      if (answer === null) callback();
      else callback(answer.username, answer.password);
    });
    request.on('redirect', (status, _method, location) => {
      // Not followed, it ends here.
      resolve({ status, location, body: nothing(), destroy });
    });
    request.on('response', (reply) => {
      const stop = () => {
        destroy();
        (reply as IncomingMessage & { destroy(): void }).destroy();
      };
      // Its own destruction comes as an error: unheard, it would end the process.
      reply.on('error', () => undefined);
      const body = reply as unknown as AsyncIterable<Uint8Array>;
      resolve({ status: reply.statusCode, location: null, body, destroy: stop });
    });
    request.on('error', (error) => reject(faultOf(error)));
    request.end();
  });
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

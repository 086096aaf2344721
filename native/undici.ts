import type { Socket } from 'node:net';
import type { ConnectOptions, TlsStream } from './api.ts';
import { connect } from './connect.ts';
import { TssError } from './error.ts';

/** What undici hands to a connector; a part of its `buildConnector.Options`. */
export interface ConnectorTarget {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
}

/** undici's callback. */
export type ConnectorCallback = (...result: [null, Socket] | [Error, null]) => void;

/** What undici takes as `connect`: `new Agent({ connect: undiciConnector(…) })`. */
export type UndiciConnector = (target: ConnectorTarget, callback: ConnectorCallback) => void;

/** What may differ from one connection to the next; see ConnectOptions. */
export type ConnectionTerms = Pick<ConnectOptions, 'ca' | 'caFile' | 'identity' | 'minVersion' | 'proxy' | 'verifyAt'>;

export interface UndiciConnectorOptions {
  /**
   * Trust, identity and way for one connection, asked for each time, so that a renewed certificate takes effect. May
   * throw: then no connection is made. The caller decides which hosts may see the identity.
   */
  readonly credentials: (target: ConnectorTarget) => ConnectionTerms | Promise<ConnectionTerms>;
  /** Deadline in milliseconds for name, TCP, proxy and TLS together; 10,000 where absent. */
  readonly timeoutMs?: number;
}

/**
 * A connector for undici: https only, HTTP/1.1, verified against the URL's own host and never a Host header.
 */
export function undiciConnector(options: UndiciConnectorOptions): UndiciConnector {
  return (target, callback) => {
    open(target, options).then(
      // undici asks no more of a socket than a Duplex gives, `ref` and `unref` included.
      (stream) => callback(null, stream as unknown as Socket),
      (error: Error) => callback(error, null),
    );
  };
}

async function open(target: ConnectorTarget, options: UndiciConnectorOptions): Promise<TlsStream> {
  if (target.protocol !== 'https:') throw new TssError('ARGUMENT_INVALID', 'only https: is connected');
  return connect({
    ...(await options.credentials(target)),
    host: target.hostname,
    port: target.port === '' ? 443 : Number(target.port),
    alpn: ['http/1.1'],
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
}

/**
 * Google's published description of Certificate Authority Service (test/fixtures/google-cas/privateca-v1.json, made from
 * Google's own package), and calls judged by it: HTTP transcoding (google.api.http) and the JSON form of protobuf.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const field = z.strictObject({
  type: z.string(),
  repeated: z.boolean().default(false),
  behavior: z.array(z.enum(['REQUIRED', 'OPTIONAL', 'IMMUTABLE', 'OUTPUT_ONLY', 'IDENTIFIER'])),
  pattern: z.string().optional(),
  format: z.literal('uuid, not zero').optional(),
});
type Field = z.infer<typeof field>;
const message = z.strictObject({
  fields: z.record(z.string(), field),
  oneofs: z.array(z.array(z.string())).default([]),
});
const description = z.strictObject({
  source: z.string(),
  host: z.string(),
  scope: z.string(),
  methods: z.record(
    z.string(),
    z.strictObject({
      verb: z.enum(['GET', 'POST']),
      path: z.string(),
      body: z.string().nullable(),
      request: z.string(),
      response: z.string(),
    }),
  ),
  messages: z.record(z.string(), message),
  enums: z.record(z.string(), z.array(z.string())),
});

export const published = description.parse(
  JSON.parse(readFileSync('test/fixtures/google-cas/privateca-v1.json', 'utf8')),
);

/** A call that the description has no place for. */
export class UnpublishedCall extends Error {
  override readonly name = 'UnpublishedCall';
}

export interface PublishedCall {
  readonly rpc: string;
  /** What stands in the path, by the field's name in JSON. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const camel = (word: string) => word.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `/v1/{parent=a/*}/b` as an expression: its one variable, and the segments of it. */
function templateOf(path: string): { readonly name: string; readonly expression: RegExp } {
  const [, before = '', name = '', segments = '', after = ''] = /^([^{]*)\{(\w+)=([^}]+)\}(.*)$/.exec(path) ?? [];
  const literal = (text: string) => text.replaceAll(/[.+?^$()|[\]\\]/g, '\\$&');
  const variable = segments.split('*').map(literal).join('[^/:]+');
  return { name: camel(name), expression: new RegExp(`^${literal(before)}(${variable})${literal(after)}$`) };
}

/**
 * The method that a request calls, everything in it judged.
 * @param body parsed JSON; `''` where there was none
 * @throws UnpublishedCall
 */
export function readCall(method: string, url: URL, body: unknown): PublishedCall {
  for (const [rpc, one] of Object.entries(published.methods)) {
    const { name, expression } = templateOf(one.path);
    const found = expression.exec(url.pathname)?.[1];
    if (one.verb !== method || found === undefined) continue;
    const fields = published.messages[one.request]?.fields ?? {};
    const query: Record<string, string> = {};
    for (const [key, value] of url.searchParams) {
      // With the body `*` every field that is not in the path belongs into the body.
      if (one.body === '*' || key === one.body || key === name || fields[key] === undefined || key in query)
        throw new UnpublishedCall(`${rpc}: no such query parameter, ${key}`);
      query[key] = value;
    }
    if (one.body === null && body !== '') throw new UnpublishedCall(`${rpc}: takes no body`);
    if (one.body !== null && !isObject(body)) throw new UnpublishedCall(`${rpc}: the body is no object`);
    const given = isObject(body) ? body : {};
    const whole = one.body === null ? {} : one.body === '*' ? given : { [one.body]: given };
    if (name in whole) throw new UnpublishedCall(`${rpc}: ${name} is in the path already`);
    checkMessage(one.request, { ...fromText(fields, query), ...whole, [name]: found }, rpc);
    return { rpc, path: { [name]: found }, query, body: given };
  }
  throw new UnpublishedCall(`${method} ${url.pathname}: no such method`);
}

/** A reply, judged by the same description. @throws UnpublishedCall */
export function checkReply(rpc: string, body: unknown): void {
  checkMessage(published.methods[rpc]?.response ?? '', body, `${rpc}’s reply`, 'output');
}

/** Query parameters have no types: a boolean is a word there. */
function fromText(fields: Readonly<Record<string, Field>>, query: Readonly<Record<string, string>>) {
  const typed = (key: string, value: string) =>
    fields[key]?.type === 'bool' && /^(true|false)$/.test(value) ? value === 'true' : value;
  return Object.fromEntries(Object.entries(query).map(([key, value]) => [key, typed(key, value)]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checkMessage(name: string, value: unknown, at: string, direction: 'input' | 'output' = 'input'): void {
  const shape = published.messages[name];
  if (shape === undefined) throw new UnpublishedCall(`${at}: ${name} is not in the excerpt`);
  if (!isObject(value)) throw new UnpublishedCall(`${at}: no object`);
  for (const [key, given] of Object.entries(value)) {
    const one = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (one === undefined) throw new UnpublishedCall(`${at}: ${name} has no ${key}`);
    const isSet = one.behavior.includes('OUTPUT_ONLY') || one.behavior.includes('IDENTIFIER');
    if (direction === 'input' && isSet) throw new UnpublishedCall(`${at}: ${key} is Google's to set`);
    const values = one.repeated && Array.isArray(given) ? given : [given];
    if (one.repeated && !Array.isArray(given)) throw new UnpublishedCall(`${at}: ${key} is no list`);
    for (const each of values) checkValue(one, each, `${at}: ${key}`, direction);
  }
  if (direction === 'input')
    for (const [key, { behavior }] of Object.entries(shape.fields))
      if (behavior.includes('REQUIRED') && !(key in value)) throw new UnpublishedCall(`${at}: ${key} is missing`);
  for (const choice of shape.oneofs)
    if (choice.filter((key) => key in value).length !== 1)
      throw new UnpublishedCall(`${at}: one of ${choice.join(', ')}`);
}

function checkValue({ type, pattern, format }: Field, value: unknown, at: string, direction: 'input' | 'output'): void {
  const no = () => new UnpublishedCall(`${at} is no ${format ?? type}`);
  const values = published.enums[type];
  if (values !== undefined) {
    if (typeof value !== 'string' || !values.includes(value)) throw no();
  } else if (type === 'bool') {
    if (typeof value !== 'boolean') throw no();
  } else if (type === 'map<string,string>') {
    if (!isObject(value) || Object.values(value).some((each) => typeof each !== 'string')) throw no();
  } else if (type === 'google.protobuf.Duration') {
    if (typeof value !== 'string' || !/^-?\d{1,12}(\.\d{1,9})?s$/.test(value)) throw no();
  } else if (type === 'google.protobuf.Timestamp') {
    if (!z.iso.datetime({ offset: true }).safeParse(value).success) throw no();
  } else if (type === 'string') {
    if (typeof value !== 'string' || (pattern !== undefined && !new RegExp(pattern).test(value))) throw no();
    const isUuid = z.uuid().safeParse(value).success && !/^[0-]+$/.test(value);
    if (format !== undefined && !isUuid) throw no();
  } else checkMessage(type, value, at, direction);
}

/** Request bodies, checked. */
import type { z } from 'zod';
import { Refusal } from './refusal.ts';

/** The body as the schema says. @throws Refusal 422 that names the first wrong field */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Refusal(422, 'body-invalid', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`);
}

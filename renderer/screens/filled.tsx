import { Fragment } from 'react';

interface FilledProps {
  /** A sentence with places such as `{time}`. */
  readonly text: string;
  readonly values: Readonly<Record<string, string>>;
}

/** A sentence with its values put in, each isolated, so that digits keep their order in a right-to-left sentence. */
export function Filled({ text, values }: FilledProps) {
  return text.split(/\{(\w+)\}/).map((part, at) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence, which never move
    return at % 2 === 0 ? <Fragment key={at}>{part}</Fragment> : <bdi key={at}>{values[part] ?? ''}</bdi>;
  });
}

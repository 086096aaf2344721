#!/usr/bin/env node
import { existsSync } from 'node:fs';
import process from 'node:process';

const program = new URL('../dist/cli.cjs', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  process.stderr.write(
    'node-tss: this package has not been built: run `npm run setup` at the root of its repository\n',
  );
  process.exitCode = 1;
}

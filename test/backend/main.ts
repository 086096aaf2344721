/** The reference server on the command line. */
import { parseArgs } from 'node:util';
import { startBackend } from './backend.ts';

const help = `The reference management server of Signet Player: for development and tests.

  --state DIR   folder for its authority, operator token and screens (default .signet/server)
  --port N      port to listen on (default 8443; 0 takes a free one)
  --host H      address to listen on (default 127.0.0.1)
  --help        this text

Run it from the folder of the checkout. It prints its address, the file of its
authority and the operator token; open the address in a browser to claim screens.
`;

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      state: { type: 'string', default: '.signet/server' },
      port: { type: 'string', default: '8443' },
      host: { type: 'string', default: '127.0.0.1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);
  const backend = await startBackend({ stateDirectory: values.state, port, host: values.host });
  process.stdout.write(`console         ${backend.origin}/\n`);
  process.stdout.write(`authority       ${backend.caFile}\n`);
  process.stdout.write(`operator token  ${backend.operatorToken}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void backend.close());
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

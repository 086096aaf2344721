import packageFile from '../package.json' with { type: 'json' };
import { ak } from './ak.ts';
import { certify } from './certify.ts';
import { Call, type Command } from './command.ts';
import { create } from './create.ts';
import { csr } from './csr.ts';
import { ek } from './ek.ts';
import { CliError, exitCodeOf, reportOf } from './failure.ts';
import { info } from './info.ts';
import { request } from './request.ts';
import { sign } from './sign.ts';
import { printable } from './text.ts';

const commands: Readonly<Record<string, Command>> = { info, create, csr, sign, request, ek, ak, certify };

const help = `node-tss — keys in a TPM 2.0, and mutual TLS with them

  node-tss COMMAND [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}\n`)
  .join('')}
  node-tss COMMAND --help  what a command takes
  node-tss --version

Exit codes: 0 success; 1 failure, with its code; 2 the command line is wrong; 130, 143 interrupted.
`;

const commonHelp = `  --tcti TCTI              the TPM: device:PATH, swtpm:path=SOCKET, swtpm:host=H,port=P, mssim:…, tabrmd:
                           (TPM2TOOLS_TCTI, else device:/dev/tpmrm0, where absent)
  --owner-auth-file FILE   holds the TPM owner's password, where there is one
  --json                   one JSON object on standard output; failures as {"error": {code, message, remedy, rc}}
  --help                   this text
`;

function helpOf(name: string, { usage, summary, help: own }: Command): string {
  const [options = '', ...notes] = own.split('\n\n');
  const more = notes.map((note) => `\n${note}\n`).join('');
  return `node-tss ${name} ${usage}\n\n${summary}\n\n${options}\n${commonHelp}${more}`;
}

async function answer(args: readonly string[]): Promise<string> {
  const [name = '', ...rest] = args;
  if (name === '--version') return `${packageFile.version}\n`;
  if (name === '--help' || name === '-h' || name === 'help') return help;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    throw new CliError('USAGE', name === '' ? 'a command is missing' : `"${name}" is not a command`);
  }
  const call = new Call(command, rest);
  if (call.flag('help')) return helpOf(name, command);
  const { json, text } = await command.run(call);
  return call.flag('json') ? `${JSON.stringify(json)}\n` : text;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    process.stdout.write(await answer(args));
    return 0;
  } catch (thrown) {
    const report = reportOf(thrown);
    if (args.includes('--json')) {
      process.stdout.write(`${JSON.stringify({ error: report })}\n`);
    } else {
      process.stderr.write(printable(`node-tss: ${report.code}: ${report.message}\n  remedy: ${report.remedy}\n`));
    }
    return exitCodeOf(report);
  }
}

// A reader that has seen enough, such as head(1), is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// A signal's default end would leave objects in a raw TPM; process.exit() runs the addon's last words.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

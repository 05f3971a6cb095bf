/** The command line: what can be typed, and what is said when it makes no sense. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type BootFlags, bootCommand } from './boot-command.ts';
import { driveCommand } from './drive/drive.ts';
import { TARGET_NAMES } from './targets.ts';
import { UsageError } from './usage-error.ts';

const EXIT_USAGE = 2;
/** Characters of a message about bad input; what was typed may be of any length. */
const LINE_LENGTH = 400;
const EXIT_PANIC = 70;

/** Run the command line `args`. @returns the exit code */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const cli = createCli((code) => {
    exitCode = code;
  });
  try {
    await cli.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function createCli(setExitCode: (code: number) => void): Command {
  const cli = new Command('barreleye')
    .description('Barreleye, a multikernel operating system')
    .version(readVersion(), '-V, --version', 'show the version')
    .exitOverride()
    .configureOutput({ outputError: () => undefined, writeErr: () => undefined });
  cli
    .command('boot')
    .argument('<target>', `machine to boot: ${TARGET_NAMES.join(', ')}`)
    .argument('[script]', 'file of commands to type instead of reading any, for instance demo.bsh')
    .description('boot a system and sit at its console')
    .option('--cores <n>', 'number of cores', '1')
    .option('--topology <name>', 'charge for the way between cores: flat or 8x4 (default: free)')
    .option('--ram <bytes>', 'amount of RAM, for instance 64m or 1g (default: 256m)')
    .option(
      '--host <host>',
      'sim: deterministic, in one thread; threads: a thread for each core',
      'sim',
    )
    .option('--seed <n>', 'seed of the run: same seed, same run', '1')
    .option('--menu <file>', 'boot menu instead of the built-in one')
    .option('--scheduler <name>', 'rr (round robin) or rbed (deadlines and budgets)')
    .option('--no-pae', 'x86_32 only: page tables of two levels instead of PAE')
    .option('--run <commands>', 'type these commands instead of reading any')
    .option('--trace <file>', 'record events (does not exist yet)')
    .option('--stats', 'show figures of the run at its end')
    .action(async (target: string, script: string | undefined, flags: BootFlags) => {
      setExitCode(await bootCommand(target, script, flags));
    });
  cli
    .command('drive')
    .argument('<subject>', 'the part to drive, see docs/drive.md')
    .description('put a case to one part of the system: JSON in, JSON out')
    .option('--seconds <n>', 'longest run', '30')
    .action(async (subject: string, flags: { readonly seconds: string }) => {
      setExitCode(await driveCommand(subject, flags.seconds));
    });
  return cli;
}

/** One line for what a person did wrong; a kernel panic says that it is our fault. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const isBare = error.code === 'commander.help';
    return refuse(isBare ? 'say what to do; --help lists it' : error.message);
  }
  if (error instanceof UsageError) {
    return refuse(error.message);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`barreleye: the system failed, which is a bug: ${text}\n`);
  return EXIT_PANIC;
}

/** What was typed may hold anything; what is said about it is one line. */
function refuse(message: string): number {
  const words = message.replace(/^error: /, '').replace(/\p{Cc}+/gu, ' ');
  const line = words.length > LINE_LENGTH ? `${words.slice(0, LINE_LENGTH)}...` : words;
  process.stderr.write(`barreleye: ${line}\n`);
  return EXIT_USAGE;
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

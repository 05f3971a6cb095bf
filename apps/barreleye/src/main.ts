#!/usr/bin/env node
/**
 * The command line's entry. Node keeps what it has compiled in its cache (under the host's folder
 * for temporary files), which halves the processor time of a short run; all else is loaded after.
 */

import module from 'node:module';

module.enableCompileCache?.(); // Node 22.8 and later
const { runCli } = await import('./cli.ts');

/** What the shell reports of a program whose reader has gone: 128 + SIGPIPE. */
const EXIT_NO_READER = 141;

/** An output that cannot be written to, a full disk for instance: EX_IOERR. */
const EXIT_OUTPUT = 74;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_NO_READER);
  process.stderr.write(`barreleye: cannot write the output: ${error.message}\n`);
  process.exit(EXIT_OUTPUT);
});
process.exitCode = await runCli(process.argv.slice(2));

#!/usr/bin/env node
/** The command line's entry. */

import { runCli } from './cli.ts';

/** What the shell reports of a program whose reader has gone: 128 + SIGPIPE. */
const EXIT_NO_READER = 141;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT_NO_READER);
});
process.exitCode = await runCli(process.argv.slice(2));

#!/usr/bin/env node
/** The command line's entry. */

import { runCli } from './cli.ts';

process.exitCode = await runCli(process.argv.slice(2));

/** `help`: what one can type. */

import type { Command } from '../shell.ts';

/** Make the command for a list of others; it lists itself too. */
export function createHelp(others: readonly Command[]): Command {
  const help: Command = {
    name: 'help',
    usage: '',
    summary: 'show this list',
    argCount: [0, 0],
    // biome-ignore lint/correctness/useYield: a command is a generator whether or not it waits
    *run({ console }) {
      for (const { name, usage, summary } of [help, ...others]) {
        console.printLine(`  ${`${name} ${usage}`.padEnd(22)} ${summary}`);
      }
    },
  };
  return help;
}

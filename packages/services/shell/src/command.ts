/** What a command is: its name, what `help` says of it, and what it does. */

import type { Wait } from '@barreleye/libos';
import type { Shell } from './shell.ts';

/** Under which heading `help` shows a command. */
export const GROUPS = [
  'Programs',
  'Domains',
  'Memory of this shell',
  'The machine',
  'This shell',
] as const;
export type Group = (typeof GROUPS)[number];

/** What an argument is, for the Tab key. */
export type ArgKind =
  | 'nothing' // that one could guess
  | 'command'
  | 'program'
  | 'line' //    a command or program; what follows are its arguments
  | 'core' //    that runs
  | 'anyCore'
  | 'order' //   to a core
  | 'domain'
  | 'subject' // a domain, or the shell itself
  | 'name' //    of a service
  | 'variable'
  | 'block'; //  of memory

/** One use of a command or program. */
export interface Call {
  /** Name and arguments. */
  readonly words: readonly string[];
  /** Variables that hold for a program that it starts, besides those of the shell. */
  readonly assignments: ReadonlyMap<string, string>;
  readonly isBackground: boolean;
  /** Where a program is to run; undefined: here. */
  readonly core?: number;
  /** As it was typed. */
  readonly text: string;
}

/** Something that one can type. */
export interface Command {
  readonly name: string;
  /** Arguments as `help` shows them. */
  readonly usage: string;
  readonly group: Group;
  readonly summary: string;
  /** What else there is to know, line by line. */
  readonly details: readonly string[];
  readonly example: string;
  /** How many arguments it takes: fewest and most. */
  readonly argCount: readonly [number, number];
  /** What its arguments are; the last goes for all further ones. */
  readonly argKinds: readonly ArgKind[];
  /** Whether `&` may follow it. No, if left out. */
  readonly canBackground?: boolean;
  /** @returns its status, which is then `$?` */
  run(shell: Shell, args: readonly string[], call: Call): Wait<number>;
}

/** What a command throws to say that its arguments make no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command throws that cannot do what it should. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** What the terminal domain is told of the terminal that a person sits at. */

/** The most columns that the terminal domain understands. */
const MAX_COLUMNS = 9999;

/** What the host knows: its streams, and `TERM` of its environment. */
export interface HostTerminal {
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number };
  readonly term: string | undefined;
}

/** Arguments for a terminal with escape sequences; none where a pipe or a simple one is. */
export function terminalArgs({ stdin, stdout, term }: HostTerminal): string {
  if (!stdin.isTTY || !stdout.isTTY || term === 'dumb') return '';
  const { columns = 0 } = stdout;
  const isKnown = columns >= 2 && columns <= MAX_COLUMNS;
  return isKnown ? `mode=ansi columns=${columns}` : 'mode=ansi';
}

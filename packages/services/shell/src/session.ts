/** What a shell remembers from one command to the next. */

import { Blocks } from './blocks.ts';
import { Jobs, Status } from './jobs.ts';

/** Lines that `history` can show. */
const MAX_HISTORY = 500;

export class Session {
  readonly variables: Map<string, string>;
  readonly jobs: Jobs;
  /** What `alloc` has made and `free` takes back, by name. */
  readonly blocks: Blocks;
  /** How the last command ended: `$?`. */
  status: number;
  /** Set by `exit`: no further command runs. */
  exitCode: number | undefined;
  /** The person at the terminal types a line: what there is to tell can be told at once. */
  isAtPrompt: boolean;
  private readonly lines: string[];
  private forgotten: number;

  constructor(environment: Iterable<readonly [string, string]>) {
    this.variables = new Map(environment);
    this.jobs = new Jobs();
    this.blocks = new Blocks();
    this.status = Status.Ok;
    this.exitCode = undefined;
    this.isAtPrompt = false;
    this.lines = [];
    this.forgotten = 0;
  }

  /** What a variable holds, `?` included. */
  lookup(name: string): string | undefined {
    return name === '?' ? String(this.status) : this.variables.get(name);
  }

  /** Remember a line, unless it is blank. */
  remember(line: string): void {
    if (line.trim() === '') return;
    this.lines.push(line);
    if (this.lines.length <= MAX_HISTORY) return;
    this.lines.shift();
    this.forgotten += 1;
  }

  /** The lines that are remembered, with their numbers. */
  history(): (readonly [number, string])[] {
    return this.lines.map((line, i) => [this.forgotten + i + 1, line]);
  }
}

/** The lines that a session has read, for the arrow keys. The oldest are forgotten. */

/** Lines that are remembered. */
const MAX_LINES = 200;

export class History {
  private readonly lines: string[];

  constructor() {
    this.lines = [];
  }

  get length(): number {
    return this.lines.length;
  }

  /** Line `index`, the oldest being 0. */
  at(index: number): string {
    return this.lines[index] ?? '';
  }

  /** Remember a line, unless it is blank or the same as the last. */
  add(line: string): void {
    if (line.trim() === '' || line === this.lines.at(-1)) return;
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }
}

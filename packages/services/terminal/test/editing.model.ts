/** Editing as it could be done with strings: what is before the cursor, and what is behind it. */

export class EditingModel {
  before = '';
  after = '';
  readonly history: string[] = [];
  private at = 0;
  private draft = '';

  get line(): string {
    return this.before + this.after;
  }

  type(text: string): void {
    this.before += text;
  }

  /** What a key does, by the name that it has in `KEYS`. */
  press(name: ModelKey): void {
    const { before, after, line } = this;
    switch (name) {
      case 'home':
        this.split(0);
        break;
      case 'end':
        this.split([...line].length);
        break;
      case 'left':
        this.split([...before].length - 1);
        break;
      case 'right':
        this.split([...before].length + 1);
        break;
      case 'wordLeft':
        this.split([...before.replace(/[\p{L}\p{M}\p{N}_]*[^\p{L}\p{M}\p{N}_]*$/u, '')].length);
        break;
      case 'wordRight': {
        const word = /^[^\p{L}\p{M}\p{N}_]*[\p{L}\p{M}\p{N}_]*/u.exec(after)?.[0] ?? '';
        this.split([...before, ...word].length);
        break;
      }
      case 'backspace':
        this.before = [...before].slice(0, -1).join('');
        break;
      case 'delete':
        this.after = [...after].slice(1).join('');
        break;
      case 'killStart':
        this.before = '';
        break;
      case 'killEnd':
        this.after = '';
        break;
      case 'killWord':
        this.before = before.replace(/\S*\s*$/u, '');
        break;
      case 'up':
        this.recall(this.at - 1);
        break;
      case 'down':
        this.recall(this.at + 1);
        break;
      default:
        this.submit();
    }
  }

  private submit(): void {
    const { line, history } = this;
    if (line.trim() !== '' && line !== history.at(-1)) history.push(line);
    this.before = '';
    this.after = '';
    this.at = history.length;
  }

  private recall(to: number): void {
    if (to < 0 || to > this.history.length) return;
    if (this.at === this.history.length) this.draft = this.line;
    this.at = to;
    this.before = this.history[to] ?? this.draft;
    this.after = '';
  }

  private split(at: number): void {
    const chars = [...this.line];
    this.before = chars.slice(0, Math.max(at, 0)).join('');
    this.after = chars.slice(Math.max(at, 0)).join('');
  }
}

export type ModelKey =
  | 'home'
  | 'end'
  | 'left'
  | 'right'
  | 'wordLeft'
  | 'wordRight'
  | 'backspace'
  | 'delete'
  | 'killStart'
  | 'killEnd'
  | 'killWord'
  | 'up'
  | 'down'
  | 'return';

/** What a keyboard sends for them. */
export const KEYS: Readonly<Record<ModelKey, readonly string[]>> = {
  home: ['\u0001', '\u001b[H', '\u001bOH', '\u001b[1~', '\u001b[7~'],
  end: ['\u0005', '\u001b[F', '\u001bOF', '\u001b[4~', '\u001b[8~'],
  left: ['\u0002', '\u001b[D', '\u001bOD'],
  right: ['\u0006', '\u001b[C', '\u001bOC'],
  wordLeft: ['\u001bb', '\u001b[1;5D', '\u001b[1;3D'],
  wordRight: ['\u001bf', '\u001b[1;5C', '\u001b[1;3C'],
  backspace: ['\u007f', '\b'],
  delete: ['\u001b[3~'],
  killStart: ['\u0015'],
  killEnd: ['\u000b'],
  killWord: ['\u0017', '\u001b\u007f'],
  up: ['\u0010', '\u001b[A', '\u001bOA'],
  down: ['\u000e', '\u001b[B', '\u001bOB'],
  return: ['\r', '\n', '\r\n'],
};

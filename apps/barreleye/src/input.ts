/** Where the input of a machine comes from: a text, a pipe, or a person at a terminal. */

const LINE_FEED = 0x0a;
const CTRL_BRACKET = 0x1d;
/** Timers of the host cannot be longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A source of input. */
export interface InputSource {
  /** More bytes, a line of them unless a person types; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** There if a person types, which they do when they like. */
  readonly person?: Person;
}

/** What a person does while nobody has asked for input. */
export interface Person {
  /** Nothing will be typed any more: the terminal is gone. */
  readonly isGone: boolean;
  /** What was typed meanwhile. */
  waiting(): Uint8Array | undefined;
  /** Wait until something is typed or the person is gone, but no longer than `ms` milliseconds. */
  arrival(ms: number): Promise<void>;
}

/** Input from a text, line by line. */
export function textInput(text: string): InputSource {
  const lines = splitLines(new TextEncoder().encode(text)).map(endLine);
  return { next: () => Promise.resolve(lines.shift()) };
}

/** Input from a stream, line by line. */
export function streamInput(stream: NodeJS.ReadableStream): InputSource {
  const chunks = stream[Symbol.asyncIterator]();
  let rest = new Uint8Array();
  let isAtEnd = false;
  const lines: Uint8Array[] = [];
  return {
    async next() {
      while (lines.length === 0 && !isAtEnd) {
        const chunk = await chunks.next();
        isAtEnd = chunk.done === true;
        const bytes = isAtEnd ? rest : Buffer.concat([rest, Buffer.from(chunk.value as Buffer)]);
        const complete = isAtEnd ? bytes.length : bytes.lastIndexOf(LINE_FEED) + 1;
        lines.push(...splitLines(bytes.subarray(0, complete)).map(endLine));
        rest = bytes.slice(complete);
      }
      return lines.shift();
    },
  };
}

/**
 * Input from a person: bytes as they are typed, also while the machine is busy.
 * @param quit called when the person types Ctrl-], which no system sees
 */
export function terminalInput(terminal: NodeJS.ReadStream, quit: () => void): InputSource {
  const typed: Uint8Array[] = [];
  let arrived: () => void = () => undefined;
  let isAtEnd = false;
  terminal.on('data', (chunk: Buffer) => {
    if (chunk.includes(CTRL_BRACKET)) quit();
    typed.push(chunk);
    arrived();
  });
  terminal.on('end', () => {
    isAtEnd = true;
    arrived();
  });
  return {
    async next() {
      while (typed.length === 0 && !isAtEnd) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
      return typed.shift();
    },
    person: {
      get isGone() {
        return isAtEnd;
      },
      waiting: () => typed.shift(),
      async arrival(ms) {
        if (typed.length > 0 || isAtEnd) return;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
          arrived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      },
    },
  };
}

/** The last line of a file may lack its end; it is a line all the same. */
function endLine(line: Uint8Array): Uint8Array {
  return line.at(-1) === LINE_FEED ? line : Uint8Array.of(...line, LINE_FEED);
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    lines.push(bytes.slice(at, end));
    at = end;
  }
  return lines;
}

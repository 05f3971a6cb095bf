/**
 * The host of a deterministic machine: lets it run, carries bytes between its console and the
 * terminal, and waits for input when the machine has nothing to do.
 *
 * Input that is not typed by a person is handed over a line at a time, each when it is due, so that
 * a run does not depend on how a pipe cuts its data.
 */

import { Typist } from '@barreleye/boot';
import type { Machine } from '@barreleye/machine';

/** Cycles that the machine runs before the host looks at its own events. */
const RUN_CYCLES = 50_000_000;
const CTRL_D = 0x04;
const LINE_FEED = 0x0a;
const CTRL_BRACKET = 0x1d;

/** Where input comes from. */
export interface InputSource {
  /** More bytes, or undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Of a person, who types when they like: what was typed while the machine was busy. */
  waiting?(): Uint8Array | undefined;
}

/** Where output goes. */
export type OutputSink = (bytes: Uint8Array) => void;

/**
 * Run the machine to its end.
 * @returns its exit code; undefined: it sleeps for ever and the input has ended
 */
export async function runMachine(
  machine: Machine,
  input: InputSource,
  output: OutputSink,
): Promise<number | undefined> {
  let shown: number[] = [];
  machine.console.transmit = (byte) => shown.push(byte);
  const typist = new Typist(machine);
  let isAtEnd = false;
  for (;;) {
    const isAwaited = input.waiting === undefined && !isAtEnd;
    const outcome = isAwaited ? typist.run(RUN_CYCLES) : machine.run(RUN_CYCLES);
    if (shown.length > 0) output(Uint8Array.from(shown));
    shown = [];
    if (outcome.kind === 'off') return outcome.exitCode;
    if (outcome.kind === 'budget') {
      await hostTurn();
      typist.type(input.waiting?.() ?? []);
    } else {
      if (isAtEnd) return undefined;
      const bytes = await input.next();
      isAtEnd = bytes === undefined;
      typist.type(bytes ?? [CTRL_D]);
    }
  }
}

/** Let the host see to its own events: signals, typed characters. */
function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
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
    waiting: () => typed.shift(),
  };
}

/** Output to a stream; without a terminal behind it, lines end as text files' do. */
export function streamOutput(stream: NodeJS.WriteStream): OutputSink {
  if (stream.isTTY) return (bytes) => void stream.write(bytes);
  return (bytes) => void stream.write(bytes.filter((byte) => byte !== 0x0d));
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

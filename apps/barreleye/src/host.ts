/**
 * The host of a deterministic machine: lets it run, carries bytes between its console and the
 * terminal, and waits for input when the machine has nothing to do.
 *
 * Input that is not typed by a person is handed over a line at a time, each when it is due, so that
 * a run does not depend on how a pipe cuts its data. For a person, time passes as it should: a
 * machine that sleeps for a second does so.
 */

import { Typist } from '@barreleye/boot';
import type { Machine } from '@barreleye/machine';
import type { InputSource } from './input.ts';
import { Pacer } from './pacer.ts';

/** Cycles until the host looks at its own events: hundredths of a second for a busy machine. */
const RUN_CYCLES = 500_000;
const CTRL_D = 0x04;

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
  const { person } = input;
  let shown: number[] = [];
  machine.console.transmit = (byte) => shown.push(byte);
  const typist = new Typist(machine);
  let runner: Typist | Pacer | Machine =
    person === undefined ? typist : new Pacer(machine, () => performance.now());
  for (;;) {
    const outcome = runner.run(RUN_CYCLES);
    if (shown.length > 0) output(Uint8Array.from(shown));
    shown = [];
    if (outcome.kind === 'off') return outcome.exitCode;
    const isIdle = outcome.kind === 'idle' || outcome.kind === 'due';
    if (outcome.kind === 'asleep') await person?.arrival(outcome.ms);
    else if (!isIdle) await hostTurn();
    if (runner === machine) {
      if (isIdle) return undefined;
      continue;
    }
    let typed = person?.waiting();
    if (typed === undefined && (isIdle || person?.isGone)) {
      typed = await input.next();
      if (typed === undefined) {
        runner = machine; // nobody is left to wait for
        typed = Uint8Array.of(CTRL_D);
      }
    }
    if (typed !== undefined) typist.type(typed);
  }
}

/** Let the host see to its own events: signals, typed characters. */
function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Output to a stream; without a terminal behind it, lines end as text files' do. */
export function streamOutput(stream: NodeJS.WriteStream): OutputSink {
  if (stream.isTTY) return (bytes) => void stream.write(bytes);
  return (bytes) => void stream.write(bytes.filter((byte) => byte !== 0x0d));
}

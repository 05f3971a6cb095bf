/**
 * The host of a machine whose cores run in parallel: carries bytes between its console and the
 * terminal. What a person types goes in as it is typed; other input a line at a time, each when it
 * is due. The clock of such a machine is that of the host, so sleep takes as long as it should.
 */

import { type MachineEnd, type ParallelMachine, ParallelTypist } from '@barreleye/machine-threads';
import type { OutputSink } from './host.ts';
import type { InputSource } from './input.ts';

const CTRL_D = 0x04;

/**
 * Run the machine to its end, which throws if that is a bug of ours.
 * @returns its exit code; undefined: it sleeps for ever and the input has ended
 */
export async function runParallel(
  machine: ParallelMachine,
  input: InputSource,
  output: OutputSink,
): Promise<number | undefined> {
  machine.transmit = output;
  const typist = new ParallelTypist(machine);
  const end = await Promise.race([machine.ended, typeAll(machine, typist, input)]);
  if (end === undefined) await machine.stop();
  if (end?.kind === 'failed') throw end.failure;
  return end?.kind === 'off' ? end.exitCode : undefined;
}

/** Type everything. @returns the end of the machine; undefined: there will be none */
async function typeAll(
  machine: ParallelMachine,
  typist: ParallelTypist,
  input: InputSource,
): Promise<MachineEnd | undefined> {
  for (;;) {
    if (input.person === undefined && !(await typist.untilDue())) return machine.ended;
    const typed = await input.next();
    if (typed === undefined) break;
    typist.type(typed);
  }
  typist.type(Uint8Array.of(CTRL_D)); // nobody is left to wait for
  return typist.untilOver();
}

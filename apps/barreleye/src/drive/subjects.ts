/** The parts of the system that can be driven on their own, by name. */

import { driveCaps } from './caps.ts';
import { driveMm } from './mm.ts';
import { driveMmu } from './mmu.ts';
import { driveSh } from './sh.ts';
import { driveUmp } from './ump.ts';
import { driveVspace } from './vspace.ts';

/**
 * Takes a parsed JSON document and returns one, or will. Throws InputError for input that is not
 * of the form.
 */
export type Subject = (input: unknown) => unknown;

/** All subjects. */
export const SUBJECTS: ReadonlyMap<string, Subject> = new Map([
  ['caps', driveCaps],
  ['mm', driveMm],
  ['mmu', driveMmu],
  ['sh', driveSh],
  ['ump', driveUmp],
  ['vspace', driveVspace],
]);

export const SUBJECT_NAMES = [...SUBJECTS.keys()];

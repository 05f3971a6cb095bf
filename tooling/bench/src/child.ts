/**
 * Runs the one bench it is given and prints its row, or `null` if it cannot run here; see main.ts
 * for why it is a process.
 */
import { BENCHES } from './benches/index.ts';
import { measure } from './measure.ts';

const name = process.argv[2];
const bench = BENCHES.find((candidate) => candidate.name === name);
if (!bench) throw new Error(`no bench is named ${name}`);
const row = await measure(bench, () => performance.now());
if (typeof row === 'string') console.error(`bench: ${name} skipped: ${row}`);
process.stdout.write(JSON.stringify(typeof row === 'string' ? null : row));

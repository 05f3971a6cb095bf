/** Runs the one bench it is given and prints its row; see main.ts for why it is a process. */
import { BENCHES } from './benches/index.ts';
import { measure } from './measure.ts';

const name = process.argv[2];
const bench = BENCHES.find((candidate) => candidate.name === name);
if (!bench) throw new Error(`no bench is named ${name}`);
process.stdout.write(JSON.stringify(measure(bench, () => performance.now())));

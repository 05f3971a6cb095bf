/**
 * `bench [FILTER] [--json]`: measures the benches whose names contain FILTER, each next to its
 * baseline, and prints a table and below it how families of benches grow or, with --json, an array
 * of rows and nothing else. `bench --charts` draws the charts in docs anew instead.
 *
 * Each bench runs in a process of its own: the optimising compiler remembers the types that a
 * function has seen, so a bench would inherit the fortune of those that ran before it.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pico from 'picocolors';
import type { Bench, Row } from './bench.ts';
import { BENCHES } from './benches/index.ts';
import { CHARTS } from './charts.ts';
import { fitFamilies } from './fit.ts';
import { formatFits, formatTable } from './format.ts';

const USAGE = 'usage: bench [FILTER] [--json] | bench --charts';
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  const request = parse(args);
  if (typeof request === 'string') {
    console.error(`bench: ${request}`);
    return 2;
  }
  const { benches, json, charts } = request;
  if (charts) return drawCharts();
  const results = benches.map((bench, index) => {
    progress(`[${index + 1}/${benches.length}] ${bench.name}`);
    return run(bench);
  });
  progress('');
  const rows = results.filter((result) => typeof result === 'object');
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  else print(rows);
  return results.includes('failed') ? 1 : 0;
}

function print(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  console.log(formatTable(rows, pico.bold));
  const fits = fitFamilies(rows);
  if (fits.length > 0) console.log(`\n${formatFits(fits, pico.bold)}`);
}

interface Request {
  readonly benches: readonly Bench[];
  readonly json: boolean;
  readonly charts: boolean;
}

/** Draw what is deterministic: nobody's chart differs from anybody else's. */
function drawCharts(): number {
  for (const [name, draw] of CHARTS) {
    const file = new URL(`../../../docs/${name}`, import.meta.url);
    writeFileSync(file, draw());
    console.log(fileURLToPath(file));
  }
  return 0;
}

/** What to run, or what is wrong with the arguments. */
function parse(args: string[]): Request | string {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = { json: flag, charts: flag };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length > 1) return `more than one filter; ${USAGE}`;
    const [filter = ''] = positionals;
    const benches = BENCHES.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
    return benches.length > 0 ? { benches, ...values } : `no bench matches '${filter}'`;
  } catch (error) {
    return `${error instanceof Error ? error.message.split('. ')[0] : error}; ${USAGE}`;
  }
}

/** The bench's row. If it failed, or cannot run here, a line on stderr says so. */
function run({ name, nodeFlags = [] }: Bench): Row | 'failed' | 'skipped' {
  const args = [...process.execArgv, ...nodeFlags, CHILD, name];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return (JSON.parse(stdout) as Row | null) ?? 'skipped';
  console.error(`bench: ${name} failed`);
  return 'failed';
}

/** Show `text` on a terminal in place of what was shown before. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

// Runs the random tests of capabilities, hostile programs and domains for long: `npm run soak`.
// Rounds of vitest with a new seed each, until so much has been done, or the time is over. A round
// that fails ends the run with status 1, and says how to play it again.
//
//   npm run soak       2,000,000 model commands, 1,000,000 hostile calls, 200,000 domains
//   npm run soak -- --minutes 10          for ten minutes
//   npm run soak -- --rounds 3 --seed 7   three rounds, the first with seed 7
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './tidy/src/workspace.mjs';

/** Histories of 100 commands, calls, and domains, of one round. */
const HISTORIES = 1000;
const CALLS = 50_000;
const DOMAINS = 10_000;
const COMMANDS = 100 * HISTORIES;
const ROUNDS = 20;
const FILES = [
  'packages/kernel/caps/test/model.test.ts',
  'packages/kernel/cpu-driver/test/outsider.test.ts',
  'tooling/testkit/test/churn.test.ts',
];
/** A round that has not run all of them has not passed. */
const ALL_PASSED = /Test Files +3 passed/;
const MINUTE = 60_000;
const USAGE = 'usage: npm run soak -- [--minutes N | --rounds N] [--seed N]';

const { minutes, rounds, seed } = readOptions();
const start = Date.now();
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

const limit = Number.isFinite(rounds) ? `${rounds} rounds` : `${minutes} minutes`;
console.log(`${limit}, each round ${countsOf(1)}, first seed ${seed}`);
let done = 0;
for (; done < rounds && Date.now() - start < minutes * MINUTE; done++) {
  const { status, output } = await runRound(seed + done);
  if (status === 0 && ALL_PASSED.test(output)) continue;
  console.log(`${output}\nround ${done + 1} failed, with seed ${seed + done}; to play it again:`);
  console.log(`  npm run soak -- --rounds 1 --seed ${seed + done}`);
  process.exit(1);
}
report('passed', '\n');

/**
 * @param {number} roundSeed
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function runRound(roundSeed) {
  const env = {
    ...process.env,
    NO_COLOR: '1',
    FC_RUNS: `${HISTORIES}`,
    FC_SEED: `${roundSeed}`,
    HOSTILE_CALLS: `${CALLS}`,
    // Each life of a hostile domain takes a seed of its own.
    HOSTILE_SEED: `${roundSeed * 1000}`,
    SPAWN_CYCLES: `${DOMAINS}`,
    SPAWN_SEED: `${roundSeed}`,
  };
  const child = spawn(process.execPath, [vitest, 'run', ...FILES], { cwd: root, env });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const progress = process.stdout.isTTY
    ? setInterval(() => report('running', '\r'), 1000)
    : undefined;
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearInterval(progress);
      if (!process.stdout.isTTY && status === 0) console.log(`seed ${roundSeed}: passed`);
      resolve({ status, output });
    });
  });
}

/**
 * @param {string} state
 * @param {string} end
 */
function report(state, end) {
  const seconds = Math.round((Date.now() - start) / 1000);
  process.stdout.write(`${state}: ${done} rounds, ${countsOf(done)}, ${seconds} s  ${end}`);
}

/** @param {number} rounds */
function countsOf(rounds) {
  return `${rounds * COMMANDS} commands, ${rounds * CALLS} calls, ${rounds * DOMAINS} domains`;
}

function readOptions() {
  const number = /** @type {const} */ ({ type: 'string' });
  try {
    const options = { minutes: number, rounds: number, seed: number, help: { type: 'boolean' } };
    const { values } = parseArgs({ options: /** @type {never} */ (options) });
    if (values['help']) exit(USAGE, 0);
    const hasTime = values['minutes'] !== undefined;
    return {
      minutes: count(values['minutes'], Infinity),
      rounds: count(values['rounds'], hasTime ? Infinity : ROUNDS),
      seed: count(values['seed'], 1 + (Date.now() % 900_000)),
    };
  } catch (error) {
    return exit(`${error instanceof Error ? error.message : error}\n${USAGE}`, 2);
  }
}

/**
 * @param {unknown} text
 * @param {number} otherwise
 */
function count(text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(String(text)))
    throw new Error(`not a number from 1 to 999999: ${text}`);
  return Number(text);
}

/**
 * @param {string} message
 * @param {number} status
 * @returns {never}
 */
function exit(message, status) {
  console.log(message);
  process.exit(status);
}

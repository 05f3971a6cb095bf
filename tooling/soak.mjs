// Runs random tests of capabilities, hostile programs, domains and cores for long: `npm run soak`.
// Rounds of vitest with a new seed each, until so much has been done, or the time is over. A round
// that fails ends the run with status 1, and says how to play it again.
//
//   npm run soak       2,000,000 model commands, 1,000,000 hostile calls, 200,000 domains
//   npm run soak -- --minutes 10          for ten minutes
//   npm run soak -- --rounds 3 --seed 7   three rounds, the first with seed 7
//   npm run soak -- --task cores          every core talks to every core, on both hosts
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './tidy/src/workspace.mjs';

/** Histories of 100 commands, calls, and domains, of one round. */
const HISTORIES = 1000;
const CALLS = 50_000;
const DOMAINS = 10_000;
const COMMANDS = 100 * HISTORIES;
/** Histories of a round of talk between cores on each host, and events of each. */
const TALKS = 4;
const EVENTS = 60;
const ROUNDS = 20;
/** Test files of each task. A round that has not run all of them has not passed. */
const TASKS = {
  random: [
    'packages/kernel/caps/test/model.test.ts',
    'packages/kernel/cpu-driver/test/outsider.test.ts',
    'tooling/testkit/test/churn.test.ts',
  ],
  cores: ['tooling/testkit/test/stress.test.ts', 'tooling/testkit/test/stress-threads.test.ts'],
};
const MINUTE = 60_000;
const USAGE =
  'usage: npm run soak -- [--task random | cores] [--minutes N | --rounds N] [--seed N]';

const { task, minutes, rounds, seed } = readOptions();
const files = TASKS[task];
const allPassed = new RegExp(`Test Files +${files.length} passed`);
const start = Date.now();
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

const limit = Number.isFinite(rounds) ? `${rounds} rounds` : `${minutes} minutes`;
console.log(`${limit}, each round ${countsOf(1)}, first seed ${seed}`);
let done = 0;
for (; done < rounds && Date.now() - start < minutes * MINUTE; done++) {
  const { status, output } = await runRound(seed + done);
  if (status === 0 && allPassed.test(output)) continue;
  console.log(`${output}\nround ${done + 1} failed, with seed ${seed + done}; to play it again:`);
  console.log(`  npm run soak -- --task ${task} --rounds 1 --seed ${seed + done}`);
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
    STRESS_RUNS: `${TALKS}`,
    STRESS_THREAD_RUNS: `${TALKS}`,
    STRESS_EVENTS: `${EVENTS}`,
    STRESS_SEED: `${roundSeed}`,
  };
  const child = spawn(process.execPath, [vitest, 'run', ...files], { cwd: root, env });
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
  if (task === 'cores') return `${rounds * TALKS} histories of ${EVENTS} events on each host`;
  return `${rounds * COMMANDS} commands, ${rounds * CALLS} calls, ${rounds * DOMAINS} domains`;
}

function readOptions() {
  const text = /** @type {const} */ ({ type: 'string' });
  const numbers = { minutes: text, rounds: text, seed: text };
  try {
    const options = { task: text, ...numbers, help: { type: 'boolean' } };
    const { values } = parseArgs({ options: /** @type {never} */ (options) });
    if (values['help']) exit(USAGE, 0);
    const hasTime = values['minutes'] !== undefined;
    return {
      task: taskNamed(values['task'] ?? 'random'),
      minutes: count(values['minutes'], Infinity),
      rounds: count(values['rounds'], hasTime ? Infinity : ROUNDS),
      seed: count(values['seed'], 1 + (Date.now() % 900_000)),
    };
  } catch (error) {
    return exit(`${error instanceof Error ? error.message : error}\n${USAGE}`, 2);
  }
}

/**
 * @param {unknown} name
 * @returns {keyof typeof TASKS}
 */
function taskNamed(name) {
  if (name === 'random' || name === 'cores') return name;
  throw new Error(`there is no task ${name}`);
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

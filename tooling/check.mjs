// Runs every check that is not a test, one after the other: a line for each, the output of those
// that fail, and a closing count. `npm run check -- tidy lint` runs just these.
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { manifestOf, packageFolders, root } from './tidy/src/workspace.mjs';

const published = packageFolders().filter((folder) => !manifestOf(folder).private);

/** @type {Record<string, string[]>} Name of the check: its commands, up to the first that fails. */
const CHECKS = {
  types: ['tsc -b'],
  lint: ['biome ci --colors=off --error-on-warnings .'],
  boundaries: ['turbo boundaries'],
  tidy: ['node tooling/tidy/src/main.ts'],
  unused: ['knip --no-config-hints'],
  lockfile: [
    'node tooling/check-lock.mjs',
    'pnpm install --frozen-lockfile --lockfile-only --offline',
  ],
  build: [
    'turbo run build --output-logs=errors-only',
    ...published.map((folder) => `publint run --strict --pack pnpm ${folder}`),
  ],
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
const bin = join(root, 'node_modules/.bin');
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env['PATH']}`,
  TURBO_TELEMETRY_DISABLED: '1',
};

let failed = 0;
for (const name of names) {
  const start = performance.now();
  const output = firstFailure(CHECKS[name] ?? [`echo no such check: ${name}; exit 1`]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${output === undefined ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (output !== undefined) {
    failed += 1;
    console.log(output);
  }
}
console.log(`${names.length - failed} checks passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * What the first command that fails has printed, or undefined if all succeed.
 * @param {string[]} commands
 */
function firstFailure(commands) {
  for (const command of commands) {
    const options = { cwd: root, env, shell: true, encoding: /** @type {const} */ ('utf8') };
    const { status, stdout, stderr } = spawnSync(command, options);
    if (status !== 0) return `${stdout}${stderr}$ ${command}: ended with ${status}`;
  }
  return undefined;
}

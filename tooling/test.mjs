// Runs every test of the workspace in one vitest, then prints `N passed, N failed` as the last
// line and exits with 1 unless all is well. `npm test -- caps retype` runs the files whose names
// hold "retype" in the package `caps`; other arguments go to vitest as they are.
//
// One process, not turbo's one per package: with the few cores of a laptop or a CI machine,
// starting vitest costs more than the tests that a cache could save.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageFolders, root } from './tidy/src/workspace.mjs';

const results = join(root, '.results/tests.json');
const bin = join(root, 'node_modules/.bin');
const names = packageFolders().map((folder) => folder.slice(folder.lastIndexOf('/') + 1));
const args = process.argv.slice(2).map((arg) => (names.includes(arg) ? `--project=${arg}` : arg));

rmSync(results, { force: true });
const { status } = spawnSync('vitest', ['run', ...args], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }), // vitest colours what goes to a file, too
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH']}`,
  },
});

const counts = readCounts();
// However it went wrong, a run that went wrong never reports 0 failed.
if (status !== 0 && counts.failed === 0) {
  console.log(`vitest ended with status ${status}`);
  counts.failed = 1;
}
if (counts.passed + counts.failed === 0) {
  console.log('no tests were found');
  counts.failed = 1;
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** @returns {{ passed: number, failed: number }} */
function readCounts() {
  try {
    return JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    console.log('vitest left no result');
    return { passed: 0, failed: 1 };
  }
}

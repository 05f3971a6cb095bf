import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Row } from '../src/bench.ts';
import { BENCHES } from '../src/benches/index.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function bench(...args: string[]) {
  const argv = ['--conditions=@barreleye/source', MAIN, ...args];
  return spawnSync(process.execPath, argv, { encoding: 'utf8' });
}

it('every bench has a name of its own', () => {
  expect(new Set(BENCHES.map(({ name }) => name)).size).toBe(BENCHES.length);
});

it('prints rows as JSON and nothing else', () => {
  const { status, stdout, stderr } = bench('typed-array', '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [row, ...others] = JSON.parse(stdout) as Row[];
  expect(others).toEqual([]);
  expect(row).toMatchObject({ name: 'typed-array load', unit: 'ns/op' });
  expect(row!.value).toBeGreaterThan(0);
  expect(row!.ratio).toBeCloseTo(row!.value / row!.baseline.value);
});

it('leaves out what needs a C compiler where there is none', () => {
  const argv = ['--conditions=@barreleye/source', MAIN, 'mdb lookup at 1e3', '--json'];
  const options = { encoding: 'utf8', env: { ...process.env, PATH: '' } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, options);
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: '[]\n',
    stderr: 'bench: mdb lookup at 1e3 skipped: there is no gcc\n',
  });
});

it.each([
  [['no-such-bench'], "bench: no bench matches 'no-such-bench'\n"],
  [['a', 'b'], 'bench: more than one filter; usage: bench [FILTER] [--json] | bench --charts\n'],
  [['--loud'], "bench: Unknown option '--loud'; usage: bench [FILTER] [--json] | bench --charts\n"],
])('refuses %j in one line', (args, message) => {
  const { status, stdout, stderr } = bench(...args);
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: message });
});

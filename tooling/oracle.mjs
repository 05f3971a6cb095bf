// Puts the recorded page tables of all architectures to QEMU's MMU again, live:
//
//   npm run oracle -- path/to/mmu_oracle.py [PREFIX ...]
//
// The oracle is a program that carries out each probe as a real access by an emulated processor; it
// wants python3 and QEMU. A PREFIX is the beginning of PACKAGE/FIXTURE, for instance paging-armv7
// or paging-x86-32/pae. Prints a line for each package, and what disagrees.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Fixture
 * @property {string} arch
 * @property {string} root
 * @property {Record<string, string>} regs
 * @property {string[]} tables
 * @property {string[]} words
 * @property {string[]} changed
 * @property {string[]} probes
 */

const ARCH = fileURLToPath(new URL('../packages/arch', import.meta.url));
const [oracle, ...prefixes] = process.argv.slice(2);
if (oracle === undefined) {
  console.error('usage: npm run oracle -- path/to/mmu_oracle.py [PREFIX ...]');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'barreleye-oracle-'));
let failed = 0;
for (const name of readdirSync(ARCH).sort()) failed += checkPackage(name);
rmSync(scratch, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;

/**
 * Check the fixtures of a package.
 * @param {string} name
 * @returns {number} how many fixtures disagree or could not be run
 */
function checkPackage(name) {
  const folder = join(ARCH, name, 'test/fixtures');
  const files = readdirSync(folder).filter(
    (file) =>
      prefixes.length === 0 || prefixes.some((prefix) => `${name}/${file}`.startsWith(prefix)),
  );
  let probeCount = 0;
  let failedCount = 0;
  for (const file of files.sort()) {
    /** @type {Fixture} */
    const fixture = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const path = join(scratch, file);
    writeFileSync(path, JSON.stringify(caseOf(fixture)));
    const { status, stdout, stderr } = spawnSync('python3', [String(oracle), '-q', path], {
      encoding: 'utf8',
    });
    probeCount += fixture.probes.length;
    if (status === 0) continue;
    failedCount += 1;
    console.log(`${name}/${file}:\n${stdout}${stderr}`);
  }
  if (files.length > 0) {
    console.log(`${name}: ${files.length} fixtures, ${probeCount} probes, ${failedCount} disagree`);
  }
  return failedCount;
}

/**
 * A fixture as a case of the oracle, with the recorded answers as its expectations.
 * @param {Fixture} fixture
 */
function caseOf({ arch, root, regs, tables, words, changed, probes }) {
  const key = arch === 'x86_64' || arch === 'pae' ? 'u64' : 'u32';
  const pairs = (/** @type {string[]} */ lines) => lines.map((line) => line.split(' '));
  return {
    arch,
    root,
    regs: Object.fromEntries(Object.entries(regs).map(([reg, n]) => [reg.toLowerCase(), n])),
    memory: [
      ...pairs(tables).map(([base, size]) => ({ base, size })),
      ...pairs(words).map(([base, value]) => ({ base, [key]: [value] })),
    ],
    expectMemory: pairs(changed).map(([addr, value]) => ({ addr, [key]: [value] })),
    probes: probes.map((probe) => {
      const [how = '', va, ...came] = probe.split(' ');
      return { va, access: how.charAt(0), user: how.charAt(1) === 'u', expect: answer(arch, came) };
    }),
  };
}

/**
 * What a probe is expected to come to.
 * @param {string} arch
 * @param {string[]} came an address; or name and code of a fault, on ARM also its domain
 */
function answer(arch, [first = '', code, domain]) {
  if (first.startsWith('0x')) return { pa: first };
  if (first === 'general-protection') return 'fault';
  if (arch !== 'armv7') return { fault: { code: Number(code) } };
  const fault = { fs: Number(code), status: first };
  return { fault: domain === '-' ? fault : { ...fault, domain: Number(domain) } };
}

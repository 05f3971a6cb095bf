// Installs the workspace when node_modules does not match the lockfile, and is otherwise quick.
//
// It is the `pre` script of every root script, so a fresh clone needs Node and npm and nothing
// else. It writes to stderr only and leaves stdin alone: the program that follows owns both
// stdin and stdout.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const stamp = new URL('node_modules/.setup', root);

const hash = createHash('sha256');
for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) {
  hash.update(readFileSync(new URL(name, root)));
}
const digest = hash.digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  const { packageManager } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const { status } = spawnSync(`npx --yes ${packageManager} install --frozen-lockfile`, {
    cwd: root,
    shell: true,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    console.error('setup: not installed; after a change to a package.json, npm run relock');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, digest);
}

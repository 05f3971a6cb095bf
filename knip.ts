// Finds files, exports and dependencies that nothing uses.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KnipConfig } from 'knip';
import { packageFolders, root } from './tooling/tidy/src/workspace.mjs';

const config: KnipConfig = {
  // A type may be exported because the signature of a neighbour mentions it.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Two names for one number say two things about it.
  rules: { duplicates: 'off' },
  workspaces: {
    '.': {
      entry: ['tooling/*.{mjs,ts}', 'tooling/presets/*.ts'],
      // Called by name from scripts or by turbo, or named by a "$schema" line.
      ignoreDependencies: ['@changesets/.*', 'pnpm', 'publint', 'turbo'],
    },
    ...Object.fromEntries(
      packageFolders().map((folder) => [
        folder,
        {
          entry: ['src/main.ts', 'src/**/{child,*worker}.ts', '{src,test}/**/*.test.ts'],
          ignoreDependencies: early(folder),
        },
      ]),
    ),
  },
};

export default config;

/** Dependencies that may wait for a use. */
function early(folder: string): string[] {
  if (folder === 'tooling/bench') return ['@barreleye/.*']; // whatever there is to measure
  // Poured but not yet filled: the dependencies are there, the sources are to come.
  return readdirSync(join(root, folder, 'src')).length === 1 ? ['.*'] : [];
}

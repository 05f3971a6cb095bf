// One project for every package of the workspace, found by reading its folders, so a new package
// is tested without anybody listing it.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import Totals from './tooling/reporter.ts';
import { packageFolders, root } from './tooling/tidy/src/workspace.mjs';

export default defineConfig({
  test: {
    projects: packageFolders().map((folder) => ({
      test: {
        name: folder.slice(folder.lastIndexOf('/') + 1),
        root: join(root, folder),
        // No module here has state, so files may share a worker instead of starting one each.
        isolate: false,
        // Node imports the sources itself, as in every other script of ours: what vite makes of an
        // import costs hot loops more than half of their speed.
        experimental: { viteModuleRunner: false },
        execArgv: ['--conditions=@barreleye/source'],
        // For model tests on a busy two-core machine; a test that needs more says so itself.
        testTimeout: 30_000,
        include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      },
    })),
    // A package may have no tests yet; a run without a single test fails in tooling/test.mjs.
    passWithNoTests: true,
    maxWorkers: '100%', // the default leaves one of a laptop's few cores idle
    reporters: ['default', new Totals()],
  },
});

/** Runs the first TypeScript example of every README, from inside the package it describes. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { example } from '../src/rules/readmes.ts';
import { readWorkspace } from '../src/tidy.ts';
import { root } from '../src/workspace.mjs';

const SOURCE = '--conditions=@barreleye/source';

describe('README examples', () => {
  for (const { folder, manifest, readme } of readWorkspace()) {
    const code = example(readme);
    if (code === undefined) continue; // whether it may lack one is a rule of tidy itself
    it(`${manifest.name} does what it shows`, () => {
      const file = join(root, folder, '.results/readme.ts');
      mkdirSync(join(root, folder, '.results'), { recursive: true });
      writeFileSync(file, code);
      const run = spawnSync(process.execPath, [SOURCE, file], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
    });
  }

  it('tells the first ts block from others', () => {
    expect(example('# x\n\n```sh\nls\n```\n\n```ts\na;\n```\n\n```ts\nb;\n```\n')).toBe('a;\n');
    expect(example('# x\n')).toBeUndefined();
  });
});

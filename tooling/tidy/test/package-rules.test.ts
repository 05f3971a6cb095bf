import { describe, expect, it } from 'vitest';
import type { Package } from '../src/package.ts';
import { layers } from '../src/rules/layers.ts';
import { readmes } from '../src/rules/readmes.ts';
import { shells } from '../src/rules/shells.ts';
import { type Finding, parse } from '../src/source.ts';
import { pour, skeletonWords } from '../src/workspace.mjs';

/** A package fresh from the skeleton, with some of it changed. */
function poured(layer: string, name: string, changes: Partial<Package> = {}): Package {
  const folder = `packages/${layer}/${name}`;
  const words = skeletonWords(folder, layer, 'Something');
  return {
    folder,
    layer,
    manifest: JSON.parse(pour('package.json', words)),
    tsconfig: JSON.parse(pour('tsconfig.json', words)),
    turbo: JSON.parse(pour('turbo.json', words)),
    readme: pour('README.md', words),
    sources: [parse(`${folder}/src/index.ts`, pour('src/index.ts', words))],
    ...changes,
  };
}

/** The manifest of a fresh package, with some of it changed. */
function manifest(changes: Record<string, unknown>): Pick<Package, 'manifest'> {
  return { manifest: { ...poured('kernel', 'caps').manifest, ...changes } };
}

const messages = (findings: readonly Finding[]): string[] => findings.map(({ message }) => message);

const arch = poured('arch', 'paging-armv7');
const core = poured('base', 'core');

describe('shells', () => {
  const found = (changes: Partial<Package>): string[] =>
    messages(shells([poured('kernel', 'caps', changes), core]));

  it('takes a package fresh from the skeleton', () => {
    expect(found({})).toEqual([]);
  });

  it('finds what differs from the skeleton', () => {
    expect(found(manifest({ license: 'GPL-3.0' }))).toEqual([
      "license differs from the skeleton's",
    ]);
    expect(found(manifest({ scripts: {} }))).toHaveLength(2);
    expect(found({ turbo: { tags: ['lib'] } })).toEqual(['does not have the tag kernel']);
  });

  it('finds entries that are not ours, and a forgotten publishConfig', () => {
    const { exports } = core.manifest;
    expect(found(manifest({ exports: { ...exports, './deep': './src/deep.ts' } }))).toEqual([
      'exports "./deep"',
      'publishConfig is not exports without the source condition',
    ]);
  });

  it('finds libraries and loose versions', () => {
    const dependencies = { zod: '4.6.7', '@barreleye/core': '^0.0.0' };
    expect(found({ ...manifest({ dependencies }), ...references('../../base/core') })).toEqual([
      'depends on zod at run time',
      '@barreleye/core is not "workspace:^"',
    ]);
  });

  it('finds references that are not the dependencies, and options of its own', () => {
    const dependencies = { '@barreleye/core': 'workspace:^' };
    expect(found(manifest({ dependencies }))).toEqual(['references should be ../../base/core']);
    expect(found({ ...manifest({ dependencies }), ...references('../../base/core') })).toEqual([]);
    const tsconfig = { ...core.tsconfig, compilerOptions: { strict: false } };
    expect(found({ tsconfig })).toEqual(['has compilerOptions of its own']);
  });

  function references(path: string): Pick<Package, 'tsconfig'> {
    return { tsconfig: { ...core.tsconfig, references: [{ path }] } };
  }
});

describe('layers', () => {
  const importing = (path: string): Partial<Package> => ({
    ...manifest({ devDependencies: { [arch.manifest.name]: 'workspace:^' } }),
    sources: [parse(path, `// x\nimport { walk } from '${arch.manifest.name}';`)],
  });
  const found = (changes: Partial<Package>): string[] =>
    messages(layers([poured('kernel', 'caps', changes), arch]));

  it('lets tests, and only tests, import a devDependency', () => {
    expect(found(importing('packages/kernel/caps/src/cte.test.ts'))).toEqual([]);
    expect(found(importing('packages/kernel/caps/test/cte.test.ts'))).toEqual([]);
    expect(found(importing('packages/kernel/caps/src/cte.ts'))).toEqual([
      "@barreleye/paging-armv7 is not among the package's dependencies",
    ]);
  });

  it('keeps arch out of the kernel at run time', () => {
    const dependencies = { [arch.manifest.name]: 'workspace:^' };
    expect(found(manifest({ dependencies }))).toEqual([
      '@barreleye/paging-armv7 may be a devDependency only',
    ]);
  });
});

describe('readmes', () => {
  const found = (readme: string, index = 'export { a } from "./a.ts";'): string[] => {
    const sources = [parse('packages/kernel/caps/src/index.ts', index)];
    return messages(readmes([poured('kernel', 'caps', { readme, sources })]));
  };

  it('takes a stub without an example, but nothing that exports', () => {
    expect(found('# @barreleye/caps\n', 'export {};')).toEqual([]);
    expect(found('# @barreleye/caps\n')).toEqual(['has no ```ts example']);
    expect(found('# @barreleye/caps\n\n```ts\na;\n```\n')).toEqual([]);
  });

  it('asks for the name first', () => {
    expect(found('# Capabilities\n')).toEqual(['does not begin with its name']);
  });
});

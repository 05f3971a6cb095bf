/**
 * Every package looks the way the skeleton does, so that knowing one is knowing all. Tooling is
 * private and free in form; it is held to a name, a licence and a boundaries tag.
 */
import { isDeepStrictEqual } from 'node:util';
import { findingIn, type Package } from '../package.ts';
import type { Finding } from '../source.ts';
import { type Conditions, fromFolder, pour, skeletonWords } from '../workspace.mjs';

/** Fields of package.json in which no package differs from the skeleton. */
const UNIFORM = ['name', 'license', 'author', 'type', 'sideEffects', 'files'] as const;

export function shells(packages: readonly Package[]): Finding[] {
  const folderOf = new Map(packages.map(({ manifest, folder }) => [manifest.name, folder]));
  return packages.flatMap((pack) => {
    const common = [...boundaries(pack), ...dependencies(pack)];
    if (pack.layer === 'tooling') return common;
    return [...common, ...uniform(pack), ...entries(pack), ...compiler(pack, folderOf)];
  });
}

function poured<T>(pack: Package, file: string): T {
  return JSON.parse(pour(file, skeletonWords(pack.folder, pack.layer, '')));
}

function boundaries(pack: Package): Finding[] {
  // Beyond its tag, a package may say how its own tasks are cached.
  const skeleton = poured<NonNullable<Package['turbo']>>(pack, 'turbo.json');
  if (isDeepStrictEqual(pack.turbo?.tags, skeleton.tags)) return [];
  return [findingIn(pack, 'turbo.json', 'shell', `does not have the tag ${pack.layer}`)];
}

function uniform(pack: Package): Finding[] {
  const skeleton = poured<Package['manifest']>(pack, 'package.json');
  const differing: string[] = UNIFORM.filter(
    (field) => !isDeepStrictEqual(pack.manifest[field], skeleton[field]),
  );
  for (const group of ['scripts', 'devDependencies'] as const) {
    const own = (pack.manifest[group] ?? {}) as Record<string, string>;
    for (const [name, value] of Object.entries(skeleton[group] as Record<string, string>)) {
      if (own[name] !== value) differing.push(`${group}.${name}`);
    }
  }
  return differing.map((field) =>
    findingIn(pack, 'package.json', 'shell', `${field} differs from the skeleton's`),
  );
}

/** Entries are "." and "./testing", each from src in the workspace and from dist once published. */
function entries(pack: Package): Finding[] {
  const { exports = {}, publishConfig, bin } = pack.manifest;
  const findings: Finding[] = [];
  const report = (message: string): void => {
    findings.push(findingIn(pack, 'package.json', 'exports', message));
  };
  if (!exports['.'] && !bin) report('exports neither "." nor a command');
  const published: Record<string, string | Conditions> = {};
  for (const [entry, target] of Object.entries(exports)) {
    published[entry] = target;
    if (entry === './package.json') continue;
    const name = entry === '.' ? 'index' : 'testing';
    const dist = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` };
    published[entry] = dist;
    if (entry !== '.' && entry !== './testing') report(`exports "${entry}"`);
    else if (!isDeepStrictEqual(target, { '@barreleye/source': `./src/${name}.ts`, ...dist })) {
      report(`"${entry}" does not lead to src/${name}.ts and dist/${name}.js`);
    }
  }
  if (!isDeepStrictEqual(publishConfig, { access: 'public', exports: published })) {
    report('publishConfig is not exports without the source condition');
  }
  return findings;
}

/** Versions live in the catalog or the workspace; only hosts may bring libraries along. */
function dependencies(pack: Package): Finding[] {
  const { dependencies: runtime = {}, devDependencies = {} } = pack.manifest;
  const mayUseNpm = !pack.folder.startsWith('packages/');
  return [
    ...Object.keys(runtime)
      .filter((name) => !mayUseNpm && !name.startsWith('@barreleye/'))
      .map((name) => `depends on ${name} at run time`),
    ...Object.entries({ ...runtime, ...devDependencies })
      .filter(([name, version]) => name.startsWith('@barreleye/') && version !== 'workspace:^')
      .map(([name]) => `${name} is not "workspace:^"`),
  ].map((message) => findingIn(pack, 'package.json', 'dependencies', message));
}

/** tsc builds what package.json says a package depends on, under the options that all share. */
function compiler(pack: Package, folderOf: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  const report = (rule: string, message: string): void => {
    findings.push(findingIn(pack, 'tsconfig.json', rule, message));
  };
  const { tsconfig = {} } = pack;
  if (tsconfig.extends !== poured<Package['tsconfig']>(pack, 'tsconfig.json')?.extends) {
    report('shell', "extends differs from the skeleton's");
  }
  if (tsconfig.compilerOptions) report('compiler-options', 'has compilerOptions of its own');
  const expected = Object.keys(pack.manifest.dependencies ?? {})
    .flatMap((name) => folderOf.get(name) ?? [])
    .map((folder) => fromFolder(pack.folder, folder));
  const actual = (tsconfig.references ?? []).map(({ path }) => path);
  if (!isDeepStrictEqual(actual.toSorted(), expected.toSorted())) {
    report('shell', `references should be ${expected.join(', ') || 'none'}`);
  }
  return findings;
}

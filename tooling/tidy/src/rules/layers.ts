/**
 * What `turbo boundaries` cannot see: whether an import is a test's. Sources may import only what
 * their package depends on at run time, and the layers that find their hardware behind an
 * interface meet `arch` in tests only.
 */
import { findingIn, type Package } from '../package.ts';
import { type Finding, findingAt } from '../source.ts';

const ARCH_IN_TESTS_ONLY = ['machine', 'kernel', 'system'];

export function layers(packages: readonly Package[]): Finding[] {
  const layerOf = new Map(packages.map(({ manifest, layer }) => [manifest.name, layer]));
  return packages.flatMap((pack) => [...imports(pack), ...archInTests(pack, layerOf)]);
}

function imports(pack: Package): Finding[] {
  const isDeclared = (specifier: string): boolean => {
    if (/^(node:|\.)/.test(specifier)) return true;
    const [, name = ''] = /^((?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
    return name in (pack.manifest.dependencies ?? {});
  };
  return pack.sources
    .filter(({ path, isTest }) => path.startsWith(`${pack.folder}/src/`) && !isTest)
    .flatMap((source) =>
      source.program.body.flatMap((statement) => {
        const specifier = 'source' in statement ? statement.source?.value : undefined;
        if (specifier === undefined || isDeclared(specifier)) return [];
        const message = `${specifier} is not among the package's dependencies`;
        return [findingAt(source, statement.start, 'imports', message)];
      }),
    );
}

function archInTests(pack: Package, layerOf: ReadonlyMap<string, string>): Finding[] {
  if (!ARCH_IN_TESTS_ONLY.includes(pack.layer)) return [];
  return Object.keys(pack.manifest.dependencies ?? {})
    .filter((name) => layerOf.get(name) === 'arch')
    .map((name) =>
      findingIn(pack, 'package.json', 'layers', `${name} may be a devDependency only`),
    );
}

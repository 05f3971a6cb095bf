/** All rules over the whole workspace, less the exemptions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXEMPTIONS, type Exemption } from './exempt.ts';
import { type Package, readPackage } from './package.ts';
import { brands } from './rules/brands.ts';
import { hostFree } from './rules/host-free.ts';
import { layers } from './rules/layers.ts';
import { readmes } from './rules/readmes.ts';
import { shape } from './rules/shape.ts';
import { shells } from './rules/shells.ts';
import { size } from './rules/size.ts';
import { type Finding, parse, type Source, type SourceRule } from './source.ts';
import { packageFolders, root } from './workspace.mjs';

const SOURCE_RULES: readonly SourceRule[] = [size, shape, hostFree];

/** Every package of the workspace that holds this file. */
export function readWorkspace(): Package[] {
  return packageFolders().map((folder) => readPackage(root, folder));
}

/** Findings over `packages` and the loose files at the root, in the order of their paths. */
export function tidy(packages: readonly Package[]): Finding[] {
  const sources = [...packages.flatMap((pack) => pack.sources), ...looseSources()];
  const findings = [
    ...sources.flatMap((source) => SOURCE_RULES.flatMap((rule) => rule(source))),
    ...brands(sources),
    ...shells(packages),
    ...layers(packages),
    ...readmes(packages),
  ];
  return withoutExempt(findings, EXEMPTIONS).sort(byPlace);
}

/** An exemption that exempts nothing is a finding, so that the list cannot outlive its reasons. */
export function withoutExempt(
  findings: readonly Finding[],
  exemptions: readonly Exemption[],
): Finding[] {
  const covers = (exemption: Exemption, { rule, path }: Finding): boolean =>
    rule === exemption.rule &&
    (exemption.path.endsWith('/') ? path.startsWith(exemption.path) : path === exemption.path);
  const stale = exemptions
    .filter((exemption) => !findings.some((finding) => covers(exemption, finding)))
    .map(({ rule, path }) => ({
      path: 'tooling/tidy/src/exempt.ts',
      line: 1,
      rule: 'exemption',
      message: `nothing in ${path} needs the exemption from ${rule}`,
    }));
  const left = findings.filter((finding) => !exemptions.some((one) => covers(one, finding)));
  return [...left, ...stale];
}

/** Scripts and configs that belong to no package. */
function looseSources(): Source[] {
  return ['.', 'tooling', 'tooling/presets'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.m?[tj]s$/.test(name))
      .map((name) => join(folder, name).replaceAll('\\', '/'))
      .map((path) => parse(path, readFileSync(join(root, path), 'utf8'))),
  );
}

function byPlace(a: Finding, b: Finding): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line;
}

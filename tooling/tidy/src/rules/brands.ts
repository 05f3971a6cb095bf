/**
 * A brand is a proof, so only the file that defines it may mint it: `as Paddr` anywhere else
 * claims what nobody has checked. A brand is any `type X = ... Brand<...>`.
 */
import { Visitor } from 'oxc-parser';
import { type Finding, findingAt, type Source } from '../source.ts';

export function brands(sources: readonly Source[]): Finding[] {
  const home = new Map<string, string>();
  for (const source of sources) for (const name of definedIn(source)) home.set(name, source.path);
  return sources.flatMap((source) => casts(source, home));
}

function definedIn(source: Source): string[] {
  const names: string[] = [];
  new Visitor({
    TSTypeAliasDeclaration({ id, typeAnnotation }) {
      const text = source.text.slice(typeAnnotation.start, typeAnnotation.end);
      if (/\bBrand</.test(text)) names.push(id.name);
    },
  }).visit(source.program);
  return names;
}

function casts(source: Source, home: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  new Visitor({
    TSAsExpression({ start, typeAnnotation }) {
      if (typeAnnotation.type !== 'TSTypeReference') return;
      const { typeName } = typeAnnotation;
      const owner = typeName.type === 'Identifier' ? home.get(typeName.name) : undefined;
      if (owner === undefined || owner === source.path) return;
      const cast = source.text.slice(typeAnnotation.start, typeAnnotation.end);
      const message = `\`as ${cast}\` outside ${owner}: use a function from there`;
      findings.push(findingAt(source, start, 'brand-cast', message));
    },
  }).visit(source.program);
  return findings;
}

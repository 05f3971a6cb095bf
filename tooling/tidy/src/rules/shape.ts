/** What every file owes its reader: a header, no hidden state, no loose ends. */
import { type Finding, findingAt, type Source } from '../source.ts';

export function shape(source: Source): Finding[] {
  return [...header(source), ...moduleState(source), ...looseEnds(source)];
}

function header(source: Source): Finding[] {
  if (source.isTest) return []; // its test names say what it is
  const text = source.text.replace(/^#!.*\n/, '');
  if (/^(\/\*\*|\/\/ )/.test(text)) return [];
  return [findingAt(source, 0, 'header', 'no header comment that says what this file is')];
}

function moduleState(source: Source): Finding[] {
  if (!source.isHostFree || source.isTest) return [];
  return source.program.body.flatMap((statement) => {
    const isExport = statement.type === 'ExportNamedDeclaration';
    const declaration = isExport ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind === 'const') return [];
    const message = `\`${declaration.kind}\` at module level: state lives in what a caller creates`;
    return [findingAt(source, statement.start, 'module-state', message)];
  });
}

function looseEnds(source: Source): Finding[] {
  return source.comments
    .filter(({ value }) => /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(value))
    .map(({ start }) => findingAt(source, start, 'todo', 'a TODO must name its issue: TODO(#12)'));
}

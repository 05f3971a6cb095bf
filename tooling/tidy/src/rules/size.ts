/** Files, functions and lines that a reader can hold in view. */
import { type Function as FunctionNode, type Node, Visitor } from 'oxc-parser';
import { type Finding, findingAt, lineAt, type Source } from '../source.ts';

const FILE_LINES = 500;
const FUNCTION_LINES = 70;
const LINE_COLUMNS = 100;

export function size(source: Source): Finding[] {
  return [...fileLength(source), ...lineLengths(source), ...functionLengths(source)];
}

function fileLength({ path, lines }: Source): Finding[] {
  if (lines.length <= FILE_LINES + 1) return []; // the text after the last newline is no line
  const message = `${lines.length - 1} lines in a file, ${FILE_LINES} at most`;
  return [{ path, line: FILE_LINES + 1, rule: 'file-length', message }];
}

function lineLengths({ path, lines }: Source): Finding[] {
  return lines.flatMap((text, index) => {
    const cannotBreak = /https?:\/\//.test(text) || /^(import|export) .* from '/.test(text);
    if (text.length <= LINE_COLUMNS || cannotBreak) return [];
    const message = `${text.length} columns, ${LINE_COLUMNS} at most`;
    return [{ path, line: index + 1, rule: 'line-length', message }];
  });
}

function functionLengths(source: Source): Finding[] {
  const findings: Finding[] = [];
  const suites = new Set<Node>();
  const check = (node: Pick<FunctionNode, 'start' | 'end'> & Node): void => {
    const length = lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
    if (length <= FUNCTION_LINES || suites.has(node)) return;
    const message = `a function of ${length} lines, ${FUNCTION_LINES} at most`;
    findings.push(findingAt(source, node.start, 'function-length', message));
  };
  new Visitor({
    CallExpression({ callee, arguments: args }) {
      // A `describe` is a chapter of tests, not a function that somebody must follow.
      if (source.text.startsWith('describe', callee.start)) for (const arg of args) suites.add(arg);
    },
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  }).visit(source.program);
  return findings;
}

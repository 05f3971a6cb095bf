/**
 * A source file as the rules see it: its text, its syntax tree, and which rules it is subject to.
 */
import { type Comment, type Program, parseSync } from 'oxc-parser';

export interface Finding {
  /** From the workspace root, with forward slashes. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Name of the rule, the key of an exemption. */
  readonly rule: string;
  readonly message: string;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** Tests and models: no part of what is published. */
  readonly isTest: boolean;
  /** Below apps and in programs, where nothing may depend on a host. */
  readonly isHostFree: boolean;
}

/** Reports what is wrong with one file. */
export type SourceRule = (source: Source) => Finding[];

export function parse(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new Error(`${path}: ${error.message}`);
  return {
    path,
    text,
    lines: text.split('\n'),
    program,
    comments,
    isTest: /\.(test|model)\.ts$/.test(path) || /^[^/]+\/([^/]+\/)?[^/]+\/test\//.test(path),
    isHostFree: /^(packages|apps\/programs)\//.test(path),
  };
}

/** Line number, from 1, of a character offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

/** A finding at a character offset of `source`. */
export function findingAt(source: Source, offset: number, rule: string, message: string): Finding {
  return { path: source.path, line: lineAt(source.text, offset), rule, message };
}

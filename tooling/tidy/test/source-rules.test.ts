import { describe, expect, it } from 'vitest';
import { brands } from '../src/rules/brands.ts';
import { hostFree } from '../src/rules/host-free.ts';
import { shape } from '../src/rules/shape.ts';
import { size } from '../src/rules/size.ts';
import { parse, type SourceRule } from '../src/source.ts';
import { withoutExempt } from '../src/tidy.ts';

const PATH = 'packages/kernel/caps/src/cte.ts';

/** Rule and line of each finding. */
function found(rule: SourceRule, text: string, path = PATH): string[] {
  return rule(parse(path, text)).map((finding) => `${finding.rule}:${finding.line}`);
}

describe('size', () => {
  const lines = (count: number): string => '// x\n'.repeat(count);
  const callback = (lineCount: number): string => `() => {\n${lines(lineCount - 2)}}`;

  it('takes files of up to 500 lines', () => {
    expect(found(size, lines(500))).toEqual([]);
    expect(found(size, lines(501))).toEqual(['file-length:501']);
  });

  it('takes lines of up to 100 columns, and longer ones that cannot be broken', () => {
    expect(found(size, `//${'x'.repeat(98)}`)).toEqual([]);
    expect(found(size, `\n//${'x'.repeat(99)}`)).toEqual(['line-length:2']);
    expect(found(size, `// https://example.org/${'x'.repeat(99)}`)).toEqual([]);
  });

  it('takes functions of up to 70 lines', () => {
    expect(found(size, `const f = ${callback(70)};`)).toEqual([]);
    expect(found(size, `\nconst f = ${callback(71)};`)).toEqual(['function-length:2']);
    expect(found(size, `class C {\n  m() {\n${lines(69)}}\n}`)).toEqual(['function-length:2']);
  });

  it('does not count a describe as a function', () => {
    expect(found(size, `describe('x', ${callback(200)});`)).toEqual([]);
    expect(found(size, `it('x', ${callback(200)});`)).toEqual(['function-length:1']);
  });
});

describe('shape', () => {
  it('asks for a header, also after a hashbang, except in tests', () => {
    expect(found(shape, '/** A noun. */\nexport {};')).toEqual([]);
    expect(found(shape, '#!/usr/bin/env node\n// A noun.\nexport {};')).toEqual([]);
    expect(found(shape, 'export {};')).toEqual(['header:1']);
    expect(found(shape, 'export {};', 'packages/kernel/caps/src/cte.test.ts')).toEqual([]);
  });

  it('finds state at module level', () => {
    expect(found(shape, '// x\nlet a = 1;\nexport let b = 2;')).toEqual([
      'module-state:2',
      'module-state:3',
    ]);
    expect(found(shape, '// x\nconst a = 1;\nfunction f() { let b = 1; }')).toEqual([]);
    expect(found(shape, '// x\nlet a = 1;', 'apps/barreleye/src/main.ts')).toEqual([]);
  });

  it('takes a TODO only with its issue', () => {
    const word = 'TODO';
    expect(found(shape, `// x\n// ${word}(#12): later`)).toEqual([]);
    expect(found(shape, `// x\n// ${word}: later`)).toEqual(['todo:2']);
  });
});

describe('host-free', () => {
  it.each([
    'Date.now();',
    'new Date();',
    'Math.random();',
    'async function f() {}',
    'const f = async () => 1;',
    'let p: Promise<void>;',
    'await f();',
  ])('finds %s', (text) => {
    expect(found(hostFree, text)).toEqual(['host-free:1']);
    expect(found(hostFree, text, 'apps/barreleye/src/main.ts')).toEqual([]);
  });

  it('lets members have such names', () => {
    expect(found(hostFree, 'const x = { Date: 1 }; x.Date; Math.floor(1.5);')).toEqual([]);
  });

  it('lets tests wait, but not roll dice', () => {
    const path = 'packages/kernel/caps/src/cte.test.ts';
    expect(found(hostFree, 'async () => { await 1; };', path)).toEqual([]);
    expect(found(hostFree, 'Math.random();', path)).toEqual(['host-free:1']);
  });
});

describe('brands', () => {
  const home = parse('packages/base/core/src/addr.ts', "type P = Brand<number, 'P'>; 1 as P;");

  it('lets the file that defines a brand mint it', () => {
    expect(brands([home])).toEqual([]);
  });

  it('finds it minted elsewhere', () => {
    const [finding, ...others] = brands([parse(PATH, 'const n = 1;\nn as P;\nn as Q;'), home]);
    expect(finding).toMatchObject({ path: PATH, line: 2, rule: 'brand-cast' });
    expect(others).toEqual([]);
  });
});

describe('exemptions', () => {
  const finding = { path: PATH, line: 1, rule: 'todo', message: 'x' };

  it('cover a file or a folder, for one rule', () => {
    const covers = (rule: string, path: string): boolean =>
      withoutExempt([finding], [{ rule, path, why: 'x' }]).length === 0;
    expect(covers('todo', PATH)).toBe(true);
    expect(covers('todo', 'packages/kernel/caps/')).toBe(true);
    expect(covers('todo', 'packages/kernel')).toBe(false);
    expect(covers('header', PATH)).toBe(false);
  });

  it('are findings when nothing needs them', () => {
    const stale = withoutExempt([], [{ rule: 'todo', path: PATH, why: 'x' }]);
    expect(stale).toMatchObject([{ rule: 'exemption' }]);
  });
});

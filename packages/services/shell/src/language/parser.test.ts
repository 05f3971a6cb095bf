/** The language of the shell: from a line to commands, arguments and faults. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language has variables, too

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandWord, expandWords, quoteWord } from './expand.ts';
import { lex } from './lexer.ts';
import { describeFault, parse, type Step } from './parser.ts';

const SEED = 61;

/** The variables that there are. */
const VARIABLES: { readonly [name: string]: string } = {
  fish: 'barreleye',
  two: 'two words',
  none: '',
  '?': '3',
};

function lookup(name: string): string | undefined {
  return Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
}

function stepsOf(line: string): readonly Step[] {
  const parsed = parse(line);
  if (!parsed.ok) throw new Error(describeFault(line, parsed.fault));
  return parsed.steps;
}

/** The arguments of every command of a line. */
function argumentsOf(line: string): string[][] {
  return stepsOf(line).map(({ words }) => expandWords(words, lookup));
}

/** What is wrong with a line. */
function faultOf(line: string): string {
  const parsed = parse(line);
  return parsed.ok ? 'nothing' : describeFault(line, parsed.fault);
}

describe('a line', () => {
  it.each<[string, string[][]]>([
    ['', []],
    [' \t\r', []],
    ['echo', [['echo']]],
    ['  echo  a\tb \r', [['echo', 'a', 'b']]],
    ['a;b ; c d', [['a'], ['b'], ['c', 'd']]],
    ['  ; ;; cores ;', [['cores']]],
    ['a b#c #d; e', [['a', 'b#c']]],
    ['# all of it', []],
    ['a;#b', [['a']]],
    ['Grüße 魚🐟', [['Grüße', '魚🐟']]],
    ['* ~ {a,b} !x -- = 1=2', [['*', '~', '{a,b}', '!x', '--', '=', '1=2']]],
  ])('%j is %j', (line, commands) => {
    expect(argumentsOf(line)).toEqual(commands);
  });

  it('has commands that run in the background', () => {
    const steps = stepsOf('a 1 &b; c& ; d');
    const shown = steps.map(({ text, isBackground }) => [text, isBackground]);
    expect(shown).toEqual([
      ['a 1', true],
      ['b', false],
      ['c', true],
      ['d', false],
    ]);
  });

  it('has assignments before a command or instead of one', () => {
    const steps = stepsOf(`x=1 _y2="a $fish"; z= echo w=2; 'q'=1 "r=1" s\\=1`);
    const assigned = steps.map(({ assignments }) =>
      assignments.map(({ name, value }) => [name, expandWord(value, lookup)]),
    );
    expect(assigned).toEqual([
      [
        ['x', '1'],
        ['_y2', 'a barreleye'],
      ],
      [['z', '']],
      [],
    ]);
    expect(steps.map(({ words }) => expandWords(words, lookup))).toEqual([
      [],
      ['echo', 'w=2'],
      ['q=1', 'r=1', 's=1'],
    ]);
  });
});

describe('quotes', () => {
  it.each<[string, string[]]>([
    [`'a b' "c d"`, ['a b', 'c d']],
    [`'$fish \\ " ; & | # < >'`, ['$fish \\ " ; & | # < >']],
    [`"; & | # < > ' "`, ["; & | # < > ' "]],
    [`a'b 'c"d e"f`, ['ab cd ef']],
    [`'' "" a''`, ['', '', 'a']],
    [String.raw`a\ b \; \' \" \\ \$fish \# \🐟`, ['a b', ';', "'", '"', '\\', '$fish', '#', '🐟']],
    [String.raw`"\" \\ \$fish \a \'"`, [String.raw`" \ $fish \a \'`]],
    ['"a\tb"', ['a\tb']],
    ['"\\`"', ['`']],
  ])('%s', (line, words) => {
    expect(argumentsOf(line)).toEqual([words]);
  });
});

describe('a variable', () => {
  it.each<[string, string[]]>([
    ['$fish', ['barreleye']],
    ['${fish}s $fish/x', ['barreleyes', 'barreleye/x']],
    ['"a $fish ${fish}b"', ['a barreleye barreleyeb']],
    ['$? ${?} "$?"', ['3', '3', '3']],
    ['$two', ['two words']],
    ['a$two$two', ['atwo wordstwo words']],
    ['x $none $nothing y', ['x', 'y']],
    ['"$none" $nothing""', ['', '']],
    ['$fishes', []],
    ['$ $1 a$ "$" $-', ['$', '$1', 'a$', '$', '$-']],
    ['$constructor', []],
  ])('%s', (line, words) => {
    expect(argumentsOf(`_ ${line}`)).toEqual([['_', ...words]]);
  });
});

describe('a fault', () => {
  const literally = (mark: string): string =>
    `; in quotes, '${mark}' is a character like any other`;

  it.each([
    ['ps | names', `character 4: pipes are not there yet${literally('|')}`],
    ['echo a>b', `character 7: output to elsewhere is not there yet${literally('>')}`],
    ['🐟 <b', `character 3: input from elsewhere is not there yet${literally('<')}`],
    ['a `b`', `character 3: commands within words are not there yet${literally('`')}`],
    ['"`b`"', `character 2: commands within words are not there yet${literally('`')}`],
    ['a $(b)', `character 3: commands within words are not there yet${literally('$')}`],
    ['a && b', "character 3: '&&' is not there yet; ';' runs one command after the other"],
    ['a || b', `character 3: pipes are not there yet${literally('|')}`],
    ['a; & b', "character 4: there is no command before this '&'"],
    ['a & &', "character 5: there is no command before this '&'"],
    ["a 'b c", "character 3: the ' that begins here is not closed"],
    ['a b"c $fish', 'character 4: the " that begins here is not closed'],
    ['"$fish', 'character 1: the " that begins here is not closed'],
    ['a \\', "character 3: nothing follows the '\\'"],
    ['a ${fish', "character 3: '${fish' lacks its '}'"],
    ['a ${fish-b}', "character 3: '${fish' lacks its '}'"],
    ['a ${1}', 'character 3: the name of a variable belongs between the braces'],
    ['a "${}"', 'character 4: the name of a variable belongs between the braces'],
  ])('%s', (line, message) => {
    expect(faultOf(line)).toBe(message);
  });
});

describe('whatever is typed', () => {
  /** Text in which what means something is frequent. */
  const typed = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...' \t;&|<>\'"\\$`{}?#=ab1_'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 30,
  });

  it(`is commands or has a fault in one of its characters (seed ${SEED})`, () => {
    const property = fc.property(typed, (line) => {
      const { tokens, fault } = lex(line);
      let end = 0;
      for (const token of tokens) {
        expect(token.at).toBeGreaterThanOrEqual(end);
        end = token.kind === 'word' ? token.end : token.at + 1;
        expect(end).toBeGreaterThan(token.at);
      }
      expect(end).toBeLessThanOrEqual(line.length);
      if (fault !== undefined) expect(line.charAt(fault.at)).not.toBe('');
      expect(parse(line).ok || fault !== undefined || line.includes('&')).toBe(true);
    });
    fc.assert(property, { seed: SEED, numRuns: 1000 });
  });

  it(`means the same behind another command (seed ${SEED})`, () => {
    const property = fc.property(typed, typed, (first, second) => {
      const [one, other] = [parse(first), parse(second)];
      fc.pre(one.ok && other.ok && !first.includes('#'));
      const both = [...argumentsOf(first), ...argumentsOf(second)];
      expect(argumentsOf(`${first};${second}`)).toEqual(both);
    });
    fc.assert(property, { seed: SEED, numRuns: 1000 });
  });

  it(`is one argument when it is quoted (seed ${SEED})`, () => {
    const property = fc.property(fc.array(typed, { minLength: 1 }), (texts) => {
      expect(argumentsOf(texts.map(quoteWord).join(' '))).toEqual([texts]);
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
});

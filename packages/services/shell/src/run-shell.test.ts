/** A shell from start to end: jobs, Ctrl-C, Tab, scripts and the ways out. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language has variables, too

import { describe, expect, it } from 'vitest';
import { exited, Twin } from '../test/twin.ts';

describe('a job', () => {
  it('is told of when it starts and when it ends', () => {
    const twin = new Twin();
    expect(twin.type('sleeper 1 &')).toEqual(['[1] sleeper is domain 4']);
    expect(twin.type('echo-server & ; echo $?')).toEqual(['[2] echo-server is domain 5', '0']);
    const from = twin.terminal.lines.length;
    twin.endDomain(5, exited(0));
    twin.endDomain(4, exited(3));
    expect(twin.terminal.lines.slice(from)).toEqual([
      '[2] echo-server exited with 0',
      '[1] sleeper exited with 3',
    ]);
    expect(twin.type('jobs')).toEqual(["no jobs; '&' at the end of a command makes one"]);
    expect(twin.heldCount).toBe(0);
  });

  it('that ends at once is told of before the next prompt', () => {
    const twin = new Twin();
    expect(twin.type('hello & crash &')).toEqual([
      'hello, world',
      '[1] hello is domain 4',
      '[2] crash is domain 5',
      '[1] hello exited with 0',
      '[2] crash died: page fault',
      '     at 0x10',
    ]);
    expect(twin.terminal.edited).toBeDefined();
    expect(twin.heldCount).toBe(0);
  });

  it('is listed with its domain and what it does', () => {
    const twin = new Twin();
    twin.typeAll('sleeper "a b" &', 'run echo-server 7&', 'suspend %2');
    expect(twin.type('jobs')).toEqual([
      'job  domain  state      command',
      '%1        4  running    sleeper "a b"',
      '%2        5  suspended  run echo-server 7',
    ]);
    twin.endDomain(4, exited(0));
    expect(twin.type('sleeper &')).toEqual(['[3] sleeper is domain 6']);
  });

  it('does not read lines, and only programs can be one', () => {
    const twin = new Twin();
    expect(twin.type('x=1; environment &')).toContain('x=1 BACKGROUND=1');
    const message = "only programs run in the background: leave the '&' out";
    expect(twin.type('ps &')).toEqual([`ps: ${message}`]);
    expect(twin.type('x=1 &')).toEqual([message]);
    expect(twin.type('time hello &')).toEqual([`time: ${message}`]);
  });

  it('is killed, suspended and resumed by its number', () => {
    const twin = new Twin();
    twin.type('sleeper &');
    expect(twin.type('suspend %1; resume 4')).toEqual([
      'domain 4 (sleeper) is suspended',
      'domain 4 (sleeper) goes on',
    ]);
    expect(twin.type('kill %1')).toEqual(['[1] sleeper was killed']);
    expect(twin.type('kill %1')).toEqual(["kill: there is no job %1; 'jobs' lists them"]);
    expect(twin.type('kill 4')).toEqual([
      'kill: domain 4 (sleeper): the domain has ended (SPAWN_ERR_ENDED)',
    ]);
    expect(twin.log).toEqual(['kill 4', 'kill 4']);
    expect(twin.heldCount).toBe(0);
  });
});

describe('a domain', () => {
  it('is named by its number or by a name that only one has', () => {
    const twin = new Twin();
    twin.typeAll('sleeper &', 'sleeper &');
    expect(twin.type('kill terminal')).toEqual(['domain 2 (terminal) was killed']);
    expect(twin.type('kill terminal')).toEqual([
      "kill: there is no domain 'terminal'; 'ps' lists them",
    ]);
    expect(twin.type('suspend sleeper')).toEqual([
      "suspend: several domains are called 'sleeper': 4, 5; say which by its number",
    ]);
    expect(twin.type('kill 99')).toEqual(["kill: there is no domain 99; 'ps' lists them"]);
    expect(twin.type('vm 4096')).toEqual([
      "vm: there is no domain 4096; 'ps' lists them; an address begins with 0x",
    ]);
    expect(twin.type('kill sleper')).toEqual([
      "kill: there is no domain 'sleper'; did you mean 'sleeper'?",
    ]);
    expect(twin.heldCount).toBe(2);
  });

  it('that is the shell itself, or its terminal, is not suspended', () => {
    expect(new Twin().typeAll('suspend 1 shell', 'suspend terminal')).toEqual([
      'domain 1 (nameservice) is suspended',
      "suspend: nobody could type 'resume' then",
      "suspend: nobody could type 'resume' then",
    ]);
  });

  it('that does not answer is an error after a while', () => {
    const twin = new Twin();
    const message = "domain 2 (terminal) does not answer; 'ps' shows whether it runs";
    expect(twin.type('threads terminal')).toEqual([`threads: ${message}`]);
    expect(twin.type('vm 2')).toEqual([`vm: ${message}`]);
    expect(twin.type('caps 2')).toEqual([`caps: ${message}`]);
    expect(twin.type('suspend 1; threads 1').at(-1)).toBe(
      "threads: domain 1 (nameservice) is suspended; after 'resume 1' it can answer",
    );
    expect(twin.heldCount).toBe(0);
  });

  it('is out of reach of a shell without authority that has not started it', () => {
    const twin = new Twin({ isNested: true });
    const why = 'this shell has no authority over domains that it has not started';
    expect(twin.type('kill terminal; sleeper & kill 4')).toEqual([
      `kill: domain 2 (terminal): ${why}; the first shell has it`,
      '[1] sleeper is domain 4',
      '[1] sleeper was killed',
    ]);
  });

  it('can be waited for, whoever has started it', () => {
    const twin = new Twin();
    expect(twin.type('wait terminal; echo $?')).toEqual([]);
    expect(twin.terminal.edited).toBeUndefined();
    const from = twin.terminal.lines.length;
    twin.endDomain(2, exited(5));
    expect(twin.terminal.lines.slice(from)).toEqual(['domain 2 (terminal) exited with 5', '5']);
    expect(twin.heldCount).toBe(0);
  });
});

describe('wait', () => {
  it('waits for one job or for all, and tells of their ends', () => {
    const twin = new Twin();
    twin.typeAll('sleeper &', 'sleeper &', 'sleeper &');
    expect(twin.type('wait 5; echo $?; wait; echo $?')).toEqual([]);
    const from = twin.terminal.lines.length;
    twin.endDomain(4, exited(1));
    expect(twin.terminal.lines.length).toBe(from);
    twin.endDomain(5, exited(2));
    twin.endDomain(6, exited(3));
    expect(twin.terminal.lines.slice(from)).toEqual([
      '[1] sleeper exited with 1',
      '[2] sleeper exited with 2',
      '2',
      '[3] sleeper exited with 3',
      '0',
    ]);
  });

  it('ends with Ctrl-C, and the domain does not', () => {
    const twin = new Twin();
    twin.typeAll('sleeper &', 'wait; echo never');
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.type('echo $?')).toEqual(['130']);
    twin.type('wait 2');
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.type('echo $?; jobs').length).toBe(3);
    twin.endDomain(2, exited(0));
    expect(twin.log).toEqual([]);
    expect(twin.heldCount).toBe(1);
  });
});

describe('Ctrl-C', () => {
  it('kills the program in the foreground, and forgets the rest of the line', () => {
    const twin = new Twin();
    expect(twin.type('repeat 2 sleeper; echo never')).toEqual([]);
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.type('echo $?')).toEqual(['130']);
    expect(twin.log).toEqual(['kill 4']);
    expect(twin.heldCount).toBe(0);
  });

  it('leaves alone what runs in the background, and what comes later', () => {
    const twin = new Twin();
    twin.type('sleeper &');
    twin.terminal.interrupt();
    twin.settle();
    twin.terminal.answer({ kind: 'cancelled', text: 'half a li', cursor: 9 });
    twin.settle();
    expect(twin.type('echo $?; hello')).toEqual(['130', 'hello, world']);
    expect(twin.log).toEqual([]);
  });

  it('pressed again leaves a program that does not end to itself', () => {
    const twin = new Twin({ isKillDeaf: true });
    twin.type('sleeper');
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.terminal.edited).toBeUndefined();
    const from = twin.terminal.lines.length;
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.terminal.lines.slice(from)).toEqual(['[1] sleeper has not ended yet']);
    twin.endDomain(4, exited(0));
    expect(twin.terminal.lines.at(-1)).toBe('[1] sleeper exited with 0');
    expect(twin.heldCount).toBe(0);
  });
});

describe('the Tab key', () => {
  /** The line after Tab at its end, and what was shown. */
  function tab(twin: Twin, text: string, cursor = [...text].length): [string, string[]] {
    const from = twin.terminal.lines.length;
    twin.terminal.answer({ kind: 'complete', text, cursor });
    twin.settle();
    const { line, cursor: at } = twin.terminal.edited ?? { line: '', cursor: -1 };
    const marked = `${[...line].slice(0, at).join('')}|${[...line].slice(at).join('')}`;
    return [marked, twin.terminal.lines.slice(from)];
  }

  it.each([
    ['al', 'alloc |'],
    ['hell', 'hello |'],
    ['time hell', 'time hello |'],
    ['repeat 3 ki', 'repeat 3 kill |'],
    ['repeat 3 kill ter', 'repeat 3 kill terminal |'],
    ['help al', 'help alloc |'],
    ['help hell', 'help hell|'],
    ['run al', 'run al|'],
    ['run ec', 'run echo-server |'],
    ['kill "ter', 'kill "terminal" |'],
    ["kill 'ter", "kill 'terminal' |"],
    ['kill %', 'kill %1 |'],
    ['kill 2 n', 'kill 2 nameservice |'],
    ['caps se', 'caps self |'],
    ['kill se', 'kill se|'],
    ['names te', 'names terminal |'],
    ['hello te', 'hello terminal |'],
    ['echo $fi', 'echo $fish |'],
    ['echo a$fi', 'echo a$fish |'],
    ['echo ${fi', 'echo ${fish} |'],
    ['echo "${fi', 'echo "${fish}" |'],
    ['x=1 al', 'x=1 alloc |'],
    ['ps; al', 'ps; alloc |'],
    ['hello & al', 'hello & alloc |'],
    ['🐟 ; al', '🐟 ; alloc |'],
    ['peek 0', 'peek 0|'],
    ['$fish', '$fish |'],
    ['$fish al', '$fish al|'],
    ['echo a | al', 'echo a | al|'],
    ['# al', '# al|'],
    ['x=al', 'x=al|'],
    ['zz', 'zz|'],
  ])('makes %j to %j', (text, expected) => {
    const twin = new Twin({ environment: [['fish', 'barreleye']] });
    twin.type('sleeper &');
    expect(tab(twin, text)).toEqual([expected, []]);
  });

  it('works in the middle of a line', () => {
    expect(tab(new Twin(), 'al 8192', 2)).toEqual(['alloc| 8192', []]);
    expect(tab(new Twin(), 'al8192', 2)).toEqual(['alloc |8192', []]);
  });

  it('adds what all candidates have in common, and shows them when that is nothing', () => {
    const twin = new Twin();
    expect(tab(twin, 'kill t; e')).toEqual([
      'kill t; e|',
      ['echo         echo-server  environment  exit'],
    ]);
    expect(tab(twin, 'ech')).toEqual(['echo|', []]);
    expect(tab(twin, 'echo')).toEqual(['echo|', ['echo         echo-server']]);
    expect(tab(twin, 'kill ')).toEqual([
      'kill |',
      ['1            2            3            nameservice  shell        terminal'],
    ]);
    expect(twin.type('echo the line goes on')).toEqual(['the line goes on']);
  });
});

describe('the end', () => {
  it('is exit with its code', () => {
    const twin = new Twin();
    expect(twin.type('exit 256; exit x')).toEqual([
      'exit: an exit code is at most 255',
      "exit: 'x' is not a number (examples: 4096, 0x1000, 64k)",
    ]);
    expect(twin.type('repeat 3 exit 3; echo never')).toEqual([]);
    expect(twin.exitValue).toBe(3);
  });

  it('is the end of input, with 0', () => {
    const twin = new Twin();
    twin.type('fail 7');
    twin.terminal.answer({ kind: 'end', text: '', cursor: 0 });
    twin.settle();
    expect(twin.exitValue).toBe(0);
  });

  it('is that of all jobs', () => {
    const twin = new Twin({ isNested: true });
    twin.typeAll('sleeper &', 'echo-server &');
    expect(twin.type('exit 3')).toEqual([
      '[1] sleeper was killed, because the shell ends',
      '[2] echo-server was killed, because the shell ends',
    ]);
    expect(twin.log).toEqual(['kill 4', 'kill 5']);
    expect(twin.exitValue).toBe(3);
  });
});

describe('a script', () => {
  it('runs line by line, and its last status is the exit value', () => {
    const text = 'echo a # first\r\n\nnonsense\nhello &\necho $?; fail 7\n';
    const twin = new Twin({ args: ['shell', '-c', text], isNested: true });
    expect(twin.terminal.lines).toEqual([
      'a',
      "no such command 'nonsense'; 'help' lists commands, 'programs' lists programs",
      'hello, world',
      '[1] hello is domain 4',
      '[1] hello exited with 0',
      '0',
    ]);
    expect(twin.exitValue).toBe(7);
    expect(twin.terminal.edited).toBeUndefined();
  });

  it('ends with exit, and may turn the machine off', () => {
    const twin = new Twin({ args: ['shell', '-c', 'echo a; exit 3; echo b\necho c'] });
    expect(twin.terminal.lines).toEqual(['a']);
    expect(twin.exitValue).toBe(3);
  });

  it.each([[['-x', 'a']], [['-c']], [['-c', 'a', 'b']], [['file.bsh']]])('is not %j', (args) => {
    const twin = new Twin({ args: ['shell', ...args], isNested: true });
    expect(twin.terminal.lines).toEqual(['shell: usage: shell [-c TEXT]']);
    expect(twin.exitValue).toBe(2);
  });

  it('is all that a shell in the background runs', () => {
    const twin = new Twin({ environment: [['BACKGROUND', '1']], isNested: true });
    expect(twin.exitValue).toBe(0);
    expect(twin.terminal.lines).toEqual([]);
  });
});

describe('a newcomer', () => {
  it('is greeted by the shell of the system', () => {
    expect(new Twin().terminal.lines).toEqual([
      'Barreleye on x86_64: 1 of 2 cores running, 8 MiB of RAM',
      "'help' lists what you can type, 'programs' what you can start; Tab completes",
    ]);
    expect(new Twin({ isNested: true }).terminal.lines).toEqual([]);
  });

  it('gets help that fits a terminal, in general and about each command', () => {
    const twin = new Twin();
    const all = twin.type('help');
    expect(all.filter((line) => line.length > 80)).toEqual([]);
    for (const name of twin.shell.commands.names()) {
      const lines = twin.type(`help ${name}`);
      expect(lines[0]).toMatch(new RegExp(`^${name}( |$)`));
      expect(lines.at(-1)).toMatch(/^ {2}example: ./);
      expect(lines.filter((line) => line.length > 86)).toEqual([]);
      expect(all.some((line) => line.startsWith(`  ${lines[0]} `))).toBe(true);
    }
    expect(twin.type('help hlep')).toEqual([
      "help: there is no command 'hlep'; did you mean 'help'?",
    ]);
  });

  it('sees the lines that were typed', () => {
    expect(new Twin().typeAll('echo 1', ' ', 'history')).toEqual([
      '1',
      '   1  echo 1',
      '   2  history',
    ]);
  });
});

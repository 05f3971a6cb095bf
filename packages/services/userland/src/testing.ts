/** For tests of whole systems. */

/** What one types to see every command once, well and badly used; the last line ends the system. */
export const SYSTEM_LINES: readonly string[] = [
  'help',
  'help kill',
  'cores; mem',
  'alloc 8192; alloc 100',
  'mem; vm; vm 0',
  'free m1; free m1',
  'peek 0x10; poke 0x10 1',
  'alloc 0; alloc 1000g',
  'frobnicate; hlep; echo $?',
  '  ; ;; cores ;',
  'caps; caps 0; caps 99',
  'ps; names; threads; programs',
  'caps terminal; vm terminal; threads nameservice',
  'x=1; echo $x "$x" \\$x # nothing',
  'echo "never ended',
  'kill 99; kill init; wait 99; suspend 0',
  'repeat 2 echo again; history; set; unset x',
  'echo one | cat',
  'exit 3',
];

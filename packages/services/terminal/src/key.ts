/** What comes of the bytes that a keyboard sends: characters, and keys that ask for something. */

/** What a key asks for. */
export type KeyName =
  | 'char'
  | 'return'
  | 'interrupt'
  | 'deleteOrEnd' // Ctrl-D
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'wordLeft'
  | 'wordRight'
  | 'home'
  | 'end'
  | 'up'
  | 'down'
  | 'killEnd' //   from the cursor to the end
  | 'killStart' // from the beginning to the cursor
  | 'killWord' //  the word before the cursor
  | 'clear';

export interface Key {
  readonly name: KeyName;
  /** One code point that can be shown; empty unless the name is `char`. */
  readonly char: string;
}

/** Control characters that mean something, as in GNU readline; the others mean nothing. */
export const CONTROL_KEYS: ReadonlyMap<number, Key> = keys([
  [0x01, 'home'],
  [0x02, 'left'],
  [0x03, 'interrupt'],
  [0x04, 'deleteOrEnd'],
  [0x05, 'end'],
  [0x06, 'right'],
  [0x08, 'backspace'],
  [0x09, 'tab'],
  [0x0a, 'return'],
  [0x0b, 'killEnd'],
  [0x0c, 'clear'],
  [0x0d, 'return'],
  [0x0e, 'down'],
  [0x10, 'up'],
  [0x15, 'killStart'],
  [0x17, 'killWord'],
  [0x7f, 'backspace'],
]);

/**
 * Escape sequences that mean something, without the escape character. Source: XTerm Control
 * Sequences, "PC-Style Function Keys"; the rest are those of the Linux console and of rxvt.
 */
export const ESCAPE_KEYS: ReadonlyMap<string, Key> = keys([
  ...both('A', 'up'),
  ...both('B', 'down'),
  ...both('C', 'right'),
  ...both('D', 'left'),
  ...both('H', 'home'),
  ...both('F', 'end'),
  ['[1~', 'home'],
  ['[7~', 'home'],
  ['[4~', 'end'],
  ['[8~', 'end'],
  ['[3~', 'delete'],
  ['[1;5C', 'wordRight'], // with Ctrl
  ['[1;3C', 'wordRight'], // with Alt
  ['f', 'wordRight'],
  ['[1;5D', 'wordLeft'],
  ['[1;3D', 'wordLeft'],
  ['b', 'wordLeft'],
  ['\u007f', 'killWord'],
]);

/** The key of a character. */
export function charKey(char: string): Key {
  return { name: 'char', char };
}

/** A key in either mode of the cursor keys. */
function both(letter: string, name: KeyName): (readonly [string, KeyName])[] {
  return [
    [`[${letter}`, name],
    [`O${letter}`, name],
  ];
}

function keys<T>(names: readonly (readonly [T, KeyName])[]): ReadonlyMap<T, Key> {
  return new Map(names.map(([from, name]) => [from, { name, char: '' }]));
}

/** The command line as a process. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Node keeps what it has compiled, so that only the first process pays for it. */
const ENV = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'barreleye-test-cache') };
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** How a process has ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Start the command line. */
export function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  const nodeArgs = ['--conditions=@barreleye/source', MAIN, ...args];
  return spawn(process.execPath, nodeArgs, { env: ENV });
}

/** Run the command line with `input` on stdin. */
export function barreleye(args: readonly string[], input = ''): Promise<Outcome> {
  const child = start(args);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
  });
  child.stdin.on('error', () => undefined); // it may not want to read
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

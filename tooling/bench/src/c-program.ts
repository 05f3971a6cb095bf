/**
 * The C side of a bench (`c/`), compiled when the bench begins and run beside it. It measures
 * itself; only its rounds are started from here, so that they alternate with those of the subject.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Gauge } from './bench.ts';
import { ROUND_MS } from './measure.ts';

const COMPILER = 'gcc';

export class CProgram {
  private readonly folder: string;
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  private constructor(folder: string, program: string, args: readonly string[]) {
    this.folder = folder;
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Compile and start a program; a string says why that cannot be.
   * @param files names in `c/`
   * @param args what it gets as arguments
   */
  static start(files: readonly string[], args: readonly number[]): CProgram | string {
    const folder = mkdtempSync(join(tmpdir(), 'barreleye-bench-'));
    const program = join(folder, 'program');
    const sources = files.map((file) => fileURLToPath(new URL(`c/${file}`, import.meta.url)));
    const options = ['-O2', '-std=c11', '-pthread', '-o', program, ...sources];
    const { error, status, stderr } = spawnSync(COMPILER, options, { encoding: 'utf8' });
    if (!error && status === 0) return new CProgram(folder, program, args.map(String));
    rmSync(folder, { recursive: true });
    if (error) return `there is no ${COMPILER}`;
    throw new Error(`${COMPILER}: ${stderr}`);
  }

  /** Rounds of `operation`. */
  gauge(operation: string): Gauge {
    return {
      round: async () => {
        this.child.stdin!.write(`${operation} ${ROUND_MS}\n`);
        const { done, value } = await this.answers.next();
        if (done) throw new Error('the C side has ended');
        return Number(value);
      },
    };
  }

  stop(): void {
    this.child.stdin!.end();
    rmSync(this.folder, { recursive: true });
  }
}

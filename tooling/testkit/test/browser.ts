/** A browser that opens a page of ours, and a server that the page reports to. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, extname, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-quic'],
];
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** A browser on the search path. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Open the page in `folder` and wait for its report. What the browser says goes into the error. */
export async function openPage(
  browser: string,
  folder: string,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'barreleye-page-'));
  const { server, report } = serve(folder, headers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const args = [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/index.html`];
  const child = spawn(browser, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  const closed = new Promise<never>((_, reject) => {
    child.on('close', (code) => reject(new Error(`the browser has ended with ${code}: ${said}`)));
  });
  try {
    return await Promise.race([report, closed]);
  } finally {
    const gone = closed.catch(() => undefined);
    child.kill();
    await gone;
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Serve the files of a folder, and take what is posted. */
function serve(
  folder: string,
  headers: Readonly<Record<string, string>>,
): { server: Server; report: Promise<unknown> } {
  let settle: (report: unknown) => void = () => undefined;
  const report = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      settle(JSON.parse(await bodyOf(request)));
      response.end();
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(folder, pathname);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'Content-Type': type }).end(readFileSync(file));
  });
  return { server, report };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

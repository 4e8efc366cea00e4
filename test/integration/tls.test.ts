import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;
const dir = mkdtempSync(join(tmpdir(), 'afterimage-tls-'));
const cert = join(dir, 'cert.pem');
const key = join(dir, 'key.pem');

beforeAll(async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert, '-days', '2', '-nodes'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...subject], { stdio: 'ignore' });
  app = await runApp({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
});
afterAll(async () => {
  await app.close();
  rmSync(dir, { recursive: true, force: true });
});

test('5 with a certificate the server speaks TLS itself', async () => {
  expect(app.base).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    get(`${app.base}/livez`, { ca: readFileSync(cert) }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  expect(status).toBe(200);
});

test('5 a certificate file that is not there stops the start with a line that says so', async () => {
  await expect(runApp({ TLS_CERT_FILE: join(dir, 'none.pem'), TLS_KEY_FILE: key })).rejects.toThrow(/TLS/);
});

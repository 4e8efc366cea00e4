/** How the tests run: source as it is, workers from dist, real servers where one is spoken to. */
import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the counts; nothing is written otherwise. */
const report = process.env['TEST_REPORT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // A process a file: tests load native modules, size pools and count open handles.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
    allowOnly: false,
    // CI shares its cores with others: a test that needed a second attempt is printed as such.
    retry: process.env['CI'] === undefined ? 0 : 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});

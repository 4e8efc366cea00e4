/** From the words typed to the command meant: help, version, the nearest name for a misspelt one. */
import { packageVersion } from '../app/version.ts';
import { editDistance } from '../config/did-you-mean.ts';
import { settingsHelp } from '../config/document.ts';
import { health, HEALTH_HELP } from './health.ts';
import { printable } from './printable.ts';
import { put, PUT_HELP } from './put.ts';
import { serve, SERVE_HELP } from './serve.ts';
import { sign, SIGN_HELP } from './sign.ts';
import { UsageError, type Command, type Terminal } from './terminal.ts';
import { watch, WATCH_HELP } from './watch.ts';

const EX_USAGE = 2;

const COMMANDS: Readonly<Record<string, { readonly run: Command; readonly help: () => string }>> = {
  serve: { run: serve, help: () => `${SERVE_HELP}\n${settingsHelp()}` },
  put: { run: put, help: () => PUT_HELP },
  watch: { run: watch, help: () => WATCH_HELP },
  sign: { run: sign, help: () => SIGN_HELP },
  health: { run: health, help: () => HEALTH_HELP },
};

const HELP = `Afterimage: a streaming image cache server for realtime image UIs.

  afterimage serve                     run the server
  afterimage put FILE… --topic TOPIC   store images and announce them
  afterimage watch --topic TOPIC       print events as they come
  afterimage sign PATH…                signed addresses of images
  afterimage health                    exit code 0 when the server is ready
  afterimage COMMAND --help            more of a command; serve: every setting
  afterimage --version

Reads .env in the working directory; what the environment says wins.`;

function unknownCommand(name: string): UsageError {
  const ranked = Object.keys(COMMANDS)
    .map((known) => ({ known, edits: editDistance(name, known) }))
    .toSorted((a, b) => a.edits - b.edits);
  return new UsageError(`"${name}" is not a command: did you mean ${ranked[0]?.known}?`);
}

async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...args] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(HELP);
    return name === undefined ? EX_USAGE : 0;
  }
  if (name === '--version' || name === '-v') {
    terminal.out(packageVersion());
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw unknownCommand(name);
  const end = args.indexOf('--');
  if (args.slice(0, end === -1 ? undefined : end).some((word) => word === '--help' || word === '-h')) {
    terminal.out(command.help());
    return 0;
  }
  return command.run(args, terminal);
}

/** Runs it and gives the exit code. */
export async function runCommand(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(words, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(`afterimage: ${printable(error.message)}; see afterimage --help`);
    return EX_USAGE;
  }
}

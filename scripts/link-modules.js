/**
 * Puts a module and what it imports into one file, so that a page asks once for /client.js instead of
 * a dozen times. Only for what our own build emits: named imports and exports at the start of a line,
 * no renaming, no name twice. Whatever it does not understand stops the build.
 */
import { readFileSync } from 'node:fs';

const IMPORT = /^import \{([^}]*)\} from '([^']+)';\n/gm;
const DECLARED = /^(?:export )?(?:async )?(?:function|const|let|class) (\w+)/gm;

/** The file without its imports, after everything that it imports; each file once. */
function collect(file, external, seen) {
  if (seen.has(file.href)) return '';
  seen.add(file.href);
  const text = readFileSync(file, 'utf8');
  let before = '';
  const own = text.replace(IMPORT, (line, names, path) => {
    if (names.includes(' as ')) throw new Error(`${file}: cannot link a renamed import`);
    if (external.includes(path)) return line;
    before += collect(new URL(path, file), external, seen);
    return '';
  });
  if (/^import (?!\{)/m.test(own)) throw new Error(`${file}: cannot link this import`);
  return before + (seen.values().next().value === file.href ? own : own.replace(/^export /gm, ''));
}

function checkNames(text, file) {
  const names = [...text.matchAll(DECLARED)].map((match) => match[1]);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${file}: two modules declare ${twice}`);
}

export function linkModules(entry, external = []) {
  const text = collect(entry, external, new Set());
  checkNames(text, entry);
  return text;
}

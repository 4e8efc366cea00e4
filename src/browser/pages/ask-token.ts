/** The dialog that asks for a token. One at a time, whoever needs it. */
import { buildElement } from './build-element.ts';
import { saveToken, type TokenKind } from './call-server.ts';

let open: Promise<boolean> | undefined;

const SOURCES: Readonly<Record<TokenKind, string>> = {
  write: 'One of those in WRITE_TOKEN or ADMIN_TOKEN.',
  follow: 'A JWT whose topics cover what this page follows.',
};

function ask(kind: TokenKind): Promise<boolean> {
  const input = buildElement('input', {
    type: 'password',
    name: 'token',
    autocomplete: 'off',
    required: true,
    'aria-label': 'Token',
  });
  const cancel = buildElement('button', { type: 'button', class: 'plain' }, 'Cancel');
  const form = buildElement(
    'form',
    { method: 'dialog' },
    buildElement('h2', { id: 'ask-title' }, 'This server wants a token'),
    buildElement('p', {}, `${SOURCES[kind]} It is kept in this tab and nowhere else.`),
    input,
    buildElement('div', { class: 'row' }, cancel, buildElement('button', { class: 'primary' }, 'Use token')),
  );
  const dialog = buildElement('dialog', { class: 'ask', 'aria-labelledby': 'ask-title' }, form);
  document.body.append(dialog);
  dialog.showModal();
  cancel.addEventListener('click', () => dialog.close());
  return new Promise((resolve) => {
    let isGiven = false;
    form.addEventListener('submit', () => {
      saveToken(kind, input.value.trim());
      isGiven = true;
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isGiven);
    });
  });
}

/** Whether the visitor gave one. */
export function askToken(kind: TokenKind): Promise<boolean> {
  open ??= ask(kind).finally(() => (open = undefined));
  return open;
}

/** The dialog that asks for a token. One at a time, whoever needs it. */
import { buildElement } from './build-element.ts';
import { saveToken } from './call-server.ts';

let open: Promise<boolean> | undefined;

function ask(): Promise<boolean> {
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
    buildElement('p', {}, 'One of those in WRITE_TOKEN. It is kept in this tab and nowhere else.'),
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
      saveToken(input.value.trim());
      isGiven = true;
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isGiven);
    });
  });
}

/** Whether the visitor gave one. */
export function askToken(): Promise<boolean> {
  open ??= ask().finally(() => (open = undefined));
  return open;
}

/** Files from a dialog, from a drop anywhere on the page, or from the clipboard: one list of images. */
import { elementOf } from '../pages/build-element.ts';

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

export function takeFiles(onFiles: (files: readonly File[]) => void): void {
  const picker = elementOf('#files', HTMLInputElement);
  const veil = elementOf('#drop', HTMLElement);

  picker.addEventListener('change', () => {
    onFiles([...(picker.files ?? [])]);
    // The same file may be chosen again.
    picker.value = '';
  });

  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });

  addEventListener('dragenter', (event) => {
    if (hasFiles(event)) veil.hidden = false;
  });
  veil.addEventListener('dragleave', () => (veil.hidden = true));
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

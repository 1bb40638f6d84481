/**
 * What a key press means among these keys, by `KeyboardEvent.key`; undefined for nothing: while one types keys are text, with
 * Ctrl, Alt or Meta they are the browser's, and a dialog has all of them for itself.
 */
export function actionOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>,
  isTyping: boolean,
  isDialogOpen: boolean,
  keys: Readonly<Record<string, () => void>>,
): (() => void) | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping || isDialogOpen) return undefined;
  return Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
}

/** Whether keys go into a text there. */
export const isTextField = (element: Element | null): boolean =>
  element instanceof HTMLInputElement
    ? !['checkbox', 'radio', 'button'].includes(element.type)
    : element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement;

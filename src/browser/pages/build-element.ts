/** Elements from script: no markup is ever made of text, so nothing that a stranger sent can become any. */

type Child = Node | string | undefined;
type Properties = Readonly<Record<string, string | number | boolean | undefined>>;

/** `class`, `aria-…` and whatever else is an attribute; false and undefined leave it out. */
export function buildElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** An element that the page's own HTML has; a page without it is a mistake of ours. */
export function elementOf<T extends Element>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`no ${selector} on this page`);
  return found;
}

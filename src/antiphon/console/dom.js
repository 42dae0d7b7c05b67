/** Building the page. Text only ever becomes a text node, so nothing that a song or a receiver says can be markup. */

import { t } from './i18n.js';

/**
 * An element. `props`: `class`, `on` (listeners by name), `style` (custom properties), `data`; what is
 * no text is a property of the element, everything else an attribute. Null and false are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) assign(element, name, value);
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function assign(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') element.className = Array.isArray(value) ? value.filter(Boolean).join(' ') : value;
  else if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === 'style') for (const [property, worth] of Object.entries(value)) element.style.setProperty(property, worth);
  else if (name === 'data') Object.assign(element.dataset, value);
  else element.setAttribute(name, value === true ? '' : value);
}

/** A copy of a template of `index.html` with its words filled in: `node`, and each part by its name. */
export function copyOf(id) {
  const node = document.getElementById(`template-${id}`).content.firstElementChild.cloneNode(true);
  const copied = { node };
  for (const one of [node, ...node.querySelectorAll('[data-t], [data-label], [data-part]')]) {
    const { t: words, label, part } = one.dataset;
    if (words) one.textContent = t(words);
    if (label) one.ariaLabel = t(label);
    if (part) copied[part] = one;
  }
  return copied;
}

const SVG = 'http://www.w3.org/2000/svg';
const SOLID = new Set(['play', 'pause', 'stop']);

/** A decorative drawing out of `icons.svg`; the control around it carries the name. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('class', SOLID.has(name) ? 'icon solid' : 'icon');
  drawing.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/console/icons.svg#${name}`);
  drawing.append(use);
  return drawing;
}

/** A button; with `label` and without text it shows the icon alone. */
export function button(text, { icon: drawn, kind = '', label, ...props } = {}) {
  const named = label ? { 'aria-label': label, title: label } : {};
  return h('button', { type: 'button', class: ['button', kind, !text && 'square'], ...named, ...props }, drawn && icon(drawn), text && h('span', {}, text));
}

/** Make the children of `parent` those of `items`, in order, keeping the nodes (and the focus) of those that stay. */
export function keyed(parent, items, keyOf, create) {
  const known = parent.keyed ?? (parent.keyed = new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, entry] of known) if (!wanted.has(key)) { entry.node.remove(); known.delete(key); }
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let entry = known.get(key);
    if (entry) entry.update?.(item);
    else known.set(key, (entry = create(item)));
    if (entry.node === place) place = place.nextSibling;
    else parent.insertBefore(entry.node, place);
  }
}

/** A colour of the theme as the canvas understands it. */
export function colour(name) {
  const probe = document.getElementById('app');
  probe.style.setProperty('outline-color', `var(--${name})`);
  const found = getComputedStyle(probe).outlineColor;
  probe.style.removeProperty('outline-color');
  return found;
}

/** Call `listener` when the colours change; gives the function that ends it. */
export function onTheme(listener) {
  const aborter = new AbortController();
  addEventListener('themechange', listener, aborter);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener, aborter);
  return () => aborter.abort();
}

/** A short message at the edge of the page, read out by screen readers. */
export function notify(text, kind = 'info') {
  const notice = h('div', { class: ['notice', kind] }, icon(kind === 'bad' ? 'alert' : 'check'), h('span', {}, text));
  document.getElementById('notices').append(notice);
  setTimeout(() => notice.remove(), kind === 'bad' ? 9000 : 4000);
}

/** Copy text and say so. */
export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // plain http on another machine has no clipboard
    const area = h('textarea', { class: 'offscreen', readonly: true }, text);
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  notify(said);
}

/** Building the page. Text only ever becomes a text node, so nothing that a song or a receiver says can be markup. */

/**
 * An element. `props`: `class`, `on` (listeners by name), `style` (custom properties), `data`, `ref` (called with it);
 * properties of the element such as `value` and `disabled`; everything else is an attribute. Null and false are left out.
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) assign(element, name, value);
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  if (props.value !== undefined && tag === 'select') element.value = props.value; // its options are there only now
  return element;
}

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'open', 'multiple', 'required', 'htmlFor', 'muted', 'indeterminate']);

function assign(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === 'class') element.className = Array.isArray(value) ? value.filter(Boolean).join(' ') : value;
  else if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === 'style') for (const [property, worth] of Object.entries(value)) element.style.setProperty(property, worth);
  else if (name === 'data') Object.assign(element.dataset, value);
  else if (name === 'ref') value(element);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (value !== false) element.setAttribute(name, value === true ? '' : value);
}

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z',
  upload: 'M12 16V4m0 0L7 9m5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12m0 0 5-5m-5 5-5-5M4 20h16',
  stems: 'M4 8v8M8 5v14M12 9v6M16 4v16M20 8v8',
  midi: 'M4 7h7v3H4zM9 14h7v3H9zM16 7h4v3h-4z',
  video: 'M4 6h16v12H4zM10 9.5v5l4.5-2.5z',
  tasks: 'M9 6h11M9 12h11M9 18h11M4 6h.5M4 12h.5M4 18h.5',
  callbacks: 'M4 8h13m0 0-4-4m4 4-4 4M20 16H7m0 0 4-4m-4 4 4 4',
  setup: 'M4 7h9m4 0h3M4 17h3m4 0h9M13 4.5h4v5h-4zM7 14.5h4v5H7z',
  note: 'M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 4v4.5h-4.5',
  check: 'm5 12.5 4.5 4.5L19 7',
  cross: 'm6 6 12 12M18 6 6 18',
  alert: 'M12 4 2.5 20h19zM12 10v4.5m0 2.5v.2',
  clock: 'M12 7v5l3.5 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z',
  stop: 'M6 6h12v12H6z',
  key: 'M14.5 13a4.5 4.5 0 1 0-4-2.4L4 17v3h3v-2h2v-2h2l1.6-3.2M16 8h.2',
  sun: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  auto: 'M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17',
  help: 'M9.2 9.2A2.9 2.9 0 1 1 12 12.5v1.7m0 2.8v.2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z',
  leave: 'M10 4H4v16h6M9 12h11m0 0-4-4m4 4-4 4',
  more: 'm8 5 7 7-7 7',
  back: 'm15 5-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zm4.7-1.8L20 20',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
};
const SOLID = new Set(['play', 'pause', 'stop']);

/** A decorative drawing; the control around it carries the name. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', '0 0 24 24');
  drawing.setAttribute('class', SOLID.has(name) ? 'icon solid' : 'icon');
  drawing.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  drawing.append(path);
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
    const area = h('textarea', { class: 'offscreen', value: text, readonly: true });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  notify(said);
}

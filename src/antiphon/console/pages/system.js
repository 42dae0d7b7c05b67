/** The server's health, as its administrator wants to know it. */

import { get } from '../api.js';
import { h } from '../dom.js';
import { loading, problem } from '../parts.js';

export function system() {
  const node = h('div', {}, loading());
  get('/system').then((found) => node.replaceChildren(h('pre', {}, JSON.stringify(found, null, 2))), (error) => node.replaceChildren(problem(error)));
  return { node };
}

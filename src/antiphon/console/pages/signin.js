/** The only page without a session: it takes an API key. */

import { signIn } from '../api.js';
import { copyOf } from '../dom.js';
import { t } from '../i18n.js';
import { problem } from '../parts.js';

export default function signin({ signedIn }) {
  const { node, form, key, said, enter } = copyOf('signin');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    enter.disabled = true;
    try {
      await signedIn(await signIn(key.value.trim()));
    } catch (error) {
      said.replaceChildren(problem(error));
      key.select();
      key.focus();
    } finally {
      enter.disabled = false;
    }
  });
  return { title: t('signin.title'), node };
}

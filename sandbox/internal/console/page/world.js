// World: export and import, snapshots, worlds to start with, and reset.

import { h, save } from './dom.js';
import { get, getText, id, post, postText, readOverview } from './api.js';
import { Screen } from './screen.js';
import { copy, facts, field, heading, hint, moment } from './parts.js';
import { grouped, query, size } from './format.js';

class World extends Screen {
  name = '';
  typed = '';
  keys = false;
  file = null;
  done = '';

  async load(signal) {
    const [glance, { snapshots }, { worlds }] = await Promise.all(['/overview', '/snapshots', '/worlds'].map(path => get(path, { signal })));
    return { glance, snapshots, worlds };
  }

  // changing runs an action that replaces everything.
  changing(name, what, said) {
    return this.act(name, async () => {
      await what();
      this.done = said;
      await readOverview();
    });
  }

  content() {
    const { glance: g, snapshots, worlds } = this.data;
    return [heading('World'), this.done && h('p.done', { role: 'status' }, this.done),
      h('section.panel', null, facts(['version', g.version], ['seed', g.seed], ['transactions', grouped(g.transactions ?? 0)],
        ['store', g.store ? `${g.store.dir}, ${size(g.store.bytes)}` : 'none: the state ends with the sandbox'],
        ['Partner API', g.base_url && copy(g.base_url, 'the base URL of the Partner API', { shown: g.base_url, class: 'as-text' })],
          ['Qredo API v1', g.qapi_base_url && copy(g.qapi_base_url, 'the base URL of Qredo API v1', { shown: g.qapi_base_url, class: 'as-text' })])),
      this.snapshots(snapshots), this.begin(worlds), this.files(), this.reset()];
  }

  snapshots(snapshots) {
    return h('section', { key: 'snapshots' }, h('h2', null, 'Snapshots'),
      h('form.inline', { 'aria-label': 'Snapshot', onsubmit: e => {
        e.preventDefault();
        const name = this.name.trim();
        this.act('snapshot', async () => {
          if (!name) throw new Error('Give the snapshot a name: before-payout');
          await post('/snapshots', { name });
          this.name = '';
          this.done = `The current state is saved as ${name}.`;
        });
      } }, field('Save the current state as', h('input', { id: 'snapshot', value: this.name, placeholder: 'before-payout', autocomplete: 'off', oninput: e => { this.name = e.currentTarget.value; } })),
        h('button.primary', { type: 'submit' }, 'Take a snapshot'), this.wrongOf('snapshot')),
      snapshots.length ? h('ul.plain', null, snapshots.map(x => h('li', { key: x.name }, h('b', null, x.name), moment(x.at), hint(`${size(x.bytes)}, ${grouped(x.transactions)} transactions`),
        this.twice(`return ${x.name}`, 'Return to it', 'Everything since then will be lost. Return?', () => this.post(`/snapshots/${id(x.name)}/restore`, `Everything is back as it was at ${x.name}.`)),
        this.twice(`delete ${x.name}`, 'Delete', 'Delete it?', () => this.post(`/snapshots/${id(x.name)}/delete`, `${x.name} is deleted.`), { class: 'quiet' }), this.wrongOf(`return ${x.name}`),
          this.wrongOf(`delete ${x.name}`))))
        : h('p.hint', null, 'None yet. Take one before you try something out, and return to it as often as you like.'));
  }

  async post(path, said) {
    await post(path);
    this.done = said;
    await readOverview();
  }

  begin(worlds) {
    return worlds.length > 0 && h('section', { key: 'worlds' }, h('h2', null, 'Start with'), h('ul.plain', null, worlds.map(w => h('li', { key: w.name }, h('b', null, w.name), hint(w.description),
      this.twice(`begin ${w.name}`, 'Start with it', 'The current state will be lost. Start?', () => this.post(`/worlds/${id(w.name)}`, `The sandbox now holds ${w.name}.`)), this.wrongOf(`begin ${w.name}`)))));
  }

  files() {
    return h('section', { key: 'files' }, h('h2', null, 'As a file'), h('div.row-of', null,
      this.button('export', 'Export', async () => save('qredo-sandbox.world', await getText(`/export${query({ keys: this.keys })}`))),
      h('label', null, h('input', { type: 'checkbox', checked: this.keys, onchange: e => { this.keys = e.currentTarget.checked; this.draw(); } }), 'with private keys'),
        this.keys && h('span.error', null, 'Whoever has the file can sign as you.'), this.wrongOf('export')),
    h('form.inline', { 'aria-label': 'Import', onsubmit: e => e.preventDefault() }, field('Import a file',
      h('input', { id: 'import', type: 'file', onchange: e => { [this.file] = e.currentTarget.files; this.draw(); } }), { hint: 'an export, or a world written by hand (.yaml)' }),
      this.twice('import', 'Import', 'The current state will be lost. Import?', async () => {
        const yaml = /\.ya?ml$/i.test(this.file.name);
        await postText(yaml ? '/worlds' : '/import', this.file, yaml ? 'application/yaml' : 'text/plain');
        this.done = `The sandbox now holds the state from ${this.file.name}.`;
        await readOverview();
      }, { off: !this.file }), this.wrongOf('import')));
  }

  reset() {
    const sure = this.typed.trim() === 'reset';
    return h('section', { key: 'reset' }, h('h2', null, 'Reset'), h('form.inline', { 'aria-label': 'Reset', onsubmit: e => {
      e.preventDefault();
      if (sure) this.changing('reset', async () => { await post('/reset'); this.typed = ''; }, 'The sandbox is empty.');
      else {
        this.errors.reset = new Error('Type the word reset to delete everything');
        this.draw();
      }
    } }, field('Type reset to delete everything', h('input', { id: 'reset', value: this.typed, autocomplete: 'off', spellcheck: 'false',
      oninput: e => { this.typed = e.currentTarget.value; this.errors.reset = null; this.draw(); } })),
    h('button.bad', { type: 'submit' }, 'Reset'), this.wrongOf('reset')));
  }
}

customElements.define('q-world', World);

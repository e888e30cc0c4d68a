// Clock: how far it was moved, what expires next, and moving it.

import { h } from './dom.js';
import { get, now, overview, post } from './api.js';
import { Screen } from './screen.js';
import { empty, facts, field, heading, hint, href, left, moment, para, state } from './parts.js';
import { grouped, local, span, utc, words } from './format.js';

const steps = [['a minute', 60], ['10 minutes', 600], ['an hour', 3600], ['a day', 86_400], ['a week', 604_800]];
const units = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

class Clock extends Screen {
  by = '90';
  unit = 'minutes';

  async load(signal) {
    const [expiries, glance] = await Promise.all([get('/expiries?limit=50', { signal }), get('/overview', { signal })]);
    overview.value = glance;
    overview.at = performance.now();
    return { ...expiries, glance };
  }

  forward(seconds) { return post('/clock/advance', { seconds }); }

  content() {
    const { expiries, total, glance } = this.data, iso = now().toISOString();
    return [heading('Clock'),
      h('section.panel', null, facts(['the sandbox\'s time', h('span', null, h('b', null, local(iso, { long: true })), hint(` ${utc(iso.slice(0, 19) + 'Z')}`))],
        ['moved forward by', glance.advanced_seconds ? `${span(glance.advanced_seconds)} (${grouped(glance.advanced_seconds)} s)` : 'nothing'],
        ['timestamps of requests', 'are checked against the unmoved clock, so programs need not follow'])),
      h('section', null, h('h2', null, 'Forward'), h('div.row-of', null, steps.map(([name, seconds]) => this.button(name, `▸ ${name}`, () => this.forward(seconds))),
        this.button('next', '▸ to the next expiry', () => post('/clock/advance', { to_next_expiry: true }), { off: !total, class: 'primary' })),
      h('form.inline', { 'aria-label': 'Forward by', onsubmit: e => {
        e.preventDefault();
        this.act('by', () => {
          if (!/^\d{1,9}$/.test(this.by.trim())) throw new Error('Enter a whole number: the clock only goes forward');
          return this.forward(Number(this.by) * units[this.unit]);
        });
      } },
      field('Forward by', h('input', { id: 'forward', value: this.by, inputmode: 'numeric', oninput: e => { this.by = e.currentTarget.value; } })),
      field('Unit', h('select', { id: 'unit', value: this.unit, onchange: e => { this.unit = e.currentTarget.value; } }, Object.keys(units).map(u => h('option', { value: u, key: u }, u)))),
      h('button', { type: 'submit' }, 'Forward')), [...steps.map(([name]) => name), 'next', 'by'].map(name => this.wrongOf(name)),
      h('p.hint', null, 'The clock cannot go back: return to a snapshot (World) instead.')),
      h('section', null, h('h2', null, 'What expires next', hint(total ? ` ${grouped(total)} in all` : '')),
        expiries.length ? h('ul.plain', null, expiries.map(x => h('li', { key: `${x.tx_id} ${x.at}` }, moment(x.at), left(x.at, { before: 'in ' }),
          h('a', { href: href('transaction', x.tx_id) }, x.label || words(x.type)), state(x.status))))
          : empty('Nothing is pending that could expire.', null, para(h('a', { href: '#/make/withdrawal' }, 'Ask for a withdrawal'))))];
  }
}

customElements.define('q-clock', Clock);

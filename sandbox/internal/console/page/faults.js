// Faults: rules, their hits, and ready-made combinations.

import { h } from './dom.js';
import { get, post } from './api.js';
import { Screen } from './screen.js';
import { field, heading, hint, para } from './parts.js';
import { count, grouped } from './format.js';

const kinds = [
  ['drop_request', 'cut the connection before the request is handled'], ['drop_answer', 'handle it, then cut the connection'], ['cut_body', 'handle it, then cut in the middle of the answer'],
  ['error_500', '500, not handled'], ['error_handled', 'handle it, then 500'], ['rate_limit', '429 with Retry-After, not handled'], ['delay', 'handle it, answer late'],
  ['html', 'handle it, then 502 with an HTML page'], ['no_tx_id', 'handle it, then 200 with an empty answer'], ['skewed_date', 'handle it, with a wrong Date'],
];

const operations = ['', 'POST /company/{company_id}/transfer', 'POST /company/{company_id}/withdraw', 'GET /company/{company_id}/transfer/{tx_id}', 'GET /company/{company_id}/withdraw/{tx_id}',
  'GET /company/{company_id}/fund/{fund_id}/ledger', 'POST /company', 'POST /company/{company_id}/fund', 'PUT /coreclient/{client_id}/action/{action_id}', 'GET /wallet/{wallet_id}'];

class Faults extends Screen {
  static told = ['faults', 'request', 'again'];
  rule = { kind: 'drop_answer', operation: '', percent: '30', delay: '1000', skew: '3600' };

  load(signal) { return get('/faults', { signal }); }

  // wire is a rule as it is sent: without read-only fields.
  wire({ hits, text, ...rule }) { return rule; }

  set(rules, seed = this.data.seed ?? 0) { return post('/faults', { seed, rules: rules.map(r => this.wire(r)) }); }

  content() {
    const { rules, presets = [], seed } = this.data;
    return [heading('Faults', hint(rules.length ? `${count(rules.length, 'rule')} · seed ${seed ?? 0}` : 'all requests are handled normally')),
      h('section.panel.big-off', { class: rules.length ? 'is-on' : '' }, para(rules.length ? h('b', null, '⚠ Requests go wrong on purpose') : h('b', null, 'Faults are off')),
        rules.length > 0 && this.button('off', 'Turn all off', () => this.set([], 0), { class: 'primary' }), this.wrongOf('off')),
      h('ul.plain.rules', null, rules.map((r, i) => h('li', { key: `${i} ${r.text}` }, h('b', null, r.text), hint(`${count(r.hits ?? 0, 'hit')}${r.times ? ` of ${grouped(r.times)}` : ''}`),
        this.button(`without ${i}`, 'Remove', () => this.set(rules.filter((_, n) => n !== i)), { class: 'quiet', 'aria-label': `Remove: ${r.text}` }), this.wrongOf(`without ${i}`)))),
      h('section', null, h('h2', null, 'Presets'), h('div.presets', null, presets.map(p => h('article.panel', { key: p.name }, h('h3', null, p.name), h('p.hint', null, p.description),
        h('div.row-of', null, this.button(`use ${p.name}`, 'Use', () => this.set(p.rules, 1), { 'aria-label': `Use ${p.name}` })), this.wrongOf(`use ${p.name}`))))),
      this.add(rules)];
  }

  add(rules) {
    const r = this.rule;
    const input = (label, name, props = {}, options = {}) => field(label, h('input', { id: `fault-${name}`, value: r[name], inputmode: 'numeric', oninput: e => { r[name] = e.currentTarget.value; },
      ...props }), options);
    return h('section', null, h('h2', null, 'A rule of your own'), h('form.panel.grid', { 'aria-label': 'A rule of your own', onsubmit: e => {
      e.preventDefault();
      this.act('add', () => {
        const percent = Number(r.percent);
        if (!(percent >= 0 && percent <= 100)) throw new Error('Enter how many of 100 requests it hits: 30');
        const rule = { kind: r.kind, operation: r.operation || undefined, rate: percent / 100 };
        if (r.kind === 'delay' || r.kind === 'rate_limit') rule.delay_ms = Math.round(Number(r.delay)) || 0;
        if (r.kind === 'skewed_date') rule.skew_s = Math.round(Number(r.skew)) || 0;
        return this.set([...rules, rule]);
      });
    } },
    field('What goes wrong', h('select', { id: 'fault-kind', value: r.kind, onchange: e => { r.kind = e.currentTarget.value; this.draw(); } },
      kinds.map(([kind, what]) => h('option', { value: kind, key: kind }, `${kind}: ${what}`)))),
    field('For which operation', h('input', { id: 'fault-operation', value: r.operation, list: 'operations', placeholder: 'all', autocomplete: 'off',
      oninput: e => { r.operation = e.currentTarget.value.trim(); } }), { hint: 'empty: all operations of both APIs' }),
    h('datalist', { id: 'operations' }, operations.slice(1).map(o => h('option', { value: o, key: o }))),
    input('How many of 100', 'percent'), (r.kind === 'delay' || r.kind === 'rate_limit') && input('By how many milliseconds', 'delay'), r.kind === 'skewed_date' && input('Seconds ahead', 'skew'),
    h('div.field', null, h('button.primary', { type: 'submit' }, 'Add the rule'), this.wrongOf('add'))));
  }
}

customElements.define('q-faults', Faults);

// Phone: what waits for a person's or core client's approval.

import { h } from './dom.js';
import { get, id, post } from './api.js';
import { Screen } from './screen.js';
import { amount, base, copy, empty, heading, hint, href, left, moment, para, plainID, state, thing, web3, when } from './parts.js';
import { count, grouped, query, words } from './format.js';

const ended = { approved: 'It was approved', rejected: 'It was rejected', expired: 'It has expired' };

class Phone extends Screen {
  seen = new Map(); // the cards that were shown, by action
  gone = new Map(); // those that were decided meanwhile
  whole = new Set(); // the addresses that are shown whole
  decided = false; // what was decided before is shown
  search = '';

  async load(signal) {
    const { approvers } = await get(`/approvers${query({ search: this.search, limit: 200 })}`, { signal });
    let who = this.at[0] && approvers.find(a => a.id === this.at[0] || a.email === this.at[0]);
    if (!who && this.at[0]) {
      const found = await get(`/approvers${query({ search: this.at[0], limit: 10 })}`, { signal });
      who = found.approvers.find(a => a.id === this.at[0] || a.email === this.at[0]);
    }
    const missing = this.at[0] && !who;
    if (!this.at[0]) who = approvers[0];
    if (!who) return { approvers, missing, waiting: [], before: [] };
    const [waiting, before] = await Promise.all([
      get(`/users/${id(who.id)}/approvals${query({ state: 'waiting', limit: 50, after: null })}`, { signal }),
      get(`/users/${id(who.id)}/approvals${query({ state: 'decided', limit: this.decided ? 100 : 20 })}`, { signal }),
    ]);
    if (this.who !== who.id) {
      this.who = who.id;
      this.seen.clear();
      this.gone.clear();
    }
    const open = new Set(waiting.approvals.map(a => a.action_id));
    for (const [action, card] of this.seen) {
      if (!open.has(action) && !this.gone.has(action)) this.gone.set(action, before.approvals.find(a => a.action_id === action) ?? { ...card, status: 'ended' });
    }
    for (const a of before.approvals) if (this.gone.has(a.action_id)) this.gone.set(a.action_id, a);
    for (const action of open) this.gone.delete(action);
    waiting.approvals.forEach(a => this.seen.set(a.action_id, a));
    return { approvers, who, waiting: waiting.approvals, next: waiting.next, before: before.approvals };
  }

  content() {
    const { approvers, who, waiting, before, missing } = this.data;
    if (!approvers.length && !this.search && !missing) {
      return [heading('Phone'), empty('Nobody is here yet. Make a person who approves, or begin with a world that has some:', 'qredo sandbox serve --seed demo',
        para(h('a.primary', { href: '#/make/person' }, 'Make a person')))];
    }
    const gone = [...this.gone.values()];
    return [heading('Phone', this.choose(approvers, who)),
      missing && h('p.error', { role: 'alert' }, `Nobody here has the ID or e-mail ${this.at[0]}. Choose somebody above.`),
      who && h('section.cards', { 'aria-label': `What waits for ${who.name || who.email}` },
        [...waiting, ...gone.filter(g => !waiting.some(w => w.action_id === g.action_id))].sort((a, b) => (a.created < b.created ? -1 : 1)).map(a => this.card(a, this.gone.has(a.action_id))),
        !waiting.length && !gone.length && h('div.empty', { key: 'none' }, para(`Nothing waits for ${who.name || who.email}.`),
          para(h('a', { href: '#/make/withdrawal' }, 'Ask for a withdrawal'), ' or ', h('a', { href: '#/make/transfer' }, 'a transfer'), ' from a fund they approve for.'))),
      this.data.next && h('p.hint', null, 'There are more: they appear as these are decided.'),
      before.length > 0 && h('details.before', { open: this.decided, key: 'before', ontoggle: e => { if (this.decided !== e.currentTarget.open) { this.decided = e.currentTarget.open; this.refresh(); } } },
        h('summary', null, `Decided before`), h('ul.plain', null, before.map(a => this.decision(a))))];
  }

  choose(approvers, who) {
    const name = a => `${a.name || a.email || a.id}${a.kind === 'person' ? '' : a.kind === 'signing_agent' ? ' (program: signing agent)' : ' (program)'}${a.waiting ? ` · ${a.waiting} waiting` : ''}`;
    return [h('label.as', null, 'As ',
      h('select', { value: who?.id ?? '', 'data-as': '', onchange: e => { location.hash = `#/phone/${id(e.currentTarget.value)}`; } },
        !who && h('option', { value: '' }, 'choose…'),
        who && !approvers.some(a => a.id === who.id) && h('option', { value: who.id, key: who.id }, name(who)),
        approvers.map(a => h('option', { value: a.id, key: a.id }, name(a))))),
    (approvers.length > 20 || this.search) && h('input', { type: 'search', 'data-search': '', 'aria-label': 'Find a person or program', placeholder: 'find somebody…',
      oninput: e => { this.search = e.currentTarget.value; this.soon(); } }),
    who && hint(`${who.waiting ? count(who.waiting, 'waits', 'wait') : 'nothing waits'}${who.email && who.name ? ` · ${who.email}` : ''}`), who && plainID(who.id, 'their ID')];
  }

  card(a, over) {
    const name = a.title || words(a.type);
    return h('article.card', { key: a.action_id, class: over ? 'is-over' : '', 'aria-label': `${name} of ${a.arrives?.whole ?? ''} ${a.arrives?.asset ?? ''}`, 'data-action': a.action_id },
      h('div.card-head', null, h('h2', null, name), over ? state(a.status) : a.expires_at && left(a.expires_at)),
      a.arrives && h('p.sum', null, amount(a.arrives), base(a.arrives)),
      a.receives && para('for ', amount(a.receives), base(a.receives), a.receives_into && [' into ', thing('wallet', a.receives_into.id, a.receives_into.name)]),
      a.leaves && h('p.hint', null, amount(a.leaves), ` leaves with fees of ${a.fee?.whole ?? '0'} (${grouped(a.leaves.base)} base units)`),
      this.to(a),
      a.wallet && para('from ', thing('wallet', a.wallet.id, a.wallet.name), a.wallet.fund && hint(' of ', h('a', { href: href('fund', a.wallet.fund.id) }, a.wallet.fund.name), ', ',
        h('a', { href: href('company', a.wallet.company.id) }, a.wallet.company.name))),
      a.available_before && h('p.hint', null, `${a.available_before.whole} available → ${a.available_after.whole}`,
        a.balance_before && ` · balance ${a.balance_before.whole} → ${a.balance_after.whole}`),
      web3(a.web3),
      a.text && para(a.text),
      a.reference && h('p.quote', null, a.reference),
      this.votes(a), over ? this.overText(a) : this.choices(a));
  }

  to(a) {
    const to = a.payee;
    if (!to || !(to.address || to.wallet_id || to.name)) return null;
    const address = to.address || to.wallet_id;
    const whole = this.whole.has(a.action_id) || !address || address.length < 20;
    return para('to ', (to.name || to.company) && h('b', null, to.name || to.company, ' '),
      to.wallet_id ? thing('wallet', to.wallet_id) : address && h('span.thing', null, h('code.wrap', null, whole ? address : `${address.slice(0, 6)}…${address.slice(-6)}`),
        !whole && h('button.quiet', { type: 'button', onclick: () => { this.whole.add(a.action_id); this.draw(); } }, 'show whole'), copy(address, 'the address', { shown: '' })));
  }

  votes(a) {
    const votes = a.votes ?? [], cast = votes.filter(v => v.choice === 'approved' || v.choice === 'rejected');
    const dots = a.threshold <= 12 ? '●'.repeat(a.approved) + '○'.repeat(Math.max(0, a.threshold - a.approved)) : '';
    return h('p.votes', null, h('span.dots', { 'aria-hidden': 'true' }, dots), ` ${a.approved} of ${a.threshold} ${a.approved === 1 ? 'has' : 'have'} approved`, cast.length > 0 && ': ',
      cast.map((v, i) => [i > 0 && ', ', v.name || v.id, v.choice === 'rejected' && ' rejected', ' ', when(v.at)]));
  }

  choices(a) {
    if (a.can_decide === false) return h('p.hint', null, a.why_not || 'It cannot be decided here.');
    const key = a.action_id, user = id(this.data.who.id);
    const decide = how => () => post(`/users/${user}/approvals/${id(key)}/${how}`);
    const armed = this.armed === `reject ${key}` || this.armed === `approve ${key}`;
    const sum = a.arrives ? ` ${a.arrives.whole} ${a.arrives.asset}` : '';
    return [armed && h('p.hint', { role: 'status' }, 'This cannot be undone, as in the app.'),
      h('div.choices', null, this.armed === `approve ${key}` ? null : this.twice(`reject ${key}`, 'Reject', `Reject${sum}: sure?`, decide('reject'), { class: 'bad', off: this.busy[`approve ${key}`] }),
        this.armed === `reject ${key}` ? null : this.twice(`approve ${key}`, 'Approve', `Approve${sum}: sure?`, decide('approve'), { class: 'primary', off: this.busy[`reject ${key}`] })),
      this.wrongOf(`approve ${key}`), this.wrongOf(`reject ${key}`)];
  }

  overText(a) {
    const mine = a.choice === 'approved' || a.choice === 'rejected';
    const text = mine ? `${this.data.who.name || this.data.who.email} ${a.choice} it. ` : '';
    const status = ended[a.status] ?? (/reject/.test(a.status) ? ended.rejected : /approved/.test(a.status) ? ended.approved : /pending|waiting/.test(a.status) ? 'It is waiting for others' : 'It has ended');
    return h('div.over', { role: 'status' }, para(text, `${status}${mine ? '' : ' meanwhile'}.`), h('div.row-of', null, a.tx_id && h('a', { href: `#/tx/${id(a.tx_id)}` }, 'What became of it'),
      h('button.quiet', { type: 'button', onclick: () => { this.gone.delete(a.action_id); this.seen.delete(a.action_id); this.draw(); } }, 'Hide')));
  }

  decision(a) {
    return h('li', { key: a.action_id }, h('span', null, a.title || words(a.type), ' ', amount(a.arrives)), a.payee?.name && h('span', null, ` to ${a.payee.name}`),
      h('span', null, state(a.choice || a.status), a.choice && a.status !== a.choice && hint(` then ${words(a.status)}`)),
      moment(a.decided_at), thing('transaction', a.tx_id));
  }
}

customElements.define('q-phone', Phone);

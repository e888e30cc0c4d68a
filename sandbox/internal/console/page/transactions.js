// Transactions: a list by state and search, and one with its steps.

import { h } from './dom.js';
import { get, id, on, post } from './api.js';
import { Screen } from './screen.js';
import { amount, code, copy, empty, facts, heading, hint, href, left, moment, para, plainID, state, sum, thing, web3, when } from './parts.js';
import { capital, indent, query, words } from './format.js';
import './list.js';

const states = ['', 'waiting', 'approved', 'rejected', 'refused', 'cancelled', 'expired'];

class Transactions extends Screen {
  static told = ['again'];
  filter = { state: '', search: '' };

  connectedCallback() {
    super.connectedCallback();
    this.stops = [on(['change', 'clock'], () => this.list?.look(true)), on('again', () => this.list?.renew())];
    this.addEventListener('counted', () => this.draw());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stops.forEach(stop => stop());
    clearTimeout(this.typed);
  }

  get list() { return this.querySelector('q-list'); }

  go(at) {
    const was = this.at[0];
    super.go(at);
    this.list?.mark(at[0]);
    if (was && !at[0]) this.list?.back(was);
  }

  set(change) {
    Object.assign(this.filter, change);
    this.draw();
    clearTimeout(this.typed);
    this.typed = setTimeout(() => this.list?.renew(), 'search' in change ? 200 : 0);
  }

  content() {
    const open = this.at[0];
    return h('div.split', { class: open ? 'has-open' : '' },
      h('section.left-part', { key: 'list', 'aria-label': 'Transactions' },
        heading('Transactions', h('span.hint.total', null, this.list?.read ? this.list.counted : '')),
        h('div.tools', null,
          h('input', { type: 'search', 'data-search': '', 'aria-label': 'Search transactions', placeholder: 'ID, PartnerTxID, reference, address…', value: this.filter.search,
            oninput: e => this.set({ search: e.currentTarget.value }) }),
          h('label', null, 'State ', h('select', { value: this.filter.state, onchange: e => this.set({ state: e.currentTarget.value }) },
            states.map(name => h('option', { value: name, key: name }, name || 'all'))))),
        h('q-list', { class: 'transactions', data: this.rows() })),
      open && h('section.open-part', { key: 'open', 'aria-label': 'Transaction' }, h('q-transaction', { key: open, at: [open] })));
  }

  rows() {
    return this.made ??= {
      label: 'Transactions, newest first', one: 'transaction', tall: 58,
      read: async (after, limit, signal) => {
        const page = await get(`/transactions${query({ state: this.filter.state, search: this.filter.search.trim(), after, limit })}`, { signal });
        return { rows: page.transactions, total: page.total, next: page.next };
      },
      key: t => t.id, link: t => href('transaction', t.id),
      row: t => [when(t.created), h('span.kind', null, words(t.type)), h('span.sum', null, amount(t.arrives)),
        h('span.other', null, hint(t.type === 'deposit' ? 'into ' : t.wallet?.name && `${t.wallet.name} → `), t.to),
        h('span.note', null, t.reference), h('span.count', { title: 'approvals, and how many are needed' }, t.threshold ? [`${t.approved}/${t.threshold}`, h('span.unseen', null, ' approved')] : ''),
          state(t.status)],
      empty: () => (this.filter.state || this.filter.search ? h('div.empty', null, para('No transaction matches.'),
        h('button', { type: 'button', onclick: () => this.set({ state: '', search: '' }) }, 'Show all'))
        : empty('No transaction yet. Request one with the command:', 'qredo transfer create --help', para(h('a', { href: '#/make/withdrawal' }, 'Ask for a withdrawal here')))),
    };
  }
}

class Transaction extends Screen {
  load(signal) { return get(`/transactions/${id(this.at[0])}`, { signal }); }

  content() {
    const t = this.data, waits = !t.ended && /pending|waiting/.test(t.status);
    return [h('header.heading', null, h('a.back', { href: '#/transactions' }, '‹ Transactions'), h('h1', { tabindex: '-1' }, t.title || capital(words(t.type))), state(t.status),
      plainID(t.id, 'the transaction\'s ID')),
      h('div.balances', null, sum('net: arrives', t.arrives), sum('fees', t.fees), sum('total: leaves', t.leaves), sum('comes in return', t.receives)),
      t.text && para(t.text), web3(t.web3),
      h('section', { key: 'life' }, h('h2', null, 'Its life'), h('ol.steps', null, (t.steps ?? []).map((step, i) => this.step(step, t, i)))),
      facts([t.type === 'deposit' ? 'into' : 'from', t.wallet?.id && h('span', null, thing('wallet', t.wallet.id, t.wallet.name),
        t.fund && [' of ', h('a', { href: href('fund', t.fund.id) }, t.fund.name)], ', ', t.company && h('a', { href: href('company', t.company.id) }, t.company.name || 'its company'))],
        ['to', t.type !== 'deposit' && t.to && (t.payee?.wallet_id ? thing('wallet', t.payee.wallet_id, t.to) : h('span.wrap', null, t.to,
          t.payee?.address && t.payee.address !== t.to && [' ', h('code.wrap', null, t.payee.address)]))],
          ['receives into', t.receives_into && thing('wallet', t.receives_into.id, t.receives_into.name)], ['other side', thing('transaction', t.other_side)], ['reference', t.reference],
          ['PartnerTxID', t.partner_tx_id && copy(t.partner_tx_id, 'the PartnerTxID', { shown: t.partner_tx_id, class: 'as-text' })],
        ['approved', t.threshold > 0 && `${t.approved} of ${t.threshold}`], ['created', moment(t.created)], ['ended', moment(t.ended)],
        [waits ? 'expires' : 'would have expired', t.expires && h('span', null, moment(t.expires), waits && [' ', left(t.expires, { before: 'in ' })])],
        ['on Qredo\'s chain', plainID(t.chain_tx_id, 'the ID on Qredo\'s chain')], ['request', t.request_id && h('a', { href: href('request', t.request_id) }, `request ${t.request_id}`)]),
      this.votes(t, waits),
      waits && h('section', { key: 'doing' }, this.twice('chain', 'Make the chain reject it', 'Once everyone has approved it, the chain rejects it. Sure?',
        () => post(`/transactions/${id(t.id)}/reject-on-chain`), { class: 'bad' }), this.wrongOf('chain')),
      t.api && h('details', { key: 'api' }, h('summary', null, 'As the Partner API gives it'), code(indent(t.api) ?? t.api, 'the transaction'))];
  }


  step(step, t, i) {
    return h('li', { key: i, class: `is-${step.kind}` }, state(step.kind), h('span.text', null, step.actor && h('b', null, step.actor.name || step.actor.id, ' '), step.text,
      step.kind === 'asked' && t.request_id && h('span', null, ' ', h('a', { href: href('request', t.request_id) }, 'the request'))), step.at && when(step.at));
  }

  votes(t, waits) {
    return t.votes?.length > 0 && h('section', { key: 'votes' }, h('h2', null, 'Who approves'),
      h('ul.plain', null, t.votes.map(v => h('li', { key: v.id }, state(v.choice), h('span', null, v.name || v.id), v.kind !== 'person' && hint('program'), v.part !== 'policy' && hint(v.part),
      v.required && hint('must approve'), v.at && when(v.at),
      waits && v.choice === 'waiting' && h('a', { href: `#/phone/${id(v.id)}` }, 'their phone')))));
  }
}

customElements.define('q-transaction', Transaction);
customElements.define('q-transactions', Transactions);

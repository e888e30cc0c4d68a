// Money: companies, funds and wallets as a tree; a wallet with its movements; totals by asset.

import { h } from './dom.js';
import { get, id } from './api.js';
import { Screen } from './screen.js';
import { amount, empty, forWhat, heading, hint, para, plainID } from './parts.js';
import { count, grouped, query } from './format.js';
import './wallet.js';

class Money extends Screen {
  open = new Map(); // the companies whose funds are shown
  closed = new Set();
  search = '';
  limit = 50;

  async load(signal) {
    const [list, { totals }] = await Promise.all([
      get(`/companies${query({ search: this.search, limit: this.limit })}`, { signal }),
      get('/totals', { signal }),
    ]);
    const { companies } = list;
    if (companies.length && !this.open.size && companies.length <= 5) companies.forEach(c => this.closed.has(c.id) || this.open.set(c.id, null));
    await this.find(companies, signal);
    const at = companies.filter(c => this.open.has(c.id)).slice(0, 20);
    const funds = await Promise.all(at.map(c => get(`/companies/${id(c.id)}`, { signal })));
    funds.forEach(c => this.open.set(c.id, c));
    return { companies, total: list.total, totals };
  }

  // find opens the company in the address, or its fund's.
  async find(companies, signal) {
    const [kind, wanted] = this.at;
    if (kind === 'company' && !companies.some(c => c.id === wanted)) {
      const c = await get(`/companies/${id(wanted)}`, { signal });
      companies.unshift({ ...c, funds: c.funds.length, wallets: c.funds.reduce((n, f) => n + f.wallets.length, 0), waiting: 0 });
    }
    if (kind === 'company' && !this.closed.has(wanted)) this.open.set(wanted, null);
    const has = c => this.open.get(c.id)?.funds.some(f => f.id === wanted);
    if (kind !== 'fund' || companies.some(has)) return;
    for (const c of companies) {
      const detail = await get(`/companies/${id(c.id)}`, { signal });
      if (!detail.funds.some(f => f.id === wanted)) continue;
      this.open.set(c.id, detail);
      return;
    }
  }

  draw() {
    super.draw();
    const here = this.querySelector('.is-here');
    if (here && this.led !== this.at[1]) {
      this.led = this.at[1];
      here.scrollIntoView({ block: 'nearest' });
    }
  }

  get wallet() { return this.at[0] === 'wallet' ? this.at[1] : null; }

  // beside is the wallet beside the tree: the first one if none is chosen and there is room.
  get beside() {
    if (this.wallet || matchMedia('(max-width: 700px)').matches) return this.wallet;
    for (const c of this.data.companies) for (const f of this.open.get(c.id)?.funds ?? []) if (f.wallets.length) return f.wallets[0].id;
    return null;
  }

  content() {
    const { companies, totals, total } = this.data, { wallet, beside } = this;
    return h('div.split.money', { class: wallet ? 'has-open' : '' },
      h('section.left-part', { key: 'tree', 'aria-label': 'Companies, funds and wallets' },
        heading('Money', hint(companies.length ? count(total, 'company', 'companies') : '')),
        (total > 1 || this.search) && h('div.tools', null, h('input', { type: 'search', 'data-search': '', 'aria-label': 'Search companies', placeholder: 'company…',
          oninput: e => { this.search = e.currentTarget.value; this.soon(); } })),
        h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Companies' },
          !companies.length && (this.search ? h('div.empty', null, para('No company has that name.')) : empty('No company yet. Start with a world that has some:', 'qredo sandbox serve --seed demo',
            para(h('a.primary', { href: '#/make/company' }, 'Make a company')))),
          h('ul.tree', null, companies.map(c => this.company(c))),
          companies.length < total && h('button', { type: 'button', onclick: () => { this.limit = Math.min(500, this.limit * 2); this.refresh(); } }, `Show more of ${grouped(total)}`)),
        this.totals(totals)),
      h('section.open-part', { key: 'open', 'aria-label': 'Wallet' }, beside ? h('q-wallet', { key: beside, at: [beside] })
        : companies.length > 0 && h('p.pad.hint', null, 'Choose a wallet to see its balance over time and its movements, and to deposit.')));
  }

  company(c) {
    const open = this.open.has(c.id), detail = this.open.get(c.id);
    return h('li', { key: c.id }, h('div.branch', { class: this.at[1] === c.id ? 'is-here' : '' },
      h('button.twist', { type: 'button', 'aria-expanded': String(open), onclick: () => this.toggle(c.id) }, h('span', { 'aria-hidden': 'true' }, open ? '▾' : '▸'), c.name || 'without a name'),
      hint(`${count(c.funds, 'fund')}, ${count(c.wallets, 'wallet')}`), c.waiting > 0 && h('span.state.is-wait', null, `◐ ${c.waiting} waiting`), plainID(c.id, 'the company\'s ID')),
    open && detail && h('ul', null, detail.funds.map(f => this.fund(f)), !detail.funds.length && h('li.hint', null, 'No fund yet. ', h('a', { href: '#/make/fund' }, 'Make one'))));
  }

  fund(f) {
    return h('li', { key: f.id }, h('div.branch', { class: this.at[1] === f.id ? 'is-here' : '' }, h('span.name', null, f.name), plainID(f.id, 'the fund\'s ID'),
      (f.policies ?? []).map(p => hint(`${forWhat(p.type)}: ${p.threshold} of ${p.members.length}`))),
    h('ul', null, f.wallets.map(w => h('li', { key: w.id }, h('a.leaf', { href: `#/wallet/${id(w.id)}`, 'aria-current': this.beside === w.id ? 'true' : null },
      h('span.name', null, w.name || 'wallet'), h('span.figures', null, h('span', null, amount(w.balance)),
        hint(w.held && w.held.base !== '0' ? `${w.held.whole} held · ${w.available.whole} available` : ''))))),
    !f.wallets.length && h('li.hint', null, 'No wallet yet. ', h('a', { href: '#/make/wallet' }, 'Make one'))));
  }

  async toggle(company) {
    if (this.open.delete(company)) this.closed.add(company);
    else {
      this.closed.delete(company);
      this.open.set(company, null);
    }
    this.draw();
    await this.refresh();
  }

  totals(totals) {
    return totals.length > 0 && h('section.totals', null, h('h2', null, 'Where all of it is'),
      h('div.scroll-x', { tabindex: '0', role: 'group', 'aria-label': 'Totals by asset' }, h('table', null,
        h('thead', null, h('tr', null, ['asset', 'deposited', '= balances', '+ withdrawn', '+ fees', ''].map(t => h('th', { scope: 'col' }, t || h('span.unseen', null, 'holds'))))),
        h('tbody', null, totals.map(t => h('tr', { key: t.asset }, h('th', { scope: 'row' }, t.asset),
          [t.deposited, t.balances, t.withdrawn, t.fees].map(m => h('td', { title: `${grouped(m.base)} base units` }, m.whole || m.base)),
          h('td', null, t.holds ? h('span.state.is-good', null, '✓', h('span.unseen', null, 'it adds up')) : h('span.state.is-bad', null, '✕ does not add up'))))))));
  }

  go(at) {
    const was = this.wallet;
    super.go(at);
    this.draw();
    if (was && !this.wallet && document.activeElement?.type !== 'search') this.querySelector(`a.leaf[href="#/wallet/${CSS.escape(id(was))}"]`)?.focus();
  }
}

customElements.define('q-money', Money);
